/* <stdlib.h> but for memory (malloc.c) and numbers from text (number.c). */
#include "sip.h"
#include <stdlib.h>

void exit(int status) {
    sip_call_exit(status);
    __builtin_trap();
}

void abort(void) { __builtin_trap(); }

static void swap(uint8_t *a, uint8_t *b, size_t bytes) {
    while (bytes--) {
        uint8_t byte = *a;
        *a++ = *b;
        *b++ = byte;
    }
}

typedef int (*comparison)(const void *, const void *);

/* Moves the element at `root` down until it is not smaller than its children. */
static void sift(uint8_t *base, size_t root, size_t count, size_t bytes, comparison compare) {
    size_t child;
    while ((child = 2 * root + 1) < count) {
        if (child + 1 < count && compare(base + child * bytes, base + (child + 1) * bytes) < 0)
            child++;
        if (compare(base + root * bytes, base + child * bytes) >= 0)
            return;
        swap(base + root * bytes, base + child * bytes, bytes);
        root = child;
    }
}

void qsort(void *base, size_t count, size_t bytes, comparison compare) {
    for (size_t root = count / 2; root-- > 0;)
        sift(base, root, count, bytes, compare);
    for (size_t left = count; left-- > 1;) {
        swap(base, (uint8_t *)base + left * bytes, bytes);
        sift(base, 0, left, bytes, compare);
    }
}

void *bsearch(const void *key, const void *base, size_t count, size_t bytes, comparison compare) {
    const uint8_t *low = base;
    while (count) {
        const uint8_t *middle = low + count / 2 * bytes;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)(uintptr_t)middle;
        if (order > 0) {
            low = middle + bytes;
            count--;
        }
        count /= 2;
    }
    return NULL;
}

int abs(int value) { return value < 0 ? -value : value; }
long labs(long value) { return value < 0 ? -value : value; }
long long llabs(long long value) { return value < 0 ? -value : value; }
div_t div(int value, int by) { return (div_t){value / by, value % by}; }
ldiv_t ldiv(long value, long by) { return (ldiv_t){value / by, value % by}; }
lldiv_t lldiv(long long value, long long by) { return (lldiv_t){value / by, value % by}; }

static uint64_t random_state = 1;

void srand(unsigned seed) { random_state = seed; }

int rand(void) { /* the generator of POSIX's example, in 64 bits (Knuth's MMIX) */
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (int)(random_state >> 33);
}
