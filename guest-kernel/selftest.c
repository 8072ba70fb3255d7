/* Self-tests of the kernel's parts, each a function that returns NULL or the reason of its failure. */
#include "selftest.h"
#include "selftest_parts.h"
#include "channel-dev/ring.h"
#include "domain.h"
#include "heap.h"
#include "kernel.h"
#include "page.h"
#include "sip.h"
#include "space.h"
#include "trap.h"

void selftest_report(const char *name, const char *failure, const char *skip) {
    kernel_result->tests_run++;
    if (failure)
        kernel_result->tests_failed++;
    console_print("%s %u - %s%s%s\n", failure ? "not ok" : "ok", kernel_result->tests_run, name,
                  skip ? " # SKIP " : "", skip ? skip : "");
    if (failure)
        console_print("# failed: %s\n", failure);
}

/* ---- probes: each does one thing that should trap ---- */

void probe_read(uint64_t address) { (void)*(volatile uint8_t *)address; }
void probe_write(uint64_t address) { *(volatile uint8_t *)address = 0xcc; }
void probe_call(uint64_t address) { ((void (*)(void))address)(); }
static void probe_illegal(uint64_t unused) {
    (void)unused;
    __asm__ volatile("ud2");
}
static void probe_divide(uint64_t zero) { __asm__ volatile("divq %0" ::"r"(zero), "a"(1), "d"(0)); }
static void probe_nothing(uint64_t unused) { (void)unused; }

bool traps_with(void (*probe)(uint64_t), uint64_t argument, uint64_t vector) {
    uint64_t got;
    return trap_probe(probe, argument, &got) && got == vector;
}

static const char *test_traps(void) {
    uint64_t vector;
    CHECK(!trap_probe(probe_nothing, 0, &vector));
    CHECK(traps_with(probe_illegal, 0, VECTOR_ILLEGAL));
    CHECK(traps_with(probe_divide, 0, VECTOR_DIVIDE));
    CHECK(traps_with(probe_read, 0xffffa00000000000, VECTOR_PAGE_FAULT));
    return NULL;
}

/* ---- protection of the kernel's own memory ---- */

static const char *test_write_xor_execute(void) {
    static uint8_t code[16] = {0xc3}; /* ret */
    CHECK(traps_with(probe_write, (uint64_t)kernel_text, VECTOR_PAGE_FAULT));
    CHECK(traps_with(probe_write, (uint64_t)kernel_rodata, VECTOR_PAGE_FAULT));
    CHECK(traps_with(probe_call, (uint64_t)code, VECTOR_PAGE_FAULT));
    CHECK(traps_with(probe_call, (uint64_t)kernel_rodata, VECTOR_PAGE_FAULT));
    return NULL;
}

static const char *test_alias(void) {
    CHECK(traps_with(probe_write, PHYS_VA + kernel_address(kernel_text), VECTOR_PAGE_FAULT));
    CHECK(traps_with(probe_write, PHYS_VA + kernel_address(kernel_rodata), VECTOR_PAGE_FAULT));
    CHECK(traps_with(probe_call, PHYS_VA + kernel_address(kernel_text), VECTOR_PAGE_FAULT));
    return NULL;
}

static const char *test_null(void) {
    CHECK(traps_with(probe_read, 0, VECTOR_PAGE_FAULT));
    return NULL;
}

/* ---- allocators ---- */

static const char *test_pages(void) {
    uint64_t before = page_free_count();
    uint64_t a = page_alloc_zeroed(), b = page_alloc();
    CHECK(a != PAGE_NONE && b != PAGE_NONE && a != b);
    CHECK(page_free_count() == before - 2);
    CHECK(*(uint64_t *)phys_pointer(a) == 0);
    page_free(a);
    CHECK(page_alloc() == a);
    page_free(a);
    page_free(b);
    CHECK(page_free_count() == before);
    uint64_t run = chunk_alloc(3);
    CHECK(run != PAGE_NONE && run % CHUNK_BYTES == 0);
    CHECK(page_free_count() == before - 3 * (CHUNK_BYTES / PAGE_BYTES));
    chunk_free(run, 3);
    CHECK(page_free_count() == before);
    CHECK(chunk_alloc(4096) == PAGE_NONE);
    return NULL;
}

#define TEST_HEAP (HEAPS - 1) /* a number that no domain has */

static const char *check_heap(struct heap *heap) {
    static block_t blocks[300];
    static const uint32_t sizes[] = {1, 64, 65, 200, 1000, 2048, 2049, 4096, 5000, 33000};
    const uint32_t kinds = sizeof sizes / sizeof sizes[0];
    for (uint32_t i = 0; i < 300; i++) {
        blocks[i] = heap_alloc(heap, sizes[i % kinds]);
        CHECK(blocks[i] != BLOCK_NONE && heap_of(blocks[i]) == heap);
        CHECK(heap_block_bytes(blocks[i]) >= sizes[i % kinds]);
        heap_message(blocks[i])->word = i;
    }
    for (uint32_t i = 0; i < 300; i++) /* no two of them overlap at their starts */
        CHECK(heap_message(blocks[i])->word == i);
    heap_copy(blocks[9], blocks[19], 33000);
    CHECK(heap_message(blocks[9])->word == 19);
    heap_zero(blocks[9], 33000);
    CHECK(heap_message(blocks[9])->word == 0);
    for (uint32_t i = 0; i < 300; i++)
        heap_free(blocks[i]);
    uint32_t top = heap->top;
    for (uint32_t i = 0; i < 300; i++)
        blocks[i] = heap_alloc(heap, sizes[i % kinds]);
    CHECK(heap->top == top); /* all of it was reused */
    for (uint32_t i = 0; i < 300; i++)
        heap_free(blocks[i]);
    /* Exhaust it with small blocks, free them, and get a large one: free memory is joined. */
    uint32_t count = 0;
    block_t list = BLOCK_NONE, block;
    while ((block = heap_alloc(heap, 2048)) != BLOCK_NONE) {
        heap_message(block)->word = list;
        list = block;
        count++;
    }
    uint32_t per_page = heap->guarded ? 1 : 2;
    CHECK(count >= (heap->limit - 2) * per_page - 16 && heap_alloc(heap, 4096) == BLOCK_NONE);
    while (list != BLOCK_NONE) {
        block = heap_message(list)->word;
        heap_free(list);
        list = block;
    }
    block = heap_alloc(heap, HEAP_MAX_BLOCK_BYTES);
    CHECK(block != BLOCK_NONE);
    CHECK(heap_alloc(heap, HEAP_MAX_BLOCK_BYTES + 1) == BLOCK_NONE);
    heap_free(block);
    return NULL;
}

static const char *check_new_heap(bool guarded) {
    struct heap heap;
    struct space space;
    uint64_t before = page_free_count();
    CHECK(space_create(&space, false));
    CHECK(heap_create(&heap, TEST_HEAP, &space, PLAN_PAGES_4K, SPACE_WRITE));
    heap.limit = 1024;
    heap.guarded = guarded;
    const char *failure = check_heap(&heap);
    heap_destroy(&heap);
    space_destroy(&space);
    CHECK(failure || page_free_count() == before);
    return failure;
}

static const char *test_heap(void) { return check_new_heap(false); }

static const char *test_heap_guarded(void) { return check_new_heap(true); }

static const char *check_remap(struct heap *from, struct heap *to) {
    for (uint32_t round = 0; round < 100; round++) {
        block_t block = heap_alloc(from, 3 * PAGE_BYTES);
        CHECK(block != BLOCK_NONE);
        uint64_t va = heap_va(block), pa = space_lookup(from->space[0], va + PAGE_BYTES);
        CHECK(pa != PAGE_NONE);
        heap_message(block)->word = round;
        block_t moved = heap_remap(to, block);
        CHECK(moved != BLOCK_NONE && heap_of(moved) == to);
        CHECK(heap_message(moved)->word == round);
        CHECK(space_lookup(from->space[0], va) == PAGE_NONE); /* a use after the send would fault */
        CHECK(space_lookup(to->space[0], heap_va(moved) + PAGE_BYTES) == pa);
        heap_free(moved);
        CHECK(space_lookup(to->space[0], heap_va(moved)) == PAGE_NONE);
    }
    return NULL;
}

static const char *test_remap(void) {
    struct heap heap[2];
    struct space space[2];
    uint64_t before = page_free_count();
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(space_create(&space[i], false));
        CHECK(heap_create(&heap[i], TEST_HEAP - i, &space[i], PLAN_PAGES_4K, SPACE_WRITE));
    }
    const char *failure = check_remap(&heap[0], &heap[1]);
    for (uint32_t i = 0; i < 2; i++) {
        heap_destroy(&heap[i]);
        space_destroy(&space[i]);
    }
    CHECK(failure || page_free_count() == before);
    return failure;
}

static const char *test_space(void) {
    struct space space;
    uint32_t bits;
    uint64_t before = page_free_count(), page = page_alloc();
    CHECK(space_create(&space, false));
    CHECK(space_map(&space, SIP_VA, page, PAGE_BYTES, PLAN_PAGES_4K, SPACE_USER));
    CHECK(space_lookup(&space, SIP_VA + 5) == page + 5);
    CHECK(space_lookup(&space, SIP_VA + PAGE_BYTES) == PAGE_NONE);
    CHECK(space_lookup(&space_kernel, SIP_VA) == PAGE_NONE);
    CHECK(*space_entry(&space, SIP_VA, &bits) & PTE_NX && bits == PLAN_PAGES_4K);
    CHECK(space_lookup(&space, (uint64_t)kernel_text) == kernel_address(kernel_text));
    space_unmap(&space, SIP_VA, PAGE_BYTES);
    CHECK(space_lookup(&space, SIP_VA) == PAGE_NONE);
    space_destroy(&space);
    page_free(page);
    CHECK(page_free_count() == before);
    return NULL;
}

/* ---- the ring, the plan, arguments ---- */

static const char *test_ring(void) {
    static uint8_t memory[RING_BYTES(4)] __attribute__((aligned(RING_LINE_BYTES)));
    uint64_t cookies[4];
    struct ring_memory areas = ring_layout(memory, 4);
    struct ring_driver driver;
    struct ring_device device;
    struct ring_element element;
    uint64_t cookie;
    CHECK(ring_driver_init(&driver, &areas, 4, cookies, NULL, NULL) == 0);
    CHECK(ring_device_init(&device, &areas, 4, 100, NULL, NULL) == 0);
    ring_join(&driver, &device);
    CHECK(!ring_waiting(&device) && ring_take(&driver, &device, &element, &cookie) == 0);
    for (uint64_t i = 0; i < 10; i++) {
        CHECK(ring_push(&driver, 0x1000 + i, 10, i) == 0 && ring_waiting(&device));
        CHECK(ring_take(&driver, &device, &element, &cookie) == 1);
        CHECK(element.addr == 0x1000 + i && element.len == 10 && cookie == i);
    }
    for (uint64_t i = 0; i < 4; i++)
        CHECK(ring_push(&driver, i, 10, i) == 0);
    CHECK(ring_full(&driver) && ring_push(&driver, 4, 10, 4) == -RING_FULL);
    areas.avail->idx += 100; /* a hostile sender */
    CHECK(ring_take(&driver, &device, &element, &cookie) == -RING_BROKEN && device.broken);
    CHECK(ring_push(&driver, 0, 10, 0) == -RING_BROKEN);
    return NULL;
}

static const char *test_plan(void) {
    uint64_t chunks = round_up(kernel_plan->total_bytes, CHUNK_BYTES) / CHUNK_BYTES;
    uint64_t pa = chunk_alloc(chunks);
    CHECK(pa != PAGE_NONE);
    struct plan_header *copy = phys_pointer(pa);
    const char *why = NULL;
    uint64_t bytes = kernel_plan->total_bytes;
    memcpy(copy, kernel_plan, bytes);
    CHECK(plan_check(copy, bytes, &why) == 0);
    CHECK(plan_check(copy, bytes - 1, &why) != 0 && why);
    ((uint8_t *)copy)[bytes - 1] ^= 1;
    CHECK(plan_check(copy, bytes, &why) != 0);
    ((uint8_t *)copy)[bytes - 1] ^= 1;
    copy->version++;
    CHECK(plan_check(copy, bytes, &why) != 0);
    copy->version--;
    CHECK(plan_check(copy, bytes, &why) == 0);
    chunk_free(pa, chunks);
    return NULL;
}

static const char *test_arguments(void) {
    static struct sip sip;
    sip.data = 0x10000, sip.data_end = 0x12000;
    sip.stack = 0x20000, sip.stack_top = 0x24000;
    CHECK(sip_may_write(&sip, 0x10000, 0x2000));
    CHECK(sip_may_write(&sip, 0x12000, 0));
    CHECK(!sip_may_write(&sip, 0x10000, 0x2001));
    CHECK(!sip_may_write(&sip, 0xffff, 1));
    CHECK(!sip_may_write(&sip, 0x11fff, 2));
    CHECK(!sip_may_write(&sip, 0, 1));
    CHECK(!sip_may_write(&sip, 0x11000, UINT64_MAX));
    CHECK(!sip_may_write(&sip, 0x11000, UINT64_MAX - 0x10fff));
    CHECK(!sip_may_write(&sip, (uint64_t)kernel_data, 8));
    CHECK(sip_may_write(&sip, 0x23fff, 1) && !sip_may_write(&sip, 0x23fff, 2));
    sip.slot[0].tag = SIP_NO_TAG;
    CHECK(!sip_slot(&sip, 0) && !sip_slot(&sip, SIP_NO_TAG) && !sip_slot(&sip, ABI_SLOTS));
    CHECK(!sip_slot(&sip, 0x100000000ull));
    return NULL;
}

/* ---- the tables that the SIPs run on ---- */

#define HEAPS_END (HEAPS * HEAP_STRIDE)

/* Walks every leaf of a space; a user page must be where SIPs live, and none W and X at once. */
static const char *walk(uint64_t table, int level, uint64_t va, bool user, bool protected) {
    const uint64_t *entries = phys_pointer(table);
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t entry = entries[i], at = va | i << (12 + 9 * level);
        if (!(entry & PTE_PRESENT))
            continue;
        if (level == 3 && i >= 256)
            at |= 0xffff000000000000;
        bool user_here = user && entry & PTE_USER;
        if (level > 0 && !(level < 3 && entry & PTE_LARGE)) {
            const char *failure = walk(entry & PTE_ADDRESS, level - 1, at, user_here, protected);
            if (failure)
                return failure;
            continue;
        }
        bool in_kernels_root = at >= RING3_VA + SIP_VA && at < RING3_VA + HEAP_VA + HEAPS_END;
        CHECK(!user_here || (at >= SIP_VA && at < STUB_VA + PAGE_BYTES) || in_kernels_root);
        CHECK(!protected || !(entry & PTE_WRITE) || entry & PTE_NX);
    }
    return NULL;
}

void selftest_spaces(void) {
    const struct plan_domain *kernel_domain = plan_at(kernel_plan, kernel_plan->domains);
    bool identity =
        kernel_domain->pages == PLAN_PAGES_LARGEST || kernel_domain->pages == PLAN_PAGES_1G;
    const struct domain *domain;
    for (uint32_t i = 0; (domain = domain_at(i)) != NULL; i++) {
        char name[80];
        if (!domain->plan)
            continue;
        format_text(name, sizeof name, "tables of domain '%s': kernel pages supervisor-only, W^X",
                    domain->plan->name);
        /* Where the kernel is mapped by identity, its half is W and X by definition. */
        selftest_report(name, walk(domain->space->root, 3, 0, true, !identity),
                        identity ? "W^X: identity pages protect nothing" : NULL);
    }
    selftest_mechanisms();
}

void selftest_run(void) {
    static const struct {
        const char *name;
        const char *(*run)(void);
        bool paging; /* has nothing to test under identity pages */
    } tests[] = {
        {"traps are caught and named", test_traps, false},
        {"kernel text and constants cannot be written, data cannot run", test_write_xor_execute,
         true},
        {"the map of physical memory is no way round that", test_alias, true},
        {"address 0 is not mapped", test_null, true},
        {"pages and chunks come back", test_pages, false},
        {"address spaces map, look up and unmap", test_space, false},
        {"the exchange heap hands out, reuses, joins and refuses", test_heap, false},
        {"a guarded heap does too, and unmaps what is free", test_heap_guarded, false},
        {"pages change hands between two heaps", test_remap, false},
        {"the ring carries messages and refuses a hostile peer", test_ring, false},
        {"a damaged plan and another version are refused", test_plan, false},
        {"arguments outside of a SIP are refused", test_arguments, false},
    };
    const struct plan_domain *kernel_domain = plan_at(kernel_plan, kernel_plan->domains);
    bool identity =
        kernel_domain->pages == PLAN_PAGES_LARGEST || kernel_domain->pages == PLAN_PAGES_1G;
    console_print("TAP version 13\n");
    for (uint32_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        bool skip = identity && tests[i].paging;
        selftest_report(tests[i].name, skip ? NULL : tests[i].run(),
                        skip ? "identity pages protect nothing" : NULL);
    }
}

void selftest_end(void) {
    console_print("1..%u\n", kernel_result->tests_run);
    if (kernel_result->tests_failed)
        run_end(RESULT_FAILED, "%u of %u self-tests failed; the console says which",
                kernel_result->tests_failed, kernel_result->tests_run);
}
