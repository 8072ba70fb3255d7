/*
 * The file system's block cache: CACHE_LINES blocks, the least recently used one makes room, changed
 * blocks are written when they make room and by cache_sync(). Every step takes constant time.
 */
#ifndef BULKHEAD_CACHE_H
#define BULKHEAD_CACHE_H

#include "ext2.h"

#include <stdbool.h>

#define CACHE_LINES 64u /* 256 KiB */
#define CACHE_HEADS 128u
#define CACHE_KEPT 16u /* a line that was asked for stays while fewer others are asked for */

/*
 * The block device, which the user of the file system provides. `count` whole blocks from `block`, 1
 * to 16. Return 0 or a negative error of fs.h.
 */
int disk_read(uint32_t block, uint32_t count, void *to);
int disk_write(uint32_t block, uint32_t count, const void *from);

struct cache_line {
    uint32_t block;
    bool valid, dirty;
    uint8_t next; /* in its chain */
    uint8_t newer, older;
};
struct cache {
    struct cache_line line[CACHE_LINES];
    uint8_t head[CACHE_HEADS];
    uint8_t newest, oldest;
    uint32_t dirty;        /* lines that are */
    uint64_t hits, misses; /* of cache_get */
    uint8_t data[CACHE_LINES][EXT2_BLOCK_BYTES] __attribute__((aligned(16)));
};

void cache_init(struct cache *cache);
/* The block's bytes, NULL with *error set if it cannot be read. */
void *cache_get(struct cache *cache, uint32_t block, int *error);
/* The same for a block whose contents do not matter: all zero, and to be written. */
void *cache_fresh(struct cache *cache, uint32_t block, int *error);
/* The block that cache_get() gave was changed. */
void cache_dirty(struct cache *cache, const void *data);
/* Writes what was changed. */
int cache_sync(struct cache *cache);
/* Before `count` blocks are read past the cache: writes those that were changed. */
int cache_settle(struct cache *cache, uint32_t block, uint32_t count);
/* Before `count` blocks are written past the cache: drops what it holds of them. */
void cache_forget(struct cache *cache, uint32_t block, uint32_t count);

#endif
