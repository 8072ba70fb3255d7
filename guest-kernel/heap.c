/* The exchange heap's allocator. Who owns a block is decided in sip.c and channel.c. */
#include "heap.h"
#include "events.h"
#include "kernel.h"
#include "page.h"
#include "thread.h"
#include "tlb.h"
#include "x86.h"

#define UNITS_PER_PAGE (PAGE_BYTES / HEAP_UNIT_BYTES)

struct heap *heap_table[HEAPS];
static uint32_t heaps_of_channels;

static bool of_channel(const struct heap *heap) { return heap->number >= HEAPS_OF_DOMAINS; }

static inline struct heap_page *page_of(struct heap *heap, uint32_t page) {
    return &heap->meta[page / HEAP_META_PAGES][page % HEAP_META_PAGES];
}

static inline block_t block_name(const struct heap *heap, uint32_t page, uint32_t unit) {
    return (uint64_t)heap->number << 32 | (page * UNITS_PER_PAGE + unit);
}

static inline uint32_t block_page(block_t block) { return (uint32_t)block / UNITS_PER_PAGE; }

bool heap_create(struct heap *heap, uint32_t number, struct space *space, uint32_t page_bits,
                 uint32_t access) {
    *heap = (struct heap){0};
    heap->va = number ? HEAP_VA + (uint64_t)number * HEAP_STRIDE : HEAP0_VA;
    if (space == &space_kernel && access & SPACE_USER)
        heap->va += RING3_VA;
    heap->number = number;
    heap->limit = HEAP_PAGES;
    heap->page_bits = page_bits;
    heap->space[0] = space;
    heap->access[0] = access;
    heap->flags[0] = space_flags(access);
    heap->guarded = space != &space_kernel && page_bits == PLAN_PAGES_4K;
    heap->top = 1; /* page 0 is never used, so that no block's name is BLOCK_NONE */
    uint64_t meta = page_alloc_zeroed();
    if (meta == PAGE_NONE)
        return false;
    heap->meta[0] = phys_pointer(meta);
    heap_table[number] = heap;
    if (of_channel(heap))
        heaps_of_channels++;
    return true;
}

bool heap_create_identity(struct heap *heap, uint32_t number, struct space *space) {
    const uint64_t chunks = HEAP_PAGES * PAGE_BYTES / CHUNK_BYTES;
    if (!heap_create(heap, number, space, PLAN_PAGES_4K, SPACE_WRITE))
        return false;
    uint64_t pa = chunk_alloc(chunks);
    if (pa == PAGE_NONE)
        return false;
    heap->fixed = heap->va = pa;
    return true;
}

void heap_share(struct heap *heap, struct space *space, uint32_t access) {
    ASSERT(heap->top == 1);
    heap->space[1] = space;
    heap->access[1] = access;
    heap->flags[1] = space_flags(access);
}

/* Where the spaces that it was mapped in go on, nothing of it may stay mapped. */
static void heap_unmap(struct heap *heap) {
    for (int i = 0; i < 2 && heap->space[i]; i++) {
        space_unmap(heap->space[i], heap->va, (uint64_t)heap->top * PAGE_BYTES);
        tlb_forget_space(heap->space[i]);
    }
}

void heap_destroy(struct heap *heap) {
    if (of_channel(heap) || (heap->space[0] == &space_kernel && !heap->fixed))
        heap_unmap(heap);
    uint32_t pages_per_frame = 1u << (heap->page_bits - 12);
    for (uint32_t page = 0; page < heap->top; page++) {
        struct heap_page *meta = page_of(heap, page);
        if (!meta->frame || heap->fixed)
            continue;
        if (pages_per_frame == 1)
            page_free((uint64_t)meta->frame * PAGE_BYTES);
        else if (page % pages_per_frame == 0)
            chunk_free((uint64_t)meta->frame * PAGE_BYTES, 1);
    }
    if (heap->fixed)
        chunk_free(heap->fixed, HEAP_PAGES * PAGE_BYTES / CHUNK_BYTES);
    for (uint32_t i = 0; i < HEAP_PAGES / HEAP_META_PAGES; i++)
        if (heap->meta[i])
            page_free(phys_address(heap->meta[i]));
    heap_table[heap->number] = NULL;
    if (of_channel(heap))
        heaps_of_channels--;
}

void heap_forget_space(const struct space *space) {
    for (uint32_t i = HEAPS_OF_DOMAINS; heaps_of_channels && i < HEAPS; i++) {
        struct heap *heap = heap_table[i];
        if (!heap || (heap->space[0] != space && heap->space[1] != space))
            continue;
        if (heap->space[0] == space) {
            heap->space[0] = heap->space[1];
            heap->access[0] = heap->access[1];
            heap->flags[0] = heap->flags[1];
        }
        heap->space[1] = NULL;
    }
}

static bool map_everywhere(struct heap *heap, uint32_t page, uint64_t pa, uint64_t bytes) {
    for (int i = 0; i < 2 && heap->space[i]; i++)
        if (!space_map(heap->space[i], heap->va + (uint64_t)page * PAGE_BYTES, pa, bytes,
                       heap->page_bits, heap->access[i]))
            return false;
    return true;
}

/* Guarded: makes sure that there are page tables for a page, and remembers them. */
static bool page_reach(struct heap *heap, uint32_t page) {
    uint64_t **table = &heap->table[page / HEAP_TABLE_PAGES];
    if (*table)
        return true;
    uint64_t *entry = space_reach(heap->space[0], heap->va + (uint64_t)page * PAGE_BYTES);
    *table = (uint64_t *)((uint64_t)entry & ~(uint64_t)(PAGE_BYTES - 1));
    return entry;
}

/* Makes sure that there is metadata for a page. */
static bool heap_meta(struct heap *heap, uint32_t page) {
    if (heap->meta[page / HEAP_META_PAGES])
        return true;
    uint64_t meta = page_alloc_zeroed();
    if (meta == PAGE_NONE)
        return false;
    heap->meta[page / HEAP_META_PAGES] = phys_pointer(meta);
    return true;
}

/* Puts memory behind the pages up to and including `page`, in order. */
static bool heap_back(struct heap *heap, uint32_t page) {
    if (!heap_meta(heap, page))
        return false;
    struct heap_page *meta = page_of(heap, page);
    if (meta->frame)
        return true;
    if (heap->fixed) {
        meta->frame = (uint32_t)(heap->fixed / PAGE_BYTES + page);
        return true;
    }
    if (heap->page_bits == PLAN_PAGES_4K) {
        uint64_t pa = page_alloc_zeroed();
        if (pa == PAGE_NONE)
            return false;
        bool mapped =
            heap->guarded ? page_reach(heap, page) : map_everywhere(heap, page, pa, PAGE_BYTES);
        if (!mapped) {
            page_free(pa);
            return false;
        }
        meta->frame = (uint32_t)(pa / PAGE_BYTES);
        return true;
    }
    uint32_t first = page & ~(CHUNK_BYTES / PAGE_BYTES - 1);
    uint64_t pa = chunk_alloc(1);
    if (pa == PAGE_NONE)
        return false;
    memset(phys_pointer(pa), 0, CHUNK_BYTES);
    for (uint32_t i = 0; i < CHUNK_BYTES / PAGE_BYTES; i += HEAP_META_PAGES)
        if (!heap_meta(heap, first + i)) {
            chunk_free(pa, 1);
            return false;
        }
    if (!map_everywhere(heap, first, pa, CHUNK_BYTES)) {
        chunk_free(pa, 1);
        return false;
    }
    for (uint32_t i = 0; i < CHUNK_BYTES / PAGE_BYTES; i++)
        page_of(heap, first + i)->frame = (uint32_t)(pa / PAGE_BYTES + i);
    return true;
}

/* ---- guarded heaps, all of one space: the pages of a run are mapped only while its bytes are used ---- */

static inline uint64_t *entry_of(struct heap *heap, uint32_t page) {
    return &heap->table[page / HEAP_TABLE_PAGES][page % HEAP_TABLE_PAGES];
}

static inline void run_show(struct heap *heap, uint32_t page, uint32_t pages) {
    page_of(heap, page)->shown = pages;
    for (uint32_t i = page; i < page + pages; i++)
        *entry_of(heap, i) = (uint64_t)page_of(heap, i)->frame * PAGE_BYTES | heap->flags[0];
}

static inline void run_hide(struct heap *heap, bool current, uint32_t page) {
    uint32_t pages = (uint32_t)page_of(heap, page)->shown;
    for (uint32_t i = page; i < page + pages; i++) {
        *entry_of(heap, i) = 0;
        tlb_forget_page(heap->space[0], current, heap->va + (uint64_t)i * PAGE_BYTES);
    }
}

static void run_push(struct heap *heap, uint32_t page, uint32_t order) {
    struct heap_page *meta = page_of(heap, page);
    meta->state = HEAP_PAGE_FREE;
    meta->order = (uint8_t)order;
    meta->next = heap->run[order];
    heap->run[order] = (uint16_t)page;
}

/* A small page whose blocks are all unused has this in `unused`. */
static uint64_t class_all(uint32_t class) {
    uint64_t all = 0;
    for (uint32_t unit = 0; unit < UNITS_PER_PAGE; unit += 1u << class)
        all |= 1ull << unit;
    return all;
}

/* Puts memory behind a bare run, which becomes a free one. */
static bool run_back(struct heap *heap, uint32_t page, uint32_t order) {
    for (uint32_t i = 0; i < 1u << order; i++) {
        struct heap_page *meta = page_of(heap, page + i);
        uint64_t pa = meta->frame ? PAGE_NONE : page_alloc_zeroed();
        if (pa != PAGE_NONE)
            meta->frame = (uint32_t)(pa / PAGE_BYTES);
        if (!meta->frame)
            return false;
    }
    heap->bare[order] = page_of(heap, page)->next;
    page_of(heap, page)->state = HEAP_PAGE_FREE;
    return true;
}

/* Joins everything that is free: the one pass that is not constant time. */
static void heap_join(struct heap *heap) {
    memset(heap->run, 0, sizeof heap->run);
    memset(heap->small, 0, sizeof heap->small);
    for (uint32_t order = 0; order < HEAP_ORDERS; order++)
        while (heap->bare[order] && run_back(heap, heap->bare[order], order))
            ;
    for (uint32_t page = 1; page < heap->top;) {
        struct heap_page *meta = page_of(heap, page);
        if (meta->state == HEAP_PAGE_SMALL && meta->unused == class_all(meta->order)) {
            meta->state = HEAP_PAGE_FREE;
            meta->order = 0;
        }
        uint32_t pages = meta->state == HEAP_PAGE_SMALL ? 1 : 1u << meta->order;
        if (meta->state == HEAP_PAGE_SMALL && meta->unused) {
            meta->next = heap->small[meta->order];
            heap->small[meta->order] = (uint16_t)page;
        }
        page += pages;
    }
    for (uint32_t order = 0; order + 1 < HEAP_ORDERS; order++)
        for (uint32_t page = 0; page + (2u << order) <= heap->top; page += 2u << order) {
            struct heap_page *left = page_of(heap, page),
                             *right = page_of(heap, page + (1u << order));
            if (page && left->state == HEAP_PAGE_FREE && right->state == HEAP_PAGE_FREE &&
                left->order == order && right->order == order) {
                left->order++;
                right->state = HEAP_PAGE_INNER;
            }
        }
    for (uint32_t page = 1; page < heap->top;) {
        struct heap_page *meta = page_of(heap, page);
        uint32_t order = meta->order;
        bool small = meta->state == HEAP_PAGE_SMALL;
        if (meta->state == HEAP_PAGE_FREE)
            run_push(heap, page, order);
        page += small ? 1 : 1u << order;
    }
}

/* The smallest free run of at least `order`, cut to size; 0: none. */
static uint32_t run_split(struct heap *heap, uint32_t order) {
    uint32_t have = order;
    while (have < HEAP_ORDERS && !heap->run[have])
        have++;
    if (have == HEAP_ORDERS)
        return 0;
    uint32_t page = heap->run[have];
    heap->run[have] = page_of(heap, page)->next;
    while (have > order) {
        have--;
        run_push(heap, page + (1u << have), have);
    }
    return page;
}

/* Pages that were never used, aligned to their size; what lies before them becomes free runs. */
static uint32_t run_grow(struct heap *heap, uint32_t order) {
    uint32_t pages = 1u << order;
    uint32_t page = (heap->top + pages - 1) & ~(pages - 1);
    if (page + pages > heap->limit)
        return 0;
    while (heap->top < page + pages) {
        if (!heap_back(heap, heap->top))
            return 0;
        if (heap->top < page)
            run_push(heap, heap->top, 0);
        else
            page_of(heap, heap->top)->state = HEAP_PAGE_INNER;
        heap->top++;
    }
    return page;
}

static uint32_t run_alloc(struct heap *heap, uint32_t order) {
    uint32_t page = heap->run[order], bare = heap->bare[order];
    if (page) {
        heap->run[order] = page_of(heap, page)->next;
    } else if (bare && run_back(heap, bare, order)) {
        page = bare; /* its memory was given away */
    } else {
        uint32_t top = heap->top;
        page = run_grow(heap, order);
        if (!page) {
            for (; top < heap->top; top++) /* pages that a failed growth left behind */
                if (page_of(heap, top)->state == HEAP_PAGE_INNER)
                    run_push(heap, top, 0);
            page = run_split(heap, order);
        }
        if (!page) {
            heap_join(heap);
            page = run_split(heap, order);
        }
        if (!page)
            return 0;
    }
    struct heap_page *meta = page_of(heap, page);
    meta->state = HEAP_PAGE_RUN;
    meta->order = (uint8_t)order;
    return page;
}

static inline uint32_t order_for(uint64_t bytes) {
    return bytes <= PAGE_BYTES ? 0 : 52u - (uint32_t)__builtin_clzll(bytes - 1);
}

static inline uint32_t pages_for(uint64_t bytes) {
    return (uint32_t)((bytes + PAGE_BYTES - 1) / PAGE_BYTES);
}

block_t heap_reserve(struct heap *heap, uint64_t bytes) {
    if (bytes > HEAP_MAX_BLOCK_BYTES)
        return BLOCK_NONE;
    uint32_t page = run_alloc(heap, order_for(bytes));
    if (!page)
        return BLOCK_NONE;
    page_of(heap, page)->shown = 0;
    return block_name(heap, page, 0);
}

void heap_show(struct heap *heap, block_t block, uint64_t bytes) {
    run_show(heap, block_page(block), pages_for(bytes));
}

block_t heap_alloc(struct heap *heap, uint64_t bytes) {
    if (bytes > PAGE_BYTES / 2 || heap->guarded) {
        if (bytes > HEAP_MAX_BLOCK_BYTES)
            return BLOCK_NONE;
        uint32_t order = order_for(bytes);
        uint32_t page = run_alloc(heap, order);
        if (page && heap->guarded)
            run_show(heap, page, pages_for(bytes));
        return page ? block_name(heap, page, 0) : BLOCK_NONE;
    }
    uint32_t class = bytes <= HEAP_UNIT_BYTES ? 0 : 58u - (uint32_t)__builtin_clzll(bytes - 1);
    uint32_t page = heap->small[class];
    if (!page) {
        page = run_alloc(heap, 0);
        if (!page)
            return BLOCK_NONE;
        struct heap_page *fresh = page_of(heap, page);
        fresh->state = HEAP_PAGE_SMALL;
        fresh->order = (uint8_t) class;
        fresh->unused = class_all(class);
        fresh->next = heap->small[class]; /* a join may have found some after all */
        heap->small[class] = (uint16_t)page;
    }
    struct heap_page *meta = page_of(heap, page);
    uint32_t unit = (uint32_t)__builtin_ctzll(meta->unused);
    meta->unused &= meta->unused - 1;
    if (!meta->unused)
        heap->small[class] = meta->next;
    return block_name(heap, page, unit);
}

void heap_free(block_t block) {
    struct heap *heap = heap_of(block);
    uint32_t page = block_page(block), unit = (uint32_t)block % UNITS_PER_PAGE;
    struct heap_page *meta = page_of(heap, page);
    if (meta->state == HEAP_PAGE_SMALL) {
        ASSERT(!(meta->unused >> unit & 1));
        if (!meta->unused) {
            meta->next = heap->small[meta->order];
            heap->small[meta->order] = (uint16_t)page;
        }
        meta->unused |= 1ull << unit;
    } else {
        ASSERT(meta->state == HEAP_PAGE_RUN && unit == 0);
        if (heap->guarded)
            run_hide(heap, thread_current->root == heap->space[0]->load, page);
        run_push(heap, page, meta->order);
    }
    if (heap->live && --heap->live == 0)
        heap->emptied(heap);
}

/* A run of addresses without memory: one that is free, or pages that were never used. */
static uint32_t bare_alloc(struct heap *heap, uint32_t order) {
    uint16_t *list = heap->bare[order] ? &heap->bare[order] : &heap->run[order];
    uint32_t page = *list;
    if (page) { /* a free run will do: or the memory of what is received would only pile up */
        *list = page_of(heap, page)->next;
        for (uint32_t i = page; i < page + (1u << order); i++) {
            if (page_of(heap, i)->frame)
                page_free((uint64_t)page_of(heap, i)->frame * PAGE_BYTES);
            page_of(heap, i)->frame = 0;
        }
        return page;
    }
    uint32_t pages = 1u << order;
    page = (heap->top + pages - 1) & ~(pages - 1);
    if (page + pages > heap->limit)
        return 0;
    for (; heap->top < page; heap->top++) {
        if (!heap_back(heap, heap->top))
            return 0;
        run_push(heap, heap->top, 0);
    }
    for (uint32_t i = 0; i < pages; i++) {
        if (!heap_meta(heap, page + i) || !page_reach(heap, page + i))
            return 0;
        page_of(heap, page + i)->state = HEAP_PAGE_INNER;
    }
    heap->top += pages;
    return page;
}

block_t heap_remap(struct heap *to, block_t block) {
    struct heap *from = heap_of(block);
    uint32_t page = block_page(block), order = page_of(from, page)->order;
    ASSERT(from->guarded && to->guarded && page_of(from, page)->state == HEAP_PAGE_RUN);
    uint32_t target = bare_alloc(to, order);
    if (!target)
        return BLOCK_NONE;
    run_hide(from, tlb_is_current(from->space[0]), page);
    for (uint32_t i = 0; i < 1u << order; i++) {
        struct heap_page *giver = page_of(from, page + i);
        page_of(to, target + i)->frame = giver->frame;
        giver->frame = 0;
    }
    run_show(to, target, (uint32_t)page_of(from, page)->shown);
    struct heap_page *given = page_of(from, page), *taken = page_of(to, target);
    given->state = HEAP_PAGE_BARE;
    given->next = from->bare[order];
    from->bare[order] = (uint16_t)page;
    taken->state = HEAP_PAGE_RUN;
    taken->order = (uint8_t)order;
    return block_name(to, target, 0);
}

uint64_t heap_block_bytes(block_t block) {
    const struct heap_page *meta = page_of(heap_of(block), block_page(block));
    return meta->state == HEAP_PAGE_SMALL ? (uint64_t)HEAP_UNIT_BYTES << meta->order
                                          : (uint64_t)PAGE_BYTES << meta->order;
}

/* The kernel's pointer to byte `offset` of a block. */
static inline void *block_at(struct heap *heap, block_t block, uint64_t offset) {
    uint64_t at = (uint64_t)(uint32_t)block * HEAP_UNIT_BYTES + offset;
    uint64_t frame = page_of(heap, (uint32_t)(at / PAGE_BYTES))->frame;
    return phys_pointer(frame * PAGE_BYTES + at % PAGE_BYTES);
}

struct abi_message *heap_message(block_t block) {
    return block_at(heap_of(block), block, 0);
}

void heap_copy(block_t to, block_t from, uint64_t bytes) {
    struct heap *to_heap = heap_of(to), *from_heap = heap_of(from);
    for (uint64_t done = 0; done < bytes;) {
        /* Blocks of a page and more start on a page; smaller ones lie within one. */
        uint64_t part = bytes - done < PAGE_BYTES ? bytes - done : PAGE_BYTES;
        memcpy(block_at(to_heap, to, done), block_at(from_heap, from, done), part);
        done += part;
    }
}

void heap_zero(block_t block, uint64_t bytes) {
    struct heap *heap = heap_of(block);
    for (uint64_t done = 0; done < bytes;) {
        uint64_t part = bytes - done < PAGE_BYTES ? bytes - done : PAGE_BYTES;
        memset(block_at(heap, block, done), 0, part);
        done += part;
    }
}
