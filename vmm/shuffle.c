/* The order of cells. */
#include "shuffle.h"

uint64_t shuffle_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Below `bound`, without the bias of a bare remainder. */
static uint64_t next_below(uint64_t *state, uint64_t bound) {
    uint64_t refuse = -bound % bound, drawn;
    do
        drawn = shuffle_next(state);
    while (drawn < refuse);
    return drawn % bound;
}

void shuffle_order(size_t *order, size_t count, uint64_t *state) {
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = next_below(state, i), swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}
