/*
 * The exchange heap: memory that moves between SIPs. One heap is shared by the ring-0 domains; other
 * domains have their own, and a channel with `shared` transfer has one that its two ends map. A block
 * belongs to whoever holds its name: a slot of one SIP, or one ring entry in flight. The heap itself
 * keeps no owner, so that giving a block away touches no table here.
 *
 * Small blocks (up to 2 KiB) are cut from pages of one size class; larger ones are runs of a power of
 * two of pages, adjacent in virtual memory only. Allocation and release take constant time while the
 * heap can grow; when it cannot, one pass over its pages joins what is free.
 *
 * A guarded heap (that of a domain with its own space and 4 KiB pages) gives each block pages of its
 * own, mapped only while the block is allocated: a use after the block was sent or freed faults. Its
 * runs may also lack memory (bare), which is how whole pages change hands between two heaps.
 */
#ifndef BULKHEAD_HEAP_H
#define BULKHEAD_HEAP_H

#include "sip/abi.h"
#include "space.h"
#include <stdbool.h>
#include <stdint.h>

#define HEAP_UNIT_BYTES 64
#define HEAP_PAGES 4096      /* 16 MiB: the most that one heap holds */
#define HEAP_META_PAGES 256  /* heap pages that one page of metadata describes */
#define HEAP_TABLE_PAGES 512 /* that one page table maps */
#define HEAP_CLASSES 6       /* 64 B ... 2 KiB */
#define HEAP_ORDERS 8        /* 4 KiB ... 512 KiB */
#define HEAP_MAX_BLOCK_BYTES ((uint64_t)PAGE_BYTES << (HEAP_ORDERS - 1))

/* A block's name: heap number << 32 | first unit. Never 0: unit 0 is not handed out. */
typedef uint64_t block_t;
#define BLOCK_NONE 0ull

struct heap_page { /* what is known of one page */
    union {
        uint64_t unused; /* small: bit per unit that starts an unused block */
        uint64_t shown;  /* run of a guarded heap: how many of its pages are mapped */
    };
    uint32_t frame; /* physical address / PAGE_BYTES; 0: bare */
    uint16_t next;  /* in a free list or a class's list; 0 at the end */
    uint8_t state;  /* enum heap_page_state */
    uint8_t order;  /* small: size class; free, bare and run: log2 of pages */
};
enum heap_page_state {
    HEAP_PAGE_INNER,
    HEAP_PAGE_FREE,
    HEAP_PAGE_BARE,
    HEAP_PAGE_RUN,
    HEAP_PAGE_SMALL
};

struct heap {
    uint64_t va; /* of page 0 */
    uint32_t number;
    uint32_t top;       /* first page never used */
    uint32_t limit;     /* pages it may grow to */
    uint32_t page_bits; /* of its mappings */
    bool guarded;
    uint32_t live;                  /* of a channel alone: blocks that are allocated */
    void (*emptied)(struct heap *); /* called when there are none any more */
    uint64_t fixed;                 /* identity layouts: physical address of page 0, else 0 */
    struct space *space[2]; /* where it is mapped; the second NULL but for a shared channel's */
    uint32_t access[2];     /* and with which rights */
    uint64_t flags[2];      /* of its page-table entries there */
    uint64_t *table[HEAP_PAGES / HEAP_TABLE_PAGES];       /* guarded: its page tables in space[0] */
    uint16_t small[HEAP_CLASSES];                         /* pages of a class with unused blocks */
    uint16_t run[HEAP_ORDERS];                            /* free runs */
    uint16_t bare[HEAP_ORDERS];                           /* free runs without memory */
    struct heap_page *meta[HEAP_PAGES / HEAP_META_PAGES]; /* a page each; NULL until needed */
};

/* Makes an empty heap; memory is taken as it grows. False: no memory for it. */
bool heap_create(struct heap *heap, uint32_t number, struct space *space, uint32_t page_bits,
                 uint32_t access);
/* As heap_create, for a kernel without paging in effect: a fixed stretch of identity memory. */
bool heap_create_identity(struct heap *heap, uint32_t number, struct space *space);
/* Maps the heap, empty yet, into a second space too. */
void heap_share(struct heap *heap, struct space *space, uint32_t access);
/* Unmaps it all and gives its memory back; the caller knows that no block is in use. */
void heap_destroy(struct heap *heap);
/* A space that is about to go: the heaps of channels that are mapped there forget it. */
void heap_forget_space(const struct space *space);

/* A block of at least `bytes`, or BLOCK_NONE. Contents are whatever was there. */
block_t heap_alloc(struct heap *heap, uint64_t bytes);
void heap_free(block_t block);
/*
 * In two steps, of a guarded heap: room for at least `bytes`, and once it is known how many are used,
 * those are mapped. A large block for a short message then costs as much as the message is long.
 */
block_t heap_reserve(struct heap *heap, uint64_t bytes);
void heap_show(struct heap *heap, block_t block, uint64_t bytes);
uint64_t heap_block_bytes(block_t block);

/*
 * Moves the memory behind a block of a guarded heap to a block of another, without copying; the old
 * block is free then. BLOCK_NONE, with nothing changed, if the other heap has no room for it.
 */
block_t heap_remap(struct heap *to, block_t block);

/*
 * Heaps by number, so that a block's name leads to its heap: those of domains, those of channels with
 * shared transfer, and one for tests.
 */
#define HEAPS_OF_DOMAINS 192
#define HEAPS_OF_CHANNELS 128
#define HEAPS (HEAPS_OF_DOMAINS + HEAPS_OF_CHANNELS + 1)
extern struct heap *heap_table[HEAPS];

static inline struct heap *heap_of(block_t block) { return heap_table[block >> 32]; }
static inline uint64_t heap_va(block_t block) {
    return heap_of(block)->va + (uint64_t)(uint32_t)block * HEAP_UNIT_BYTES;
}
/* The kernel's own view of a block's first bytes; valid to the end of its page. */
struct abi_message *heap_message(block_t block);
/* A block of up to so many bytes lies within one page. */
#define HEAP_ONE_PAGE_BYTES PAGE_BYTES
/* Copies the first `bytes` of one block to another, page by page through the map of memory. */
void heap_copy(block_t to, block_t from, uint64_t bytes);
void heap_zero(block_t block, uint64_t bytes);

#endif
