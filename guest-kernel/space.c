/* Page tables. Tables are allocated page by page and reached through the map of physical memory. */
#include "space.h"
#include "kernel.h"
#include "page.h"
#include "tlb.h"
#include "x86.h"

#define ENTRIES 512
#define ROOT_KERNEL_HALF 256
#define ROOT_IDENTITY 0
#define ROOT_HEAP0 (HEAP0_VA >> 39)
#define LEVEL_BITS(level) (12 + 9 * (level)) /* 0: page table ... 3: root */

struct space space_kernel;

extern uint8_t trap_stubs[], composed_code_end[]; /* entry.S */

static uint64_t *table_at(uint64_t pa) { return phys_pointer(pa); }

static unsigned index_at(uint64_t va, int level) { return va >> LEVEL_BITS(level) & (ENTRIES - 1); }

/* KPTI: of the kernel's own space ring 3 sees only what lies from RING3_VA on. */
static bool user_sees(const struct space *space, uint64_t va) {
    return va < PHYS_VA && (space != &space_kernel || va >= RING3_VA);
}

/* The entry for va at `level`, with tables made on the way down; NULL when memory is exhausted. */
static uint64_t *space_walk(struct space *space, uint64_t va, int level) {
    uint64_t *entry = table_at(space->root) + index_at(va, 3);
    for (int at = 3; at > level; at--) {
        if (!(*entry & PTE_PRESENT)) {
            uint64_t table = page_alloc_zeroed();
            if (table == PAGE_NONE)
                return NULL;
            if (space->tables < SPACE_TABLES)
                space->table[space->tables] = (uint32_t)(table / PAGE_BYTES);
            space->tables++;
            /* Rights are decided by the last level; a user bit above it only in the lower half. */
            *entry = table | PTE_PRESENT | PTE_WRITE | (va < PHYS_VA ? PTE_USER : 0);
            if (at == 3 && space->user_root && user_sees(space, va))
                table_at(space->user_root)[index_at(va, 3)] = *entry;
        }
        ASSERT(!(*entry & PTE_LARGE));
        entry = table_at(*entry & PTE_ADDRESS) + index_at(va, at - 1);
    }
    return entry;
}

uint64_t *space_reach(struct space *space, uint64_t va) { return space_walk(space, va, 0); }

uint64_t space_flags(uint32_t access) {
    return PTE_PRESENT | (access & SPACE_WRITE ? PTE_WRITE : 0) |
           (access & SPACE_USER ? PTE_USER : 0) | (access & SPACE_EXECUTE ? 0 : PTE_NX) |
           (uint64_t)(access / SPACE_KEY) << PTE_KEY_SHIFT;
}

bool space_map(struct space *space, uint64_t va, uint64_t pa, uint64_t bytes, uint32_t page_bits,
               uint32_t access) {
    int level = (int)(page_bits - 12) / 9;
    uint64_t page = 1ull << page_bits;
    uint64_t flags = space_flags(access) | (level ? PTE_LARGE : 0);
    ASSERT((va | pa | bytes) % page == 0);
    for (uint64_t done = 0; done < bytes; done += page) {
        uint64_t *entry = space_walk(space, va + done, level);
        if (!entry)
            return false;
        *entry = (pa + done) | flags;
    }
    return true;
}

uint64_t *space_entry(const struct space *space, uint64_t va, uint32_t *page_bits) {
    uint64_t table = space->root;
    for (int level = 3; level >= 0; level--) {
        uint64_t *entry = table_at(table) + index_at(va, level);
        if (!(*entry & PTE_PRESENT))
            return NULL;
        if (level == 0 || (level < 3 && *entry & PTE_LARGE)) {
            *page_bits = (uint32_t)LEVEL_BITS(level);
            return entry;
        }
        table = *entry & PTE_ADDRESS;
    }
    return NULL;
}

uint64_t space_lookup(const struct space *space, uint64_t va) {
    uint32_t page_bits;
    uint64_t *entry = space_entry(space, va, &page_bits);
    if (!entry)
        return PAGE_NONE;
    uint64_t offset = va & ((1ull << page_bits) - 1);
    return (*entry & PTE_ADDRESS & ~((1ull << page_bits) - 1)) + offset;
}

void space_unmap(struct space *space, uint64_t va, uint64_t bytes) {
    for (uint64_t done = 0; done < bytes;) {
        uint32_t page_bits;
        uint64_t *entry = space_entry(space, va + done, &page_bits);
        if (!entry) {
            done += PAGE_BYTES;
            continue;
        }
        *entry = 0;
        done += 1ull << page_bits;
    }
}

bool space_create(struct space *space, bool with_ring0_heap) {
    space->root = space->load = page_alloc();
    space->tables = space->pcid = 0;
    space->user_root = 0;
    space->tagged = false;
    if (space->root == PAGE_NONE)
        return false;
    uint64_t *to = table_at(space->root), *from = table_at(space_kernel.root);
    memset(to, 0, ROOT_KERNEL_HALF * sizeof *to);
    memcpy(to + ROOT_KERNEL_HALF, from + ROOT_KERNEL_HALF,
           (ENTRIES - ROOT_KERNEL_HALF) * sizeof *to);
    if (with_ring0_heap) {
        to[ROOT_HEAP0] = from[ROOT_HEAP0];
        to[ROOT_IDENTITY] = from[ROOT_IDENTITY];
    }
    return true;
}

static struct space trampoline; /* only its kernel's half is used */

bool space_trampoline_create(void) {
    uint64_t code = (uint64_t)trap_stubs, data = (uint64_t)trampoline_data;
    trampoline.root = page_alloc_zeroed();
    return trampoline.root != PAGE_NONE &&
           space_map(&trampoline, code, kernel_address(trap_stubs),
                     round_up((uint64_t)composed_code_end, PAGE_BYTES) - code, PLAN_PAGES_4K,
                     SPACE_EXECUTE) &&
           space_map(&trampoline, data, kernel_address(trampoline_data),
                     (uint64_t)trampoline_data_end - data, PLAN_PAGES_4K, SPACE_WRITE);
}

bool space_create_user_root(struct space *space) {
    uint64_t root = page_alloc_zeroed();
    if (root == PAGE_NONE)
        return false;
    uint64_t *to = table_at(root), *from = table_at(space->root);
    for (uint64_t i = 0; i < ROOT_KERNEL_HALF; i++)
        if (user_sees(space, i << LEVEL_BITS(3)))
            to[i] = from[i];
    to[index_at(KERNEL_VA, 3)] = table_at(trampoline.root)[index_at(KERNEL_VA, 3)];
    space->user_root = space->user_load = root;
    return true;
}

void space_tag(struct space *space, uint32_t pcid, bool keep) {
    space->tagged = true;
    tlb_forget_tag(pcid);
    if (space->user_root)
        tlb_forget_tag(pcid + 1);
    if (!keep)
        return; /* simulated */
    space->pcid = pcid;
    space->load = space->root | pcid | CR3_KEEP;
    if (space->user_root)
        space->user_load = space->user_root | (pcid + 1) | CR3_KEEP;
}

static void mark_global(uint64_t table, int level) {
    uint64_t *entries = table_at(table);
    for (int i = level == 3 ? ROOT_KERNEL_HALF : 0; i < ENTRIES; i++) {
        if (!(entries[i] & PTE_PRESENT))
            continue;
        if (level == 0 || entries[i] & PTE_LARGE)
            entries[i] |= PTE_GLOBAL;
        else
            mark_global(entries[i] & PTE_ADDRESS, level - 1);
    }
}

void space_mark_kernel_global(void) { mark_global(space_kernel.root, 3); }

static void table_destroy(uint64_t table, int level) {
    for (int i = 0; level > 0 && i < ENTRIES; i++) {
        uint64_t entry = table_at(table)[i];
        if (entry & PTE_PRESENT && !(entry & PTE_LARGE))
            table_destroy(entry & PTE_ADDRESS, level - 1);
    }
    page_free(table);
}

void space_destroy(struct space *space) {
    if (space->user_root)
        page_free(space->user_root);
    uint64_t *root = table_at(space->root), *kernel = table_at(space_kernel.root);
    if (space->tables <= SPACE_TABLES) {
        for (uint32_t i = 0; i < space->tables; i++)
            page_free((uint64_t)space->table[i] * PAGE_BYTES);
        page_free(space->root);
        space->root = PAGE_NONE;
        return;
    }
    for (int i = 0; i < ROOT_KERNEL_HALF; i++)
        if (root[i] & PTE_PRESENT && (root[i] ^ kernel[i]) & PTE_ADDRESS) /* not shared */
            table_destroy(root[i] & PTE_ADDRESS, 2);
    page_free(space->root);
    space->root = PAGE_NONE;
}

static bool cpu_has_1g_pages(void) {
    uint32_t leaf[4];
    x86_cpuid(0x80000001, 0, leaf);
    return leaf[3] >> 26 & 1;
}

static void map_kernel(uint64_t va, uint64_t pa, uint64_t bytes, uint32_t bits, uint32_t access) {
    if (!space_map(&space_kernel, va, pa, bytes, bits, access))
        run_end(RESULT_FAILED, "no memory for the kernel's page tables; give the guest more");
}

static void map_segment(const uint8_t *start, const uint8_t *end, uint32_t bits, uint32_t access) {
    uint64_t pa = kernel_address(start);
    uint64_t bytes = round_up((uint64_t)(end - start), 1ull << bits);
    map_kernel(KERNEL_VA + pa, pa, bytes, bits, access);
    if (access & SPACE_WRITE)
        return;
    /* The map of physical memory must not be a way round the protection of text and constants. */
    uint32_t alias_bits;
    for (uint64_t done = 0; done < bytes; done += 1ull << alias_bits) {
        uint64_t *alias = space_entry(&space_kernel, PHYS_VA + pa + done, &alias_bits);
        *alias &= ~PTE_WRITE;
    }
}

uint32_t space_init(uint32_t page_bits) {
    bool identity = page_bits == PLAN_PAGES_LARGEST || page_bits == PLAN_PAGES_1G;
    if (page_bits == PLAN_PAGES_1G && !cpu_has_1g_pages())
        run_end(RESULT_UNAVAILABLE, "needs 1 GiB pages, which this CPU lacks");
    if (identity)
        page_bits = cpu_has_1g_pages() ? PLAN_PAGES_1G : PLAN_PAGES_2M;
    space_kernel.root = space_kernel.load = page_alloc_zeroed();
    if (space_kernel.root == PAGE_NONE)
        run_end(RESULT_FAILED, "no memory for the kernel's page tables; give the guest more");
    uint64_t memory = round_up(page_memory_end(), 1ull << page_bits);
    if (!space_walk(&space_kernel, HEAP0_VA, 2) || !space_walk(&space_kernel, 0, 2))
        run_end(RESULT_FAILED, "no memory for the kernel's page tables; give the guest more");
    map_kernel(PHYS_VA, 0, memory, page_bits, SPACE_WRITE);
    if (identity) {
        /* As near to paging switched off as long mode gets: nothing is protected from anything. */
        map_kernel(0, 0, memory, page_bits, SPACE_WRITE | SPACE_EXECUTE);
        map_kernel(KERNEL_VA, 0, 1ull << PLAN_PAGES_1G, page_bits, SPACE_WRITE | SPACE_EXECUTE);
    } else {
        map_segment(kernel_text, kernel_text_end, page_bits, SPACE_EXECUTE);
        map_segment(kernel_rodata, kernel_rodata_end, page_bits, 0);
        map_segment(kernel_data, kernel_end, page_bits, SPACE_WRITE);
    }
    x86_write_cr3(space_kernel.root);
    return page_bits;
}
