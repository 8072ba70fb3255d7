/*
 * Loading. Read-only parts of an image are mapped straight from the plan where 4 KiB pages allow it,
 * so that instances share them; everything else is memory of the instance.
 */
#include "sip_memory.h"
#include "elf.h"
#include "image.h"
#include "kernel.h"
#include "page.h"
#include "tlb.h"

#define PAGES_OFFSET 0x30000000 /* of a SIP's own pages, in its stretch of addresses */
#define MAX_PAGES 1024

static bool mapped_from_plan(const struct sip *sip, const struct image_segment *segment) {
    uint64_t pa = phys_address(sip->image->file + segment->file_offset);
    return sip->domain->page_bits == PLAN_PAGES_4K && !(segment->access & SPACE_WRITE) &&
           pa % PAGE_BYTES == 0;
}

/* Fresh, cleared memory at va, in pages of the SIP's domain. What was mapped stays on failure. */
static bool map_fresh(struct sip *sip, uint64_t va, uint64_t bytes, uint32_t access) {
    uint32_t bits = sip->domain->page_bits;
    uint64_t page = 1ull << bits;
    for (uint64_t done = 0; done < bytes; done += page) {
        uint64_t pa = bits == PLAN_PAGES_4K ? page_alloc() : chunk_alloc(1);
        if (pa == PAGE_NONE)
            return false;
        memset(phys_pointer(pa), 0, page);
        if (!space_map(sip->domain->space, va + done, pa, page, bits,
                       access | sip->domain->access)) {
            if (bits == PLAN_PAGES_4K)
                page_free(pa);
            else
                chunk_free(pa, 1);
            return false;
        }
    }
    return true;
}

/* Unmaps, and frees unless the plan holds the memory. `going`: the SIP has ended, or never began. */
static void unmap(struct sip *sip, uint64_t va, uint64_t bytes, bool of_plan, bool going) {
    struct space *space = sip->domain->space;
    uint64_t page = 1ull << sip->domain->page_bits;
    /* A tagged space of this SIP alone is not entered again; its tag is flushed when it is given anew. */
    bool current = tlb_is_current(space);
    bool last = going && space != &space_kernel && sip->domain->plan->per_sip;
    for (uint64_t done = 0; done < bytes; done += page) {
        uint64_t pa = space_lookup(space, va + done);
        if (pa == PAGE_NONE)
            continue;
        space_unmap(space, va + done, page);
        if (!last)
            tlb_forget_page(space, current, va + done);
        if (of_plan)
            continue;
        if (sip->domain->page_bits == PLAN_PAGES_4K)
            page_free(pa);
        else
            chunk_free(pa, 1);
    }
}

/* Writes into the SIP's memory through the map of physical memory, whatever its rights there. */
static void store(struct sip *sip, uint64_t va, const void *from, uint64_t bytes) {
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = va + done, part = PAGE_BYTES - at % PAGE_BYTES;
        if (part > bytes - done)
            part = bytes - done;
        memcpy(phys_pointer(space_lookup(sip->domain->space, at)), (const uint8_t *)from + done,
               part);
        done += part;
    }
}

/* Identity: one stretch of adjacent chunks, where the stack follows the variables. */
static bool place_identity(struct sip *sip) {
    const struct image *image = sip->image;
    uint64_t bytes = image->bytes + round_up(image->note.stack_bytes, PAGE_BYTES);
    uint64_t chunks = round_up(bytes, CHUNK_BYTES) / CHUNK_BYTES;
    uint64_t pa = chunk_alloc(chunks);
    if (pa == PAGE_NONE)
        return false;
    sip->identity = sip->base = pa;
    sip->identity_chunks = chunks;
    sip->stack = pa + image->bytes;
    sip->stack_top = pa + bytes;
    memset(phys_pointer(pa + image->data), 0, bytes - image->data);
    return true;
}

static bool place_paged(struct sip *sip) {
    const struct image *image = sip->image;
    sip->base = SIP_VA + sip->domain->offset + (uint64_t)sip->number * SIP_STRIDE;
    sip->stack = sip->base + SIP_STACK_OFFSET;
    sip->stack_top = sip->stack + round_up(image->note.stack_bytes, PAGE_BYTES);
    for (uint32_t i = 0; i < image->segments; i++) {
        const struct image_segment *segment = &image->segment[i];
        uint64_t va = sip->base + segment->va;
        uint64_t pa = phys_address(image->file + segment->file_offset);
        bool mapped =
            mapped_from_plan(sip, segment)
                ? space_map(sip->domain->space, va, pa, round_up(segment->bytes, PAGE_BYTES),
                            PLAN_PAGES_4K, segment->access | sip->domain->access)
                : map_fresh(sip, va, segment->bytes, segment->access);
        if (!mapped)
            return false;
    }
    return map_fresh(sip, sip->stack, sip->stack_top - sip->stack, SPACE_WRITE);
}

bool sip_memory_create(struct sip *sip) {
    const struct image *image = sip->image;
    sip->identity_chunks = 0;
    bool placed =
        sip->domain->page_bits == PLAN_PAGES_LARGEST ? place_identity(sip) : place_paged(sip);
    if (!placed) {
        sip_memory_destroy(sip);
        return false;
    }
    sip->data = sip->base + image->data;
    sip->data_end = sip->base + image->data_end;
    sip->pages = sip->base + PAGES_OFFSET;
    sip->pages_live = 0;
    for (uint32_t i = 0; i < image->segments; i++)
        if (!mapped_from_plan(sip, &image->segment[i]))
            store(sip, sip->base + image->segment[i].va,
                  image->file + image->segment[i].file_offset, image->segment[i].file_bytes);
    for (uint32_t i = 0; i < image->relocations; i++) {
        uint64_t value = sip->base + image->relocation[i].addend;
        store(sip, sip->base + image->relocation[i].offset, &value, sizeof value);
    }
    return true;
}

void sip_memory_destroy(struct sip *sip) {
    const struct image *image = sip->image;
    if (sip->domain->page_bits == PLAN_PAGES_LARGEST) {
        if (sip->identity_chunks)
            chunk_free(sip->identity, sip->identity_chunks);
        sip->identity_chunks = 0;
        return;
    }
    for (uint32_t i = 0; i < image->segments; i++)
        unmap(sip, sip->base + image->segment[i].va, round_up(image->segment[i].bytes, PAGE_BYTES),
              mapped_from_plan(sip, &image->segment[i]), true);
    unmap(sip, sip->stack, sip->stack_top - sip->stack, false, true);
}

bool sip_may_read(const struct sip *sip, uint64_t address, uint64_t bytes) {
    for (uint32_t i = 0; i < sip->image->segments; i++) {
        const struct image_segment *segment = &sip->image->segment[i];
        uint64_t in = address - (sip->base + segment->va);
        if (in <= segment->bytes && bytes <= segment->bytes - in)
            return true;
    }
    return sip_may_write(sip, address, bytes);
}

int64_t sip_pages_alloc(struct sip *sip, uint64_t count) {
    if (count == 0 || count > MAX_PAGES)
        return ABI_EINVAL;
    if (!sip->free_slot)
        return ABI_ENOMEM;
    uint64_t bytes = count * PAGE_BYTES;
    sip_quota_check(sip, bytes);
    uint64_t va;
    if (sip->domain->page_bits == PLAN_PAGES_LARGEST) {
        uint64_t chunks = round_up(bytes, CHUNK_BYTES) / CHUNK_BYTES;
        va = count == 1 ? page_alloc() : chunk_alloc(chunks);
        if (va == PAGE_NONE)
            return ABI_ENOMEM;
        memset(phys_pointer(va), 0, bytes);
    } else {
        va = sip->pages;
        uint64_t limit = sip->base + SIP_STRIDE, page = 1ull << sip->domain->page_bits;
        if (round_up(bytes, page) > limit - va)
            return ABI_ENOMEM;
        if (!map_fresh(sip, va, bytes, SPACE_WRITE)) {
            unmap(sip, va, bytes, false, false);
            return ABI_ENOMEM;
        }
        sip->pages += round_up(bytes, page);
    }
    sip->pages_live++;
    struct slot *slot = sip->free_slot;
    uint32_t handle = sip_slot_take(sip, BLOCK_NONE, va, va, (uint32_t)bytes);
    slot->bytes = 0;
    slot->pages = (uint32_t)count;
    return handle;
}

void sip_pages_free(struct sip *sip, struct slot *slot) {
    uint64_t va = slot->pa, bytes = (uint64_t)slot->pages * PAGE_BYTES;
    slot->pages = 0;
    if (sip->domain->page_bits != PLAN_PAGES_LARGEST) {
        unmap(sip, va, bytes, false, false);
        if (va + round_up(bytes, 1ull << sip->domain->page_bits) == sip->pages)
            sip->pages = va; /* the latest one: its addresses can be used again */
        if (--sip->pages_live == 0)
            sip->pages = sip->base + PAGES_OFFSET; /* and so can all of them */
    } else if (bytes == PAGE_BYTES) {
        page_free(va);
    } else {
        chunk_free(va, round_up(bytes, CHUNK_BYTES) / CHUNK_BYTES);
    }
}
