/*
 * The TLB and its instructions. Sources: Intel SDM 3A 4.10.4.1 (what invalidates what), 2A INVLPG and
 * INVPCID, 2B MOV to control registers. Only the lower half is cached: the kernel's never changes.
 */
#include "model.h"
#include "guest-kernel/space.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 65536
#define TAG_MASK 0xfffull

static struct entry {
    uint64_t va, pte; /* as the tables had it, without accessed and dirty */
    uint32_t tag, bits;
    bool valid;
} tlb[ENTRIES];
static uint32_t tlb_top; /* no valid one from here on */
static uint64_t cr3;
static bool tagged, can_invpcid;

static void fail(const char *why) {
    printf("the kernel did what this CPU forbids: %s\n", why);
    exit(1);
}

void model_start(bool tags, bool invpcid) {
    memset(tlb, 0, sizeof tlb);
    tlb_top = 0;
    cr3 = 0;
    tagged = tags;
    can_invpcid = invpcid;
}

static uint32_t tag_now(void) { return tagged ? cr3 & TAG_MASK : 0; }

static void drop(bool all_tags, uint32_t tag, bool all_pages, uint64_t va, bool global) {
    for (uint32_t i = 0; i < tlb_top; i++) {
        struct entry *entry = &tlb[i];
        bool page = all_pages || entry->va == va >> entry->bits << entry->bits;
        if (entry->pte & PTE_GLOBAL ? global && page : page && (all_tags || entry->tag == tag))
            entry->valid = false;
    }
    while (tlb_top && !tlb[tlb_top - 1].valid)
        tlb_top--;
}

uint64_t model_read_cr3(void) { return cr3; }

void model_write_cr3(uint64_t value) {
    if (!tagged && value & (CR3_KEEP | TAG_MASK))
        fail("a tag in CR3 without CR4.PCIDE");
    cr3 = value & ~CR3_KEEP;
    if (!(value & CR3_KEEP))
        drop(!tagged, tag_now(), true, 0, false);
}

void model_invlpg(uint64_t va) { drop(false, tag_now(), false, va, true); }

void model_invpcid(uint64_t type, uint64_t pcid, uint64_t va) {
    if (!can_invpcid || type > 1 || (!tagged && pcid))
        fail("INVPCID");
    drop(false, (uint32_t)pcid, type == 1, va, false);
}

static const uint64_t *table_at(uint64_t pa) { return (const uint64_t *)(PHYS_VA + pa); }

/* The entry that maps va in the current tables, 0: none. */
static uint64_t walk(uint64_t va, uint32_t *bits) {
    uint64_t table = cr3 & PTE_ADDRESS;
    for (int level = 3; level >= 0; level--) {
        uint64_t entry = table_at(table)[va >> (12 + 9 * level) & 511];
        if (!(entry & PTE_PRESENT))
            return 0;
        *bits = 12 + 9 * (uint32_t)level;
        if (level == 0 || (level < 3 && entry & PTE_LARGE))
            return entry;
        table = entry & PTE_ADDRESS;
    }
    return 0;
}

static bool usable(const struct entry *entry) {
    return entry->valid && (entry->tag == tag_now() || entry->pte & PTE_GLOBAL);
}

static void cache(uint64_t va, uint64_t pte, uint32_t bits) {
    struct entry *free = NULL;
    for (uint32_t i = 0; i < tlb_top; i++) {
        if (usable(&tlb[i]) && tlb[i].va == va)
            return; /* what is cached is not looked up again */
        if (!tlb[i].valid)
            free = &tlb[i];
    }
    if (!free && tlb_top == ENTRIES)
        return;
    free = free ? free : &tlb[tlb_top++];
    *free = (struct entry){va, pte, tag_now(), bits, true};
}

static void fill(uint64_t table, int level, uint64_t va) {
    for (uint64_t i = 0; i < (level == 3 ? 256 : 512); i++) {
        uint64_t entry = table_at(table)[i], at = va | i << (12 + 9 * level);
        if (!(entry & PTE_PRESENT))
            continue;
        if (level == 0 || (level < 3 && entry & PTE_LARGE))
            cache(at, entry, 12 + 9 * (uint32_t)level);
        else
            fill(entry & PTE_ADDRESS, level - 1, at);
    }
}

void model_fill(void) { fill(cr3 & PTE_ADDRESS, 3, 0); }

bool model_stale(uint64_t *va) {
    for (uint32_t i = 0; i < tlb_top; i++) {
        uint32_t bits = 0;
        if (!usable(&tlb[i]) || (walk(tlb[i].va, &bits) == tlb[i].pte && bits == tlb[i].bits))
            continue;
        *va = tlb[i].va;
        return true;
    }
    return false;
}

uint64_t model_entries(void) { return tlb_top; }
