/* The physical allocator. Free pages are linked through their first word; chunks have a byte each. */
#include "page.h"
#include "kernel.h"

#define CHUNKS 2048 /* 4 GiB */
#define PAGES_PER_CHUNK (CHUNK_BYTES / PAGE_BYTES)

enum chunk_state {
    CHUNK_ABSENT,
    CHUNK_FREE,
    CHUNK_USED
};

static uint8_t chunk_states[CHUNKS];
static uint64_t chunk_hint; /* no free chunk below this one */
static uint64_t page_list;  /* first free page, linked by its first word; PAGE_NONE at the end */
static uint64_t carve_at, carve_end; /* the part of a chunk not yet handed out as pages */
static uint64_t free_pages;
static uint64_t memory_end;

void page_init(void) {
    memset(chunk_states, CHUNK_ABSENT, sizeof chunk_states);
    chunk_hint = page_list = carve_at = carve_end = free_pages = memory_end = 0;
}

void page_add(uint64_t pa, uint64_t bytes) {
    uint64_t end = (pa + bytes) / CHUNK_BYTES;
    for (uint64_t chunk = round_up(pa, CHUNK_BYTES) / CHUNK_BYTES; chunk < end && chunk < CHUNKS;
         chunk++) {
        if (chunk_states[chunk] != CHUNK_ABSENT)
            continue;
        chunk_states[chunk] = CHUNK_FREE;
        free_pages += PAGES_PER_CHUNK;
        if (memory_end < (chunk + 1) * CHUNK_BYTES)
            memory_end = (chunk + 1) * CHUNK_BYTES;
    }
}

void page_reserve(uint64_t pa, uint64_t bytes) {
    uint64_t end = round_up(pa + bytes, CHUNK_BYTES) / CHUNK_BYTES;
    for (uint64_t chunk = pa / CHUNK_BYTES; chunk < end && chunk < CHUNKS; chunk++) {
        if (chunk_states[chunk] == CHUNK_FREE) {
            chunk_states[chunk] = CHUNK_USED;
            free_pages -= PAGES_PER_CHUNK;
        }
    }
}

uint64_t page_memory_end(void) { return memory_end; }
uint64_t page_free_count(void) { return free_pages; }

uint64_t chunk_alloc(uint64_t count) {
    uint64_t run = 0;
    bool hint_holds = true;
    for (uint64_t chunk = chunk_hint; chunk < CHUNKS; chunk++) {
        if (chunk_states[chunk] != CHUNK_FREE) {
            run = 0;
            if (hint_holds)
                chunk_hint = chunk + 1;
            continue;
        }
        hint_holds = false;
        if (++run < count)
            continue;
        uint64_t first = chunk + 1 - count;
        memset(chunk_states + first, CHUNK_USED, count);
        free_pages -= count * PAGES_PER_CHUNK;
        return first * CHUNK_BYTES;
    }
    return PAGE_NONE;
}

void chunk_free(uint64_t pa, uint64_t count) {
    uint64_t first = pa / CHUNK_BYTES;
    for (uint64_t chunk = first; chunk < first + count; chunk++) {
        ASSERT(chunk_states[chunk] == CHUNK_USED);
        chunk_states[chunk] = CHUNK_FREE;
    }
    free_pages += count * PAGES_PER_CHUNK;
    if (first < chunk_hint)
        chunk_hint = first;
}

uint64_t page_alloc(void) {
    uint64_t pa = page_list;
    if (pa != PAGE_NONE) {
        page_list = *(uint64_t *)phys_pointer(pa);
    } else {
        if (carve_at == carve_end) {
            uint64_t chunk = chunk_alloc(1);
            if (chunk == PAGE_NONE)
                return PAGE_NONE;
            free_pages += PAGES_PER_CHUNK; /* the chunk is used, its pages are not yet */
            carve_at = chunk;
            carve_end = chunk + CHUNK_BYTES;
        }
        pa = carve_at;
        carve_at += PAGE_BYTES;
    }
    free_pages--;
    return pa;
}

uint64_t page_alloc_zeroed(void) {
    uint64_t pa = page_alloc();
    if (pa != PAGE_NONE)
        memset(phys_pointer(pa), 0, PAGE_BYTES);
    return pa;
}

void page_free(uint64_t pa) {
    ASSERT(pa != PAGE_NONE && pa % PAGE_BYTES == 0 && pa < memory_end);
    *(uint64_t *)phys_pointer(pa) = page_list;
    page_list = pa;
    free_pages++;
}
