/*
 * Floating-point operations of WebAssembly on values that are easy to get wrong: a case is an operation
 * and a value. float_cases.c has the operations as instructions, test_floats.c what they must give.
 */
#ifndef BULKHEAD_FLOAT_CASES_H
#define BULKHEAD_FLOAT_CASES_H

#include <stdint.h>

static const double float_values[] = {0.0,
                                      -0.0,
                                      0.0,
                                      0.5,
                                      -0.5,
                                      1.5,
                                      -1.5,
                                      2.5,
                                      0x1.fffffffffffffp-2,
                                      -0.99999999,
                                      -1.0,
                                      0x1p23,
                                      0x1.000001p23,
                                      0x1.fffffffcp30, /* the largest signed numbers and around */
                                      0x1.fffffffep30,
                                      0x1p31,
                                      -0x1p31,
                                      -0x1.00000001p31,
                                      -0x1.00000002p31,
                                      0x1.fffffffep31,
                                      0x1.ffffffffp31,
                                      0x1p32,
                                      0x1.ffffffffffffep51,
                                      0x1.fffffffffffffp51,
                                      -0x1.fffffffffffffp51,
                                      0x1.0000000000001p52,
                                      0x1.fffffffffffffp62,
                                      0x1p63,
                                      -0x1p63,
                                      -0x1.0000000000001p63,
                                      0x1.fffffffffffffp63,
                                      0x1p64,
                                      1e300,
                                      -1e300,
                                      0x1p-1074,
                                      3.999999e-39,
                                      __builtin_inf(),
                                      -__builtin_inf(),
                                      __builtin_nan("")};
#define FLOAT_VALUES (sizeof(float_values) / sizeof(float_values[0]))

/* Of one number, of two, and to integers: name, type of integer, type of number. */
#define FLOAT_UNARY(X) X(floor) X(ceil) X(trunc) X(nearbyint) X(sqrt) X(fabs)
#define FLOAT_BINARY(X) X(min) X(max) X(copysign)
#define FLOAT_TO_INTEGER(X)                                                                        \
    X(s_i32, int32_t, f32, float)                                                                  \
    X(s_i32, int32_t, f64, double)                                                                 \
    X(u_i32, uint32_t, f32, float)                                                                 \
    X(u_i32, uint32_t, f64, double)                                                                \
    X(s_i64, int64_t, f32, float)                                                                  \
    X(s_i64, int64_t, f64, double)                                                                 \
    X(u_i64, uint64_t, f32, float)                                                                 \
    X(u_i64, uint64_t, f64, double)

enum float_operation {
#define X(name) FLOAT_##name, FLOAT_##name##f,
    FLOAT_UNARY(X)
    FLOAT_BINARY(X)
#undef X
#define X(name, integer, type, number) FLOAT_trap_##name##type, FLOAT_saturate_##name##type,
        FLOAT_TO_INTEGER(X)
#undef X
            FLOAT_demote,
    FLOAT_from_integer, /* of the number's bits, all four kinds */
    FLOAT_OPERATIONS
};

static inline uint64_t float_bits(double value) {
    uint64_t bits = 0x7ff8000000000000; /* which NaN is not said */
    if (value == value)
        __builtin_memcpy(&bits, &value, sizeof(bits));
    return bits;
}
static inline uint32_t float_fold(uint64_t bits) {
    return (uint32_t)(bits * 0x9e3779b97f4a7c15 >> 32);
}

#endif
