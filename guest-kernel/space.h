/*
 * Address spaces: page-table roots and the mappings below them. The kernel's half is the same in
 * every space and supervisor-only. Source: AMD64 manual volume 2, chapter 5; Intel SDM 3A, chapter 4.
 */
#ifndef BULKHEAD_SPACE_H
#define BULKHEAD_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#define PTE_PRESENT 0x1ull
#define PTE_WRITE 0x2ull
#define PTE_USER 0x4ull
#define PTE_UNCACHED 0x10ull
#define PTE_DIRTY 0x40ull
#define PTE_LARGE 0x80ull
#define PTE_GLOBAL 0x100ull
#define PTE_KEY_SHIFT 59
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

enum space_access { /* bits */
    SPACE_WRITE = 1,
    SPACE_EXECUTE = 2,
    SPACE_USER = 4,
    SPACE_KEY = 16, /* times the protection key, 0..15 */
};

#define SPACE_TABLES 40
struct space {
    uint64_t root;                /* physical address */
    uint64_t load;                /* the value of CR3: with a tag, and CR3_KEEP */
    uint64_t user_root;           /* KPTI: the root that ring 3 runs on, 0: none */
    uint64_t user_load;           /* and its value of CR3 */
    uint32_t pcid;                /* the tag; the user's root has the next one */
    bool tagged;                  /* `tag: pcid`, be it simulated */
    uint32_t tables;              /* in the list below; more than fit: found by a walk */
    uint32_t table[SPACE_TABLES]; /* frames of the tables below the root */
};

extern struct space space_kernel; /* root of the kernel's own domain */

/*
 * Builds space_kernel with pages of 1 << page_bits, or the largest identity pages when page_bits is
 * PLAN_PAGES_LARGEST, and enters it. Returns the log2 of the page size that it used.
 */
uint32_t space_init(uint32_t page_bits);

/* A new space with the kernel's half; with_ring0_heap also shares the ring-0 heap and identity map. */
bool space_create(struct space *space, bool with_ring0_heap);
/* KPTI: gives a space the second root. */
bool space_create_user_root(struct space *space);
/*
 * Sets the values of CR3. A tag that another space has had is flushed. `keep`: the CPU has tags.
 */
void space_tag(struct space *space, uint32_t pcid, bool keep);
/* KPTI: the tables that map what every user root has of the kernel. */
bool space_trampoline_create(void);
/* Marks the mappings of the kernel's half as global. */
void space_mark_kernel_global(void);
void space_destroy(struct space *space); /* frees the tables, not the pages they map */

/*
 * Maps [va, va + bytes) to [pa, ...) with pages of 1 << page_bits; all are multiples of it. False
 * when there is no memory for tables; what was mapped so far stays.
 */
bool space_map(struct space *space, uint64_t va, uint64_t pa, uint64_t bytes, uint32_t page_bits,
               uint32_t access);
/* Removes whole pages, whatever their size. The caller flushes. */
void space_unmap(struct space *space, uint64_t va, uint64_t bytes);

/* The entry of a 4 KiB page at va, its tables made but nothing mapped. NULL: no memory for them. */
uint64_t *space_reach(struct space *space, uint64_t va);
/* The bits of an entry of a 4 KiB page with these rights, without its address. */
uint64_t space_flags(uint32_t access);

/* The entry that maps va and its page size, or NULL. */
uint64_t *space_entry(const struct space *space, uint64_t va, uint32_t *page_bits);
/* Physical address of va, or PAGE_NONE when it is not mapped. */
uint64_t space_lookup(const struct space *space, uint64_t va);

#endif
