/*
 * malloc(): first fit in a list of free pieces that is sorted by address, so that neighbours are
 * joined when one is freed. Small and predictable rather than fast.
 */
#include "arena.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNIT 16u /* sizes are multiples of it, and memory is aligned to it */

struct piece {
    size_t bytes;       /* this header included */
    struct piece *next; /* while it is free */
} __attribute__((aligned(UNIT)));
_Static_assert(sizeof(struct piece) == UNIT, "a header is one unit");

static struct piece *free_list;
static char started;

static void start(void) {
    started = 1;
    if (libc_arena_bytes >= 2 * UNIT) {
        free_list = (struct piece *)libc_arena;
        *free_list = (struct piece){libc_arena_bytes & ~(size_t)(UNIT - 1), NULL};
    }
}

void *malloc(size_t bytes) {
    if (!started)
        start();
    if (bytes > libc_arena_bytes) {
        errno = ENOMEM;
        return NULL;
    }
    size_t need = ((bytes ? bytes : 1) + sizeof(struct piece) + UNIT - 1) & ~(size_t)(UNIT - 1);
    struct piece **link = &free_list;
    while (*link && (*link)->bytes < need)
        link = &(*link)->next;
    struct piece *piece = *link;
    if (!piece) {
        errno = ENOMEM;
        return NULL;
    }
    if (piece->bytes - need < 2 * UNIT) { /* too little for another piece */
        *link = piece->next;
    } else {
        struct piece *rest = (struct piece *)((uint8_t *)piece + need);
        *rest = (struct piece){piece->bytes - need, piece->next};
        *link = rest;
        piece->bytes = need;
    }
    return piece + 1;
}

static void join(struct piece *piece) {
    struct piece *next = piece->next;
    if (next && (uint8_t *)piece + piece->bytes == (uint8_t *)next) {
        piece->bytes += next->bytes;
        piece->next = next->next;
    }
}

void free(void *old) {
    if (!old)
        return;
    struct piece *piece = (struct piece *)old - 1, *before = NULL, *after = free_list;
    for (; after && after < piece; after = after->next)
        before = after;
    piece->next = after;
    join(piece);
    if (before) {
        before->next = piece;
        join(before);
    } else {
        free_list = piece;
    }
}

void *calloc(size_t count, size_t bytes) {
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *got = malloc(total);
    return got ? memset(got, 0, total) : NULL;
}

void *realloc(void *old, size_t bytes) {
    if (!old)
        return malloc(bytes);
    size_t had = ((struct piece *)old - 1)->bytes - sizeof(struct piece);
    if (bytes && bytes <= had && had - bytes < 2 * UNIT)
        return old;
    void *got = malloc(bytes);
    if (!got)
        return NULL;
    memcpy(got, old, bytes < had ? bytes : had);
    free(old);
    return got;
}
