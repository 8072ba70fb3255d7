/* float_case(number): an operation of float_cases.h by WebAssembly's instruction, folded to 32 bits. */
#include "float_cases.h"

#define CASE(name, value)                                                                          \
    case FLOAT_##name:                                                                             \
        return float_fold(value);

uint32_t float_case(uint32_t number);
uint32_t float_case(uint32_t number) {
    double x = float_values[number % FLOAT_VALUES];
    double y = float_values[(number + 1) % FLOAT_VALUES];
    float xf = (float)x, yf = (float)y;
    uint64_t bits = float_bits(x);
    switch (number / FLOAT_VALUES) {
#define X(name)                                                                                    \
    CASE(name, float_bits(__builtin_##name(x))) CASE(name##f, float_bits(__builtin_##name##f(xf)))
        FLOAT_UNARY(X)
#undef X
#define X(name)                                                                                    \
    CASE(name, float_bits(__builtin_wasm_##name##_f64(x, y)))                                      \
    CASE(name##f, float_bits(__builtin_wasm_##name##_f32(xf, yf)))
        X(min)
        X(max)
#undef X
        CASE(copysign, float_bits(__builtin_copysign(x, y)))
        CASE(copysignf, float_bits(__builtin_copysignf(xf, yf)))
#define X(name, integer, type, number)                                                             \
    CASE(trap_##name##type, (uint64_t)(integer)__builtin_wasm_trunc_##name##_##type((number)x))    \
    CASE(saturate_##name##type,                                                                    \
         (uint64_t)(integer)__builtin_wasm_trunc_saturate_##name##_##type((number)x))
        FLOAT_TO_INTEGER(X)
#undef X
        CASE(demote, float_bits(xf))
        CASE(from_integer, float_bits((double)bits) ^ float_bits((double)(int64_t)bits) * 3 ^
                               float_bits((float)bits) * 5 ^ float_bits((float)(int64_t)bits) * 7)
    default:
        return 0;
    }
}
