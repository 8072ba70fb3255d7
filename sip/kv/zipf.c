/*
 * Gray and others, "Quickly generating billion-record synthetic databases" (SIGMOD 1994), as YCSB has
 * it: rank = n (eta u - eta + 1)^(1 / (1 - theta)). With theta .99 the power is the hundredth, which
 * is eight multiplications.
 */
#include "zipf.h"

#define ITEMS 10000000000ull
#define DRAW_BITS 53
/* zeta(n, theta) = 26.46902820178302, YCSB's constant; draws below 2^53 / zeta have rank 0, those
   below 2^53 (1 + 2^-theta) / zeta rank 1. */
#define DRAWS_OF_FIRST 340292026820020ull
#define DRAWS_OF_SECOND 511621499343254ull
/* eta = (1 - (2 / n)^(1 - theta)) / (1 - zeta(2, theta) / zeta(n, theta)), times 2^64. */
#define ETA 0x3652bdcd6b43b157ull

#define POWER 100u

struct scaled { /* bits * 2^(exponent - 64), at most 1; the top bit is set */
    uint64_t bits;
    int exponent;
};

/* The upper half of a product. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low) {
    uint64_t a1 = a >> 32, a0 = (uint32_t)a, b1 = b >> 32, b0 = (uint32_t)b;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32), other = a0 * b1 + (uint32_t)middle;
    *low = a * b;
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

static struct scaled scaled_multiply(struct scaled a, struct scaled b) {
    uint64_t low;
    struct scaled product = {multiply(a.bits, b.bits, &low), a.exponent + b.exponent};
    if (!(product.bits >> 63)) {
        product.bits = product.bits << 1 | low >> 63;
        product.exponent--;
    }
    return product;
}

static struct scaled scaled_power(struct scaled base, uint32_t power) {
    struct scaled result = base;
    uint32_t bit = 31u - (uint32_t)__builtin_clz(power);
    while (bit--) {
        result = scaled_multiply(result, result);
        if (power >> bit & 1)
            result = scaled_multiply(result, base);
    }
    return result;
}

uint64_t zipf_rank(uint64_t draw) {
    uint64_t low;
    if (draw < DRAWS_OF_FIRST)
        return 0;
    if (draw < DRAWS_OF_SECOND)
        return 1;
    uint64_t rest = ((1ull << DRAW_BITS) - draw) << (64 - DRAW_BITS); /* 1 - u */
    struct scaled base = {-multiply(ETA, rest, &low), 0};             /* 1 - eta (1 - u) */
    struct scaled share = scaled_power(base, POWER);
    uint64_t rank = multiply(ITEMS << 30, share.bits, &low); /* times 2^(30 - exponent) */
    int shift = 30 - share.exponent;
    return shift < 64 ? rank >> shift : 0;
}

uint64_t zipf_hash(uint64_t number) {
    uint64_t hash = 0xcbf29ce484222325ull;
    for (uint32_t i = 0; i < 8; i++, number >>= 8)
        hash = (hash ^ (number & 0xff)) * 0x100000001b3ull;
    return hash >> 63 ? -hash : hash;
}

uint32_t zipf_scrambled(uint64_t draw, uint32_t items) {
    return (uint32_t)(zipf_hash(zipf_rank(draw)) % items);
}
