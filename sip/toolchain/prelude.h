/*
 * What the C that wasm2c generates means: takes the place of the tool's own prelude. Every access,
 * division and indirect call is checked here and nowhere else; there is no variant without checks.
 * SIP_MASKED selects an index mask instead of a compare, which also holds under speculation.
 */
#ifndef BULKHEAD_PRELUDE_H
#define BULKHEAD_PRELUDE_H

#include "wasm-rt.h"

#include "trap.h"

#ifndef SIP_THREADS
#define SIP_THREADS 1
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TRAP(kind) (sip_trap(ABI_TRAP_##kind), 0)

/*
 * Linear memory. The guard behind it takes the far bytes of an access at the last masked index. The
 * compiler is not told the size: gcc 12 derives from it that a loop over masked indices must end before
 * they wrap (-Waggressive-loop-optimizations), and could then drop the mask.
 */
#define SIP_GUARD_BYTES 16
#define SIP_TEXT_(x) #x
#define SIP_TEXT(x) SIP_TEXT_(x)
extern u8 sip_memory[];
__asm__(".pushsection .bss.sip_memory, \"aw\", @nobits\n"
        ".balign 4096\n"
        ".type sip_memory, @object\n"
        ".size sip_memory, " SIP_TEXT(SIP_MEMORY_BYTES) " + " SIP_TEXT(
            SIP_GUARD_BYTES) "\n"
                             "sip_memory: .zero " SIP_TEXT(SIP_MEMORY_BYTES) " + " SIP_TEXT(
                                 SIP_GUARD_BYTES) "\n"
                                                  ".popsection");

_Static_assert(SIP_MEMORY_BYTES <= 1ull << 32, "an index of 32 bits reaches all memory");
#ifdef SIP_MASKED
_Static_assert((SIP_MEMORY_BYTES & (SIP_MEMORY_BYTES - 1)) == 0, "a mask needs a power of two");
_Static_assert((SIP_TABLE_SLOTS & (SIP_TABLE_SLOTS - 1)) == 0, "a mask needs a power of two");
#endif

/* `address` is an index of 32 bits plus an offset of 32 bits, so it cannot wrap. */
static inline __attribute__((always_inline)) u8 *sip_at(u64 address, u32 bytes) {
#ifdef SIP_MASKED
    _Static_assert(SIP_GUARD_BYTES >= sizeof(u64), "the widest access fits behind the mask");
    (void)bytes;
    return &sip_memory[address & (SIP_MEMORY_BYTES - 1ul)];
#else
    if (UNLIKELY(address > SIP_MEMORY_BYTES - (u64)bytes))
        sip_trap(ABI_TRAP_BOUNDS);
    return &sip_memory[address];
#endif
}

/* A range of linear memory that is about to be used whole: compared in every variant. */
static inline u8 *sip_range(u32 address, u64 bytes) {
    if (UNLIKELY(bytes > SIP_MEMORY_BYTES || address > SIP_MEMORY_BYTES - (u64)bytes))
        sip_trap(ABI_TRAP_BOUNDS);
    return &sip_memory[address];
}

#define DEFINE_LOAD(name, narrow, extended, wide)                                                  \
    static inline __attribute__((always_inline)) wide name(const wasm_rt_memory_t *memory,         \
                                                           u64 address) {                          \
        narrow value;                                                                              \
        (void)memory;                                                                              \
        __builtin_memcpy(&value, sip_at(address, sizeof(value)), sizeof(value));                   \
        return (wide)(extended)value;                                                              \
    }
#define DEFINE_STORE(name, narrow, wide)                                                           \
    static inline __attribute__((always_inline)) void name(wasm_rt_memory_t *memory, u64 address,  \
                                                           wide value) {                           \
        narrow stored = (narrow)value;                                                             \
        (void)memory;                                                                              \
        __builtin_memcpy(sip_at(address, sizeof(stored)), &stored, sizeof(stored));                \
    }

DEFINE_LOAD(i32_load, u32, u32, u32)
DEFINE_LOAD(i64_load, u64, u64, u64)
DEFINE_LOAD(i32_load8_s, s8, s32, u32)
DEFINE_LOAD(i64_load8_s, s8, s64, u64)
DEFINE_LOAD(i32_load8_u, u8, u32, u32)
DEFINE_LOAD(i64_load8_u, u8, u64, u64)
DEFINE_LOAD(i32_load16_s, s16, s32, u32)
DEFINE_LOAD(i64_load16_s, s16, s64, u64)
DEFINE_LOAD(i32_load16_u, u16, u32, u32)
DEFINE_LOAD(i64_load16_u, u16, u64, u64)
DEFINE_LOAD(i64_load32_s, s32, s64, u64)
DEFINE_LOAD(i64_load32_u, u32, u64, u64)
DEFINE_STORE(i32_store, u32, u32)
DEFINE_STORE(i64_store, u64, u64)
DEFINE_STORE(i32_store8, u8, u32)
DEFINE_STORE(i32_store16, u16, u32)
DEFINE_STORE(i64_store8, u8, u64)
DEFINE_STORE(i64_store16, u16, u64)
DEFINE_STORE(i64_store32, u32, u64)

#ifdef SIP_FLOAT
#include "prelude_float.h"
#endif

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

static inline void memory_fill(wasm_rt_memory_t *memory, u32 to, u32 value, u32 bytes) {
    (void)memory;
    memset(sip_range(to, bytes), (int)(value & 0xff), bytes);
}

static inline void memory_copy(wasm_rt_memory_t *to_memory, const wasm_rt_memory_t *from_memory,
                               u32 to, u32 from, u32 bytes) {
    (void)to_memory;
    (void)from_memory;
    u8 *target = sip_range(to, bytes);
    memmove(target, sip_range(from, bytes), bytes);
}

/*
 * Native stack: compared with a limit after the function has pushed and reserved what it needs. The
 * slack below the limit holds one more frame, a call into the kernel, and interrupts. SIP_STACK_LIMIT
 * is the thread's own.
 */
#define FUNC_PROLOGUE                                                                              \
    do {                                                                                           \
        _Bool below;                                                                               \
        __asm__ volatile("cmpq %1, %%rsp" : "=@ccb"(below) : "m"(SIP_STACK_LIMIT));                \
        if (UNLIKELY(below))                                                                       \
            sip_trap(ABI_TRAP_STACK);                                                              \
    } while (0)
#define FUNC_EPILOGUE ((void)0)
#define UNREACHABLE TRAP(UNREACHABLE)

/*
 * Function types as numbers: equal exactly when the types are. Parameters are digits from 1 to 4, for which
 * base 4 is enough, as none is 0; the result is one of 5. The 14 parameters that the gate allows fit.
 */
#define WASM_RT_I32 1
#define WASM_RT_I64 2
#define WASM_RT_F32 3
#define WASM_RT_F64 4
static inline __attribute__((always_inline)) u32 sip_function_type(u32 params, u32 results,
                                                                   const u8 *types) {
    u32 number = 0;
    for (u32 i = 0; i < params; i++)
        number = 4 * number + types[i];
    return 5 * number + (results ? types[params] : 0) + 1; /* never 0 */
}
#define wasm_rt_register_func_type(params, results, ...)                                           \
    sip_function_type(params, results, (const u8[]){0, ##__VA_ARGS__} + 1)

/* Each table entry belongs to this module. */
#define CALL_INDIRECT(table, type, number, index, module, ...)                                     \
    (((type)sip_function((table).data, index, func_types[number]))(SIP_INSTANCE, ##__VA_ARGS__))

static inline __attribute__((always_inline)) wasm_rt_function_ptr_t
sip_function(const wasm_rt_funcref_t *data, u32 index, u32 type) {
#ifdef SIP_MASKED
    index &= SIP_TABLE_SLOTS - 1;
#else
    if (UNLIKELY(index >= SIP_TABLE_SLOTS))
        sip_trap(ABI_TRAP_CALL);
#endif
    if (UNLIKELY(data[index].func_type != type)) /* also true of an empty entry */
        sip_trap(ABI_TRAP_CALL);
    return data[index].func;
}

/* Integer operations whose result C or the processor leaves open. */
#define I32_CLZ(x) ((x) ? (u32)__builtin_clz(x) : 32u)
#define I64_CLZ(x) ((x) ? (u64)__builtin_clzll(x) : 64u)
#define I32_CTZ(x) ((x) ? (u32)__builtin_ctz(x) : 32u)
#define I64_CTZ(x) ((x) ? (u64)__builtin_ctzll(x) : 64u)

static inline u64 I64_POPCNT(u64 x) {
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    return ((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56;
}
#define I32_POPCNT(x) ((u32)I64_POPCNT((u32)(x)))

#define DEFINE_DIVISION(bits, smallest)                                                            \
    static inline u##bits I##bits##_DIV_S(u##bits x, u##bits y) {                                  \
        if (UNLIKELY(y == 0))                                                                      \
            sip_trap(ABI_TRAP_DIVIDE);                                                             \
        if (UNLIKELY((s##bits)x == (smallest) && (s##bits)y == -1))                                \
            sip_trap(ABI_TRAP_OVERFLOW);                                                           \
        return (u##bits)((s##bits)x / (s##bits)y);                                                 \
    }                                                                                              \
    static inline u##bits I##bits##_REM_S(u##bits x, u##bits y) {                                  \
        if (UNLIKELY(y == 0))                                                                      \
            sip_trap(ABI_TRAP_DIVIDE);                                                             \
        return (s##bits)y == -1 ? 0 : (u##bits)((s##bits)x % (s##bits)y);                          \
    }
DEFINE_DIVISION(32, INT32_MIN)
DEFINE_DIVISION(64, INT64_MIN)

/* Both widths share a name; the operands have equal types, so `y ? y : ...` keeps the width. */
#define DIV_U(x, y) ((x) / (LIKELY(y) ? (y) : (sip_trap(ABI_TRAP_DIVIDE), (y))))
#define REM_U(x, y) ((x) % (LIKELY(y) ? (y) : (sip_trap(ABI_TRAP_DIVIDE), (y))))

#define I32_ROTL(x, y) ((x) << ((y)&31) | (x) >> (-(y)&31))
#define I32_ROTR(x, y) ((x) >> ((y)&31) | (x) << (-(y)&31))
#define I64_ROTL(x, y) ((x) << ((y)&63) | (x) >> (-(y)&63))
#define I64_ROTR(x, y) ((x) >> ((y)&63) | (x) << (-(y)&63))

/* Instantiation. The gate has compared all segments with the sizes; here the compiler does again. */
#define assert(condition) ((void)0)
#define wasm_rt_allocate_memory(memory, initial, maximum)                                          \
    do {                                                                                           \
        _Static_assert((initial)*65536ull == SIP_MEMORY_BYTES, "the gate saw this memory");        \
        (memory)->pages = (initial);                                                               \
    } while (0)
#define wasm_rt_free_memory(memory) ((void)(memory))
#define LOAD_DATA(memory, offset, data, bytes)                                                     \
    do {                                                                                           \
        _Static_assert((u64)(offset) + (bytes) <= SIP_MEMORY_BYTES, "the gate saw this segment");  \
        memcpy(&sip_memory[offset], data, bytes);                                                  \
    } while (0)
#define wasm_rt_allocate_funcref_table(table, initial, maximum)                                    \
    _Static_assert((initial) == SIP_TABLE_ENTRIES, "the gate saw this table")
#define wasm_rt_free_funcref_table(table) ((void)(table))

typedef struct {
    u32 func_type_index;
    wasm_rt_function_ptr_t func;
    size_t module_offset; /* unused: all functions are this module's or inlined */
} wasm_elem_segment_expr_t;

#define funcref_table_init(table, source, source_count, to, from, count, module, types)            \
    do {                                                                                           \
        _Static_assert((u64)(to) + (count) <= SIP_TABLE_ENTRIES && (from) == 0 &&                  \
                           (count) == (source_count),                                              \
                       "the gate saw this segment");                                               \
        for (u32 i_ = 0; i_ < (count); i_++)                                                       \
            (table)->data[(to) + i_] =                                                             \
                (wasm_rt_funcref_t){(types)[(source)[i_].func_type_index], (source)[i_].func};     \
    } while (0)

#endif
