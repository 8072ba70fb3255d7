/*
 * Physical memory: 2 MiB chunks, and 4 KiB pages carved from them. Both in constant time except for a
 * run of several chunks, which is searched for. Contents are not cleared unless it says so.
 */
#ifndef BULKHEAD_PAGE_H
#define BULKHEAD_PAGE_H

#include <stdint.h>

#define PAGE_NONE 0 /* physical page 0 is never handed out */

void page_init(void);
/* Gives [pa, pa + bytes) to the allocator, whole chunks only; page_reserve() takes some back. */
void page_add(uint64_t pa, uint64_t bytes);
void page_reserve(uint64_t pa, uint64_t bytes);

uint64_t page_alloc(void); /* PAGE_NONE when memory is exhausted */
uint64_t page_alloc_zeroed(void);
void page_free(uint64_t pa);

uint64_t chunk_alloc(uint64_t count); /* `count` adjacent chunks, or PAGE_NONE */
void chunk_free(uint64_t pa, uint64_t count);

uint64_t page_free_count(void); /* in 4 KiB pages, chunks included */
uint64_t page_memory_end(void); /* the first address above all memory that was added */

#endif
