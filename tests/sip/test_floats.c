/* Floating point of checked and masked code against the C library's, for each case of float_cases.h. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdbool.h>

#include "float_cases.h"
#include "host_runtime.h"

uint32_t float_case_checked(uint32_t number);
uint32_t float_case_masked(uint32_t number);

static double min(double x, double y) {
    if (isnan(x) || isnan(y))
        return NAN;
    return x == 0 && y == 0 ? (signbit(x) ? x : y) : fmin(x, y);
}
static double max(double x, double y) {
    if (isnan(x) || isnan(y))
        return NAN;
    return x == 0 && y == 0 ? (signbit(x) ? y : x) : fmax(x, y);
}

/* A whole number of at most 64 bits as an integer, or at the nearer end; `fits` tells which. */
static uint64_t to_integer(double x, bool is_signed, unsigned bits, bool *fits) {
    long double least = is_signed ? -ldexpl(1, (int)bits - 1) : 0;
    long double most = ldexpl(1, (int)bits - is_signed) - 1, whole = truncl(x);
    *fits = whole >= least && whole <= most;
    if (isnan(x))
        return 0;
    if (whole < least)
        whole = least;
    if (whole > most)
        whole = most;
    return is_signed ? (uint64_t)(int64_t)whole : (uint64_t)whole;
}

static uint64_t expected(uint32_t operation, double x, double y, bool *traps) {
    float xf = (float)x, yf = (float)y;
    uint64_t bits = float_bits(x);
    bool fits;
    switch (operation) {
#define CASE(name, value)                                                                          \
    case FLOAT_##name:                                                                             \
        return value;
#define X(name) CASE(name, float_bits(name(x))) CASE(name##f, float_bits(name##f(xf)))
        FLOAT_UNARY(X)
#undef X
#define X(name) CASE(name, float_bits(name(x, y))) CASE(name##f, float_bits(name(xf, yf)))
        /* NOLINTNEXTLINE(performance-type-promotion-in-math-fn) */
        FLOAT_BINARY(X)
#undef X
#define X(name, integer, type, number)                                                             \
    case FLOAT_trap_##name##type:                                                                  \
    case FLOAT_saturate_##name##type: {                                                            \
        uint64_t value =                                                                           \
            to_integer((number)x, (integer)-1 < 1, 8 * (unsigned)sizeof(integer), &fits);          \
        *traps = !fits && operation == FLOAT_trap_##name##type;                                    \
        return value;                                                                              \
    }
        FLOAT_TO_INTEGER(X)
#undef X
        CASE(demote, float_bits(xf))
        CASE(from_integer, float_bits((double)bits) ^ float_bits((double)(int64_t)bits) * 3 ^
                               float_bits((float)bits) * 5 ^ float_bits((float)(int64_t)bits) * 7)
    }
    cr_fatal("operation %u has no expectation", operation);
    return 0;
}

static void expect_all(uint32_t (*cases)(uint32_t)) {
    for (uint32_t number = 0; number < FLOAT_OPERATIONS * FLOAT_VALUES; number++) {
        double x = float_values[number % FLOAT_VALUES];
        double y = float_values[(number + 1) % FLOAT_VALUES];
        bool traps = false;
        uint32_t want = float_fold(expected(number / FLOAT_VALUES, x, y, &traps)), got = 0;
        uint32_t trap = sip_host_run(cases, number, 256 << 10, &got);
        cr_expect(eq(u32, trap, traps ? ABI_TRAP_OVERFLOW : 0), "operation %u of %a and %a",
                  (uint32_t)(number / FLOAT_VALUES), x, y);
        if (!traps)
            cr_expect(eq(u32, got, want), "operation %u of %a and %a",
                      (uint32_t)(number / FLOAT_VALUES), x, y);
    }
}

Test(floats, checked) { expect_all(float_case_checked); }
Test(floats, masked) { expect_all(float_case_masked); }
