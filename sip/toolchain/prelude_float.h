/*
 * Floating point of generated C, included by prelude.h for SIPs that may use it: WebAssembly's meaning
 * by SSE2 alone, without the C library. MXCSR is as the processor starts it, which checked code cannot
 * change. Inputs that are no number give a quiet NaN, and whatever does not fit an integer traps.
 */
#ifndef BULKHEAD_PRELUDE_FLOAT_H
#define BULKHEAD_PRELUDE_FLOAT_H

DEFINE_LOAD(f32_load, f32, f32, f32)
DEFINE_LOAD(f64_load, f64, f64, f64)
DEFINE_STORE(f32_store, f32, f32)
DEFINE_STORE(f64_store, f64, f64)

#define DEFINE_REINTERPRET(name, from, to)                                                         \
    static inline to name(from x) {                                                                \
        to result;                                                                                 \
        __builtin_memcpy(&result, &x, sizeof(result));                                             \
        return result;                                                                             \
    }
DEFINE_REINTERPRET(f32_reinterpret_i32, u32, f32)
DEFINE_REINTERPRET(i32_reinterpret_f32, f32, u32)
DEFINE_REINTERPRET(f64_reinterpret_i64, u64, f64)
DEFINE_REINTERPRET(i64_reinterpret_f64, f64, u64)

#define INFINITY __builtin_inff()
#define copysign __builtin_copysign
#define copysignf __builtin_copysignf
#define wasm_fabs __builtin_fabs
#define wasm_fabsf __builtin_fabsf

static inline f32 wasm_quietf(f32 x) {
    return x == x ? x : f32_reinterpret_i32(i32_reinterpret_f32(x) | 0x400000);
}
static inline f64 wasm_quiet(f64 x) {
    return x == x ? x : f64_reinterpret_i64(i64_reinterpret_f64(x) | 0x8000000000000);
}
static inline f32 wasm_sqrtf(f32 x) { return wasm_quietf(__builtin_sqrtf(x)); }
static inline f64 wasm_sqrt(f64 x) { return wasm_quiet(__builtin_sqrt(x)); }

/* From here on every number is whole; a NaN is not below it either. */
#define ALL_WHOLE 0x1p52

static inline f64 wasm_trunc(f64 x) {
    if (!(__builtin_fabs(x) < ALL_WHOLE))
        return wasm_quiet(x);
    return copysign((f64)(s64)x, x);
}
static inline f64 wasm_floor(f64 x) {
    f64 whole = wasm_trunc(x);
    return whole > x ? whole - 1 : whole;
}
static inline f64 wasm_ceil(f64 x) {
    f64 whole = wasm_trunc(x);
    return whole < x ? whole + 1 : whole;
}
/* To even: the sum has no bits for a fraction, so it was rounded. */
static inline f64 wasm_nearbyint(f64 x) {
    if (!(__builtin_fabs(x) < ALL_WHOLE))
        return wasm_quiet(x);
    f64 shift = copysign(ALL_WHOLE, x);
    return copysign(x + shift - shift, x);
}
/* Exact in double precision. */
static inline f32 wasm_truncf(f32 x) { return (f32)wasm_trunc(wasm_quietf(x)); }
static inline f32 wasm_floorf(f32 x) { return (f32)wasm_floor(wasm_quietf(x)); }
static inline f32 wasm_ceilf(f32 x) { return (f32)wasm_ceil(wasm_quietf(x)); }
static inline f32 wasm_nearbyintf(f32 x) { return (f32)wasm_nearbyint(wasm_quietf(x)); }

#define DEFINE_EXTREMES(bits, quiet)                                                               \
    static inline f##bits sip_min##bits(f##bits x, f##bits y) {                                    \
        if (UNLIKELY(x != x || y != y))                                                            \
            return quiet(x + y);                                                                   \
        if (x == y) /* of two zeros, the negative one */                                           \
            return __builtin_signbit(x) ? x : y;                                                   \
        return x < y ? x : y;                                                                      \
    }                                                                                              \
    static inline f##bits sip_max##bits(f##bits x, f##bits y) {                                    \
        if (UNLIKELY(x != x || y != y))                                                            \
            return quiet(x + y);                                                                   \
        if (x == y)                                                                                \
            return __builtin_signbit(x) ? y : x;                                                   \
        return x > y ? x : y;                                                                      \
    }
DEFINE_EXTREMES(32, wasm_quietf)
DEFINE_EXTREMES(64, wasm_quiet)
#define FMIN(x, y) _Generic((x), f32 : sip_min32, f64 : sip_min64)(x, y)
#define FMAX(x, y) _Generic((x), f32 : sip_max32, f64 : sip_max64)(x, y)

/* `above` is > or >=: numbers that `low` bounds may be rounded to it or not. */
#define DEFINE_TRUNCATION(name, type, number, from, above, low, high, least, most)                 \
    static inline type I##name(from x) {                                                           \
        if (UNLIKELY(!(x above low && x < high)))                                                  \
            sip_trap(ABI_TRAP_OVERFLOW);                                                           \
        return (type)(number)x;                                                                    \
    }                                                                                              \
    static inline type I##name##_SATURATED(from x) {                                               \
        if (UNLIKELY(!(x above low && x < high)))                                                  \
            return x != x ? 0 : x < 0 ? (type)least : most;                                        \
        return (type)(number)x;                                                                    \
    }
DEFINE_TRUNCATION(32_TRUNC_S_F32, u32, s32, f32, >=, -0x1p31f, 0x1p31f, INT32_MIN, INT32_MAX)
DEFINE_TRUNCATION(64_TRUNC_S_F32, u64, s64, f32, >=, -0x1p63f, 0x1p63f, INT64_MIN, INT64_MAX)
DEFINE_TRUNCATION(32_TRUNC_S_F64, u32, s32, f64, >, -0x1.00000002p31, 0x1p31, INT32_MIN, INT32_MAX)
DEFINE_TRUNCATION(64_TRUNC_S_F64, u64, s64, f64, >=, -0x1p63, 0x1p63, INT64_MIN, INT64_MAX)
DEFINE_TRUNCATION(32_TRUNC_U_F32, u32, u32, f32, >, -1.0f, 0x1p32f, 0, UINT32_MAX)
DEFINE_TRUNCATION(64_TRUNC_U_F32, u64, u64, f32, >, -1.0f, 0x1p64f, 0, UINT64_MAX)
DEFINE_TRUNCATION(32_TRUNC_U_F64, u32, u32, f64, >, -1.0, 0x1p32, 0, UINT32_MAX)
DEFINE_TRUNCATION(64_TRUNC_U_F64, u64, u64, f64, >, -1.0, 0x1p64, 0, UINT64_MAX)
#define I32_TRUNC_SAT_S_F32 I32_TRUNC_S_F32_SATURATED
#define I64_TRUNC_SAT_S_F32 I64_TRUNC_S_F32_SATURATED
#define I32_TRUNC_SAT_S_F64 I32_TRUNC_S_F64_SATURATED
#define I64_TRUNC_SAT_S_F64 I64_TRUNC_S_F64_SATURATED
#define I32_TRUNC_SAT_U_F32 I32_TRUNC_U_F32_SATURATED
#define I64_TRUNC_SAT_U_F32 I64_TRUNC_U_F32_SATURATED
#define I32_TRUNC_SAT_U_F64 I32_TRUNC_U_F64_SATURATED
#define I64_TRUNC_SAT_U_F64 I64_TRUNC_U_F64_SATURATED

#endif
