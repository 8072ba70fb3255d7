/*
 * Compute kernels: plain C without calls to the kernel or a C library, so that the same source is
 * timed unchecked, checked and masked, in a guest and as a host program. Each takes a number of
 * rounds, about a million instructions each, and returns a checksum that depends on all of its work
 * and on nothing else.
 */
#ifndef BULKHEAD_COMPUTE_H
#define BULKHEAD_COMPUTE_H

#include <stdbool.h>
#include <stdint.h>

#define COMPUTE_KERNELS(X) X(json) X(lz) X(sort) X(sha256) X(kv)

#define X(name) uint32_t compute_##name(uint32_t rounds);
COMPUTE_KERNELS(X)
#undef X

/* Marsaglia's xorshift of 32 bits: the next number, from a state that is not 0. */
static inline uint32_t compute_random(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* FNV-1a of one more byte. */
static inline uint32_t compute_hash(uint32_t hash, uint8_t byte) {
    return (hash ^ byte) * 16777619u;
}
#define COMPUTE_HASH_START 2166136261u

#endif
