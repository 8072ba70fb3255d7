/* A random order that a seed fixes: the same on every host and in every build. */
#ifndef BULKHEAD_SHUFFLE_H
#define BULKHEAD_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* The next number of the SplitMix64 sequence (Steele, Lea, Flood, OOPSLA 2014). */
uint64_t shuffle_next(uint64_t *state);

/* A permutation of 0..count-1 in order[]: Fisher-Yates, each permutation as likely as any other. */
void shuffle_order(size_t *order, size_t count, uint64_t *state);

#endif
