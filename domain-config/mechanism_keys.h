/*
 * The table of mechanisms by the keys that layouts write: rows that have one key belong together.
 * Freestanding, as plan_check.c is.
 */
#ifndef BULKHEAD_MECHANISM_KEYS_H
#define BULKHEAD_MECHANISM_KEYS_H

#include "guest-kernel/mechanisms.h"

static inline int mechanism_same_key(uint32_t a, uint32_t b) {
    const char *x = mechanism_table[a].key, *y = mechanism_table[b].key;

    while (*x && *x == *y)
        x++, y++;
    return *x == *y;
}

/* The first row that has the key of this one. */
static inline uint32_t mechanism_first(uint32_t row) {
    uint32_t first = 0;

    while (!mechanism_same_key(first, row))
        first++;
    return first;
}

/* The bits of all rows that have the key of this one. */
static inline uint64_t mechanism_key_bits(uint32_t row) {
    uint64_t bits = 0;

    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (mechanism_same_key(i, row))
            bits |= 1ull << i;
    return bits;
}

#define X(id, file, key, kind, word, scope, ...)                                                   \
    | ((uint64_t)((scope) == SCOPE_MACHINE) << MECHANISM_##id)
/* The bits that only the kernel's own domain has. */
static const uint64_t mechanisms_of_machine = 0 MECHANISMS(X);
#undef X

#endif
