/*
 * The kernel's own domains, heaps, tables and flushes on a model of a CPU with a tagged TLB: random
 * sequences of what the kernel does, and after each of them no entry may be usable that is not in the
 * tables. Exits with 1 and says which one, if there is; policy.py breaks the kernel's files to see that.
 *     test_policy SEED STEPS
 */
#include "guest-kernel/compose.h"
#include "guest-kernel/events.h"
#include "guest-kernel/heap.h"
#include "guest-kernel/image.h"
#include "guest-kernel/kernel.h"
#include "guest-kernel/page.h"
#include "guest-kernel/sip.h"
#include "guest-kernel/sip_memory.h"
#include "guest-kernel/thread.h"
#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_BYTES (64ull << 20)
#define LIVE 6 /* SIPs at a time */
#define BLOCKS 6

/* ---- what the kernel's files need of others ---- */

uint64_t events[EVENT_COUNT];
uint64_t mechanisms_used, mechanisms_simulated;
uint64_t call_entry_table[PLAN_MAX_DOMAINS];
struct cpu cpu;
static struct thread boot;
struct thread *thread_current = &boot, *thread_sip_thread;
struct sip *thread_sip;
const struct plan_header *kernel_plan;
struct result_header *kernel_result;
uint8_t stub_page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
uint8_t trap_stubs[1], composed_code_end[1], trampoline_data[1], trampoline_data_end[1];
uint8_t kernel_text[1], kernel_text_end[1], kernel_rodata[1], kernel_rodata_end[1], kernel_data[1],
    kernel_end[1];
static bool with_invpcid;

bool cpu_has(uint32_t wanted) { return !(wanted & CPU_HAS(INVPCID)) || with_invpcid; }
void sip_quota_check(struct sip *sip, uint64_t more) { (void)sip, (void)more; }
void panic(const char *file, int line, const char *format, ...) {
    printf("%s:%d: %s\n", file, line, format);
    exit(1);
}
void run_end(enum result_state state, const char *format, ...) {
    printf("state %d: %s\n", (int)state, format);
    exit(1);
}

/* Memory: a stack of free pages, and chunks from the other end. */
static uint64_t free_page[MEMORY_BYTES / PAGE_BYTES], free_pages, free_chunk[8], free_chunks;
uint64_t page_alloc(void) { return free_pages ? free_page[--free_pages] : PAGE_NONE; }
uint64_t page_alloc_zeroed(void) {
    uint64_t pa = page_alloc();
    if (pa != PAGE_NONE)
        memset(phys_pointer(pa), 0, PAGE_BYTES);
    return pa;
}
void page_free(uint64_t pa) { free_page[free_pages++] = pa; }
uint64_t page_memory_end(void) { return MEMORY_BYTES; }
uint64_t chunk_alloc(uint64_t count) {
    return count == 1 && free_chunks ? free_chunk[--free_chunks] : PAGE_NONE;
}
void chunk_free(uint64_t pa, uint64_t count) {
    (void)count;
    free_chunk[free_chunks++] = pa;
}

/* ---- the run ---- */

static uint64_t state;
static uint32_t random_below(uint32_t below) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 33) % below;
}

static struct plan_header *plan;
static struct {
    struct sip sip;
    struct thread thread;
    block_t block[BLOCKS];
    struct slot *pages;
    bool live;
} sips[LIVE];
static int current = -1; /* whose space is entered; -1: the kernel's own */
static const char *doing = "starting";

static void look(const char *where) {
    uint64_t va;
    if (model_stale(&va)) {
        printf("stale in %s, after %s: an entry for 0x%llx\n", where, doing,
               (unsigned long long)va);
        exit(1);
    }
    model_fill();
}

/* A switch of threads, as the composed routines do it: the same root is not loaded again. */
static void enter(int target) {
    struct thread *thread = target < 0 ? &boot : &sips[target].thread;
    if (thread->root != thread_current->root)
        model_write_cr3(thread->root);
    thread_current = thread;
    current = target;
}

/* Ring 3 runs for a while, and comes back. */
static void run_ring3(void) {
    if (current < 0)
        return;
    bool other = thread_current->user_root != thread_current->root;
    if (other)
        model_write_cr3(thread_current->user_root);
    look("ring 3");
    if (other)
        model_write_cr3(thread_current->root);
}

static struct image image = {.note.stack_bytes = 2 * PAGE_BYTES};

static void make(int i) {
    struct sip *sip = &sips[i].sip;
    memset(&sips[i], 0, sizeof sips[i]);
    sip->number = (uint32_t)i;
    sip->image = &image;
    sip->domain = domain_for_sip(1 + random_below(plan->domains.count - 1));
    if (!sip->domain)
        return;
    if (!sip_memory_create(sip)) {
        domain_leave(sip->domain);
        return;
    }
    for (uint32_t slot = 1; slot < 8; slot++) {
        static struct abi_slot mirror[LIVE][8];
        sip->slot[slot].next = sip->free_slot;
        sip->slot[slot].mirror = &mirror[i][slot];
        sip->slot[slot].next_tag = ABI_SLOTS + slot;
        sip->free_slot = &sip->slot[slot];
    }
    sips[i].thread.root = sip->domain->space->load;
    sips[i].thread.user_root =
        sip->domain->user_view ? sip->domain->space->user_load : sip->domain->space->load;
    sips[i].live = true;
}

static void pages_toggle(int i) {
    struct sip *sip = &sips[i].sip;
    if (!sips[i].pages) {
        int64_t handle = sip_pages_alloc(sip, 1 + random_below(3));
        if (handle > 0)
            sips[i].pages = &sip->slot[handle % ABI_SLOTS];
        return;
    }
    struct slot *slot = sips[i].pages;
    sip_pages_free(sip, slot);
    slot->tag = 0;
    slot->next = sip->free_slot;
    sip->free_slot = slot;
    sips[i].pages = NULL;
}

/* As sip_reclaim() does, from the kernel's own space, or from that of the SIP that kills it. */
static void end(int i) {
    for (uint32_t k = 0; k < BLOCKS; k++)
        if (sips[i].block[k])
            heap_free(sips[i].block[k]);
    if (sips[i].pages)
        pages_toggle(i);
    sip_memory_destroy(&sips[i].sip);
    domain_leave(sips[i].sip.domain);
    sips[i].live = false;
}

static void remap(int from, int to) {
    block_t *source = &sips[from].block[random_below(BLOCKS)];
    block_t *target = &sips[to].block[random_below(BLOCKS)];
    struct heap *heap = sips[to].sip.domain->heap;
    if (from == to || !*source || *target || !heap->guarded || !heap_of(*source)->guarded)
        return;
    block_t moved = heap_remap(heap, *source);
    if (moved != BLOCK_NONE) {
        *target = moved;
        *source = BLOCK_NONE;
    }
}

static void step(void) {
    int i = (int)random_below(LIVE);
    if (!sips[i].live) {
        doing = "making a SIP";
        make(i);
        return;
    }
    block_t *block = &sips[i].block[random_below(BLOCKS)];
    switch (random_below(12)) {
    case 0:
        doing = "ending a SIP";
        if (i == current)
            enter(-1);
        end(i);
        break;
    case 1:
    case 2:
        doing = "taking a block";
        if (!*block)
            *block = heap_alloc(sips[i].sip.domain->heap, 1 + random_below(12000));
        break;
    case 3:
    case 4:
        doing = "freeing a block";
        if (*block && (i == current || random_below(4) == 0)) {
            heap_free(*block);
            *block = BLOCK_NONE;
        }
        break;
    case 5:
    case 6:
        doing = "taking or freeing pages";
        if (i == current || random_below(4) == 0)
            pages_toggle(i);
        break;
    case 7:
        doing = "moving pages";
        if (current >= 0)
            remap(current, i);
        break;
    default:
        doing = "a switch";
        enter(i);
    }
}

static void run(bool tags, bool invpcid, bool kpti, bool one_root, uint64_t seed, uint64_t steps) {
    static uint8_t memory[sizeof(struct plan_header) + 8 * sizeof(struct plan_domain)]
        __attribute__((aligned(8)));
    memset(memory, 0, sizeof memory);
    plan = (struct plan_header *)memory;
    plan->domains.offset = sizeof *plan;
    struct plan_domain *list = (struct plan_domain *)(plan + 1);
    uint64_t pcid = tags ? MECHANISM(PCID) : 0, split = kpti ? MECHANISM(KPTI) : 0;
    list[0] = (struct plan_domain){.pages = PLAN_PAGES_4K, .mechanisms = one_root ? pcid : 0};
    const struct plan_domain kinds[] = {
        {.ring = 3, .space = PLAN_SPACE_OWN, .heap = 1, .mechanisms = pcid | split},
        {.ring = 3, .space = PLAN_SPACE_OWN, .heap = 1, .mechanisms = split},
        {.ring = 3, .space = PLAN_SPACE_OWN, .heap = 1, .mechanisms = pcid},
        {.ring = 0, .space = PLAN_SPACE_OWN, .mechanisms = pcid},
        {.ring = 0, .space = PLAN_SPACE_OWN, .heap = 1},
        {.ring = 3, .heap = 1, .mechanisms = MECHANISM(PKU) | split | pcid},
    };
    for (uint32_t i = 0; i < (one_root ? 6 : 5); i++) {
        list[1 + i] = kinds[i];
        list[1 + i].pages = PLAN_PAGES_4K;
        list[1 + i].per_sip = 1;
    }
    plan->domains.count = one_root ? 7 : 6;
    kernel_plan = plan;
    mechanisms_used = pcid | split | (one_root ? MECHANISM(PKU) : 0);
    with_invpcid = invpcid;
    state = seed;
    free_pages = free_chunks = 0;
    for (uint64_t pa = MEMORY_BYTES - PAGE_BYTES; pa; pa -= PAGE_BYTES)
        page_free(pa);
    model_start(tags, invpcid);
    memset(&space_kernel, 0, sizeof space_kernel);
    space_kernel.root = space_kernel.load = page_alloc_zeroed();
    uint64_t *root = phys_pointer(space_kernel.root);
    for (uint64_t va = SIP_VA; va < 0x600000000000; va += 1ull << 39) /* its own part of the root */
        if (va == HEAP0_VA || va == RING3_VA)
            root[va >> 39] =
                page_alloc_zeroed() | PTE_PRESENT | PTE_WRITE | (va == RING3_VA ? PTE_USER : 0);
    boot.root = boot.user_root = space_kernel.load;
    thread_current = &boot;
    model_write_cr3(space_kernel.load);
    domain_create_all(plan);
    boot.root = space_kernel.load;
    for (uint64_t i = 0; i < steps; i++) {
        step();
        look("the kernel");
        run_ring3();
    }
    for (int i = 0; i < LIVE; i++)
        if (sips[i].live) {
            enter(-1);
            end(i);
        }
    look("the kernel");
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    uint64_t seed = strtoull(argv[1], NULL, 10), steps = strtoull(argv[2], NULL, 10);
    if (mmap((void *)PHYS_VA, MEMORY_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1,
             0) == MAP_FAILED) {
        perror("no memory for the model");
        return 3;
    }
    bool failed = false;
    for (uint32_t kind = 0; kind < 16; kind++) {
        bool tags = kind & 1, invpcid = kind & 2, kpti = kind & 4, one_root = kind & 8;
        if (invpcid && !tags)
            continue;
        int status = 0;
        fflush(stdout);
        if (fork() == 0) { /* the kernel's files start anew in each */
            run(tags, invpcid, kpti, one_root, seed + kind, steps);
            return 0;
        }
        wait(&status);
        printf("tags %d, INVPCID %d, KPTI %d, keys %d: %s\n", tags, invpcid, kpti, one_root,
               status ? "wrong" : "nothing stale");
        failed |= status != 0;
    }
    return failed;
}
