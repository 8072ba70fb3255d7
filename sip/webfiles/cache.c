/* The block cache: a table of chains to find a line, a list from newest to oldest to replace one. */
#include "cache.h"

#include <string.h>

#define NONE 0xffu

_Static_assert(CACHE_LINES < NONE, "a line's number fits a byte");
_Static_assert(CACHE_KEPT < CACHE_LINES, "what is kept fits");

void cache_init(struct cache *cache) {
    memset(cache->head, NONE, sizeof cache->head);
    for (uint32_t i = 0; i < CACHE_LINES; i++)
        cache->line[i] =
            (struct cache_line){.next = NONE,
                                .newer = (uint8_t)(i ? i - 1 : NONE),
                                .older = (uint8_t)(i + 1 < CACHE_LINES ? i + 1 : NONE)};
    cache->newest = 0;
    cache->oldest = CACHE_LINES - 1;
    cache->dirty = 0;
    cache->hits = cache->misses = 0;
}

static uint8_t *chain_of(struct cache *cache, uint32_t block) {
    return &cache->head[block % CACHE_HEADS];
}

static uint32_t find(struct cache *cache, uint32_t block) {
    uint32_t at = *chain_of(cache, block);
    while (at != NONE && cache->line[at].block != block)
        at = cache->line[at].next;
    return at;
}

static void unchain(struct cache *cache, uint32_t which) {
    struct cache_line *line = &cache->line[which];
    uint8_t *link = chain_of(cache, line->block);
    while (*link != which)
        link = &cache->line[*link].next;
    *link = line->next;
    line->valid = false;
}

static void make_newest(struct cache *cache, uint32_t which) {
    struct cache_line *line = &cache->line[which];
    if (cache->newest == which)
        return;
    cache->line[line->newer].older = line->older;
    if (line->older == NONE)
        cache->oldest = line->newer;
    else
        cache->line[line->older].newer = line->newer;
    line->newer = NONE;
    line->older = cache->newest;
    cache->line[cache->newest].newer = (uint8_t)which;
    cache->newest = (uint8_t)which;
}

static int clean(struct cache *cache, uint32_t which) {
    struct cache_line *line = &cache->line[which];
    if (!line->valid || !line->dirty)
        return 0;
    int error = disk_write(line->block, 1, cache->data[which]);
    if (error)
        return error;
    line->dirty = false;
    cache->dirty--;
    return 0;
}

/* The oldest line, empty, as the newest; NONE with *error if it holds what cannot be written. */
static uint32_t make_room(struct cache *cache, int *error) {
    uint32_t which = cache->oldest;
    *error = clean(cache, which);
    if (*error)
        return NONE;
    if (cache->line[which].valid)
        unchain(cache, which);
    make_newest(cache, which);
    return which;
}

static void *fill(struct cache *cache, uint32_t which, uint32_t block) {
    struct cache_line *line = &cache->line[which];
    uint8_t *chain = chain_of(cache, block);
    line->block = block;
    line->valid = true;
    line->dirty = false;
    line->next = *chain;
    *chain = (uint8_t)which;
    return cache->data[which];
}

void *cache_get(struct cache *cache, uint32_t block, int *error) {
    uint32_t which = find(cache, block);
    if (which != NONE) {
        cache->hits++;
        make_newest(cache, which);
        return cache->data[which];
    }
    cache->misses++;
    which = make_room(cache, error);
    if (which == NONE)
        return NULL;
    *error = disk_read(block, 1, cache->data[which]);
    return *error ? NULL : fill(cache, which, block);
}

void *cache_fresh(struct cache *cache, uint32_t block, int *error) {
    uint32_t which = find(cache, block);
    void *data;
    if (which != NONE) {
        make_newest(cache, which);
        data = cache->data[which];
    } else {
        which = make_room(cache, error);
        if (which == NONE)
            return NULL;
        data = fill(cache, which, block);
    }
    memset(data, 0, EXT2_BLOCK_BYTES);
    cache_dirty(cache, data);
    return data;
}

void cache_dirty(struct cache *cache, const void *data) {
    uint32_t which = (uint32_t)((const uint8_t *)data - cache->data[0]) / EXT2_BLOCK_BYTES;
    if (!cache->line[which].dirty)
        cache->dirty++;
    cache->line[which].dirty = true;
}

int cache_sync(struct cache *cache) {
    int error = 0;
    for (uint32_t i = 0; i < CACHE_LINES && cache->dirty; i++) {
        int failed = clean(cache, i);
        if (failed)
            error = failed;
    }
    return error;
}

int cache_settle(struct cache *cache, uint32_t block, uint32_t count) {
    int error = 0;
    for (uint32_t i = 0; i < count && cache->dirty && !error; i++) {
        uint32_t which = find(cache, block + i);
        if (which != NONE)
            error = clean(cache, which);
    }
    return error;
}

void cache_forget(struct cache *cache, uint32_t block, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t which = find(cache, block + i);
        if (which == NONE)
            continue;
        if (cache->line[which].dirty)
            cache->dirty--;
        cache->line[which].dirty = false;
        unchain(cache, which);
    }
}
