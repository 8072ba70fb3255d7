/*
 * The types that wasm2c's generated header expects, in our form: linear memory and table are static
 * objects of compile-time size, so that a check is one compare with an immediate. SIP_* sizes come
 * from the gate's constants file, which is included before.
 */
#ifndef BULKHEAD_WASM_RT_H
#define BULKHEAD_WASM_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WASM_RT_CORE_TYPES_DEFINED
typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;
#ifdef SIP_FLOAT
typedef float f32;
typedef double f64;
#endif

typedef void (*wasm_rt_function_ptr_t)(void);

typedef struct {
    u32 pages; /* of 64 KiB; what memory.size returns */
} wasm_rt_memory_t;

typedef struct {
    u32 func_type; /* see sip_function_type(); 0: empty entry */
    wasm_rt_function_ptr_t func;
} wasm_rt_funcref_t;

typedef struct {
    wasm_rt_funcref_t data[SIP_TABLE_SLOTS];
} wasm_rt_funcref_table_t;

#endif
