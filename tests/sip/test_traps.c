/*
 * Every check of the prelude and of the message accessors, one violation and one permitted use at
 * least of each, in checked and in masked code that runs in this process. The code is traps.wat.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "host_runtime.h"
#include "trap_cases.h"

#define MEMORY 65536u
#define ANY UINT64_MAX /* do not compare the result */

uint32_t trap_case_checked(uint32_t number);
uint32_t trap_case_masked(uint32_t number);

struct operands {
    uint32_t a, b, c, d;
    uint64_t a64, b64;
};

static struct { /* the blocks of slots 1 and 2 */
    struct abi_message header;
    struct operands operands;
} first;
static struct {
    struct abi_message header;
    uint8_t payload[32];
    uint8_t beyond[16];
} second;
#define SECOND 0x702u /* generation 7 of slot 2 */

static bool masked;

static uint32_t run(enum trap_case number, struct operands operands, uint32_t *result) {
    first.operands = operands;
    sip_slots[1] = (struct abi_slot){&first, sizeof(first), 1};
    sip_slots[2] = (struct abi_slot){&second, sizeof(second) - sizeof(second.beyond), SECOND};
    return sip_host_run(masked ? trap_case_masked : trap_case_checked, number, 64 << 10, result);
}

static void expect_value(enum trap_case number, struct operands operands, uint64_t expected) {
    uint32_t result = 0;
    cr_expect(eq(u32, run(number, operands, &result), 0), "case %d: %x %x %x %x", number,
              operands.a, operands.b, operands.c, operands.d);
    if (expected != ANY)
        cr_expect(eq(u32, result, (uint32_t)expected), "case %d: %x %x", number, operands.a,
                  operands.b);
}

static void expect_trap(enum trap_case number, struct operands operands, enum abi_trap kind) {
    uint32_t result;
    cr_expect(eq(u32, run(number, operands, &result), kind), "case %d: %x %x %x %x", number,
              operands.a, operands.b, operands.c, operands.d);
}

/* A wild access: checked code traps, masked code stays inside its memory. */
static void expect_contained(enum trap_case number, uint32_t address) {
    struct operands operands = {.a = address};
    if (masked)
        expect_value(number, operands, ANY);
    else
        expect_trap(number, operands, ABI_TRAP_BOUNDS);
}

static void check_accesses(void) {
    static const struct {
        enum trap_case number;
        uint32_t bytes;
    } accesses[] = {
        {CASE_I32_LOAD, 4},     {CASE_I64_LOAD, 8},     {CASE_I32_LOAD8_S, 1},
        {CASE_I32_LOAD8_U, 1},  {CASE_I32_LOAD16_S, 2}, {CASE_I32_LOAD16_U, 2},
        {CASE_I64_LOAD8_S, 1},  {CASE_I64_LOAD8_U, 1},  {CASE_I64_LOAD16_S, 2},
        {CASE_I64_LOAD16_U, 2}, {CASE_I64_LOAD32_S, 4}, {CASE_I64_LOAD32_U, 4},
        {CASE_I32_STORE, 4},    {CASE_I64_STORE, 8},    {CASE_I32_STORE8, 1},
        {CASE_I32_STORE16, 2},  {CASE_I64_STORE8, 1},   {CASE_I64_STORE16, 2},
        {CASE_I64_STORE32, 4},
    };
    for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
        uint32_t last = MEMORY - accesses[i].bytes;
        expect_value(accesses[i].number, (struct operands){.a = 0}, ANY);
        expect_value(accesses[i].number, (struct operands){.a = last}, ANY);
        expect_contained(accesses[i].number, last + 1);
        expect_contained(accesses[i].number, MEMORY);
        expect_contained(accesses[i].number, 0x80000000u);
        expect_contained(accesses[i].number, 0xffffffffu);
    }
    /* Offsets are added in 64 bits: 1 + 0xffffffff is not 0. */
    for (uint32_t address = 0; address < 3; address++) {
        expect_contained(CASE_LOAD_OFFSET, address);
        expect_contained(CASE_STORE_OFFSET, address);
    }
    expect_contained(CASE_LOAD_OFFSET, 0xffffffffu);
    expect_contained(CASE_STORE_OFFSET, 0xffffffffu);
    expect_value(CASE_STORE_THEN_LOAD, (struct operands){.a = 100, .b = 100}, 0x5a5a1234);
    expect_value(CASE_STORE_THEN_LOAD, (struct operands){.a = 100, .b = 102}, 0x5a5a);
    expect_value(CASE_WALK, (struct operands){.a = MEMORY}, MEMORY);
    if (masked) {
        expect_value(CASE_WALK, (struct operands){.a = 256 * MEMORY}, 256 * MEMORY);
        expect_value(CASE_STORE_THEN_LOAD, (struct operands){.a = MEMORY + 8, .b = 8}, 0x5a5a1234);
        expect_value(CASE_STORE_THEN_LOAD, (struct operands){.a = MEMORY - 1, .b = MEMORY - 1},
                     0x5a5a1234);
    } else {
        expect_trap(CASE_WALK, (struct operands){.a = MEMORY + 1}, ABI_TRAP_BOUNDS);
    }
}

static void check_ranges(void) {
    expect_value(CASE_COPY, (struct operands){.a = 0, .b = 0, .c = MEMORY}, ANY);
    expect_value(CASE_COPY, (struct operands){.a = MEMORY, .b = 0, .c = 0}, ANY);
    expect_value(CASE_COPY, (struct operands){.a = MEMORY - 5, .b = 7, .c = 5}, ANY);
    expect_trap(CASE_COPY, (struct operands){.a = MEMORY - 5, .b = 7, .c = 6}, ABI_TRAP_BOUNDS);
    expect_trap(CASE_COPY, (struct operands){.a = 7, .b = MEMORY - 5, .c = 6}, ABI_TRAP_BOUNDS);
    expect_trap(CASE_COPY, (struct operands){.a = 0, .b = 0, .c = MEMORY + 1}, ABI_TRAP_BOUNDS);
    expect_trap(CASE_COPY, (struct operands){.a = 16, .b = 0, .c = -16u}, ABI_TRAP_BOUNDS);
    expect_trap(CASE_COPY, (struct operands){.a = 0, .b = 0xffffffff, .c = 1}, ABI_TRAP_BOUNDS);
    expect_trap(CASE_COPY, (struct operands){.a = MEMORY + 1, .b = 0, .c = 0}, ABI_TRAP_BOUNDS);
    expect_value(CASE_FILL, (struct operands){.a = 1, .b = MEMORY - 1}, ANY);
    expect_trap(CASE_FILL, (struct operands){.a = 1, .b = MEMORY}, ABI_TRAP_BOUNDS);
    expect_trap(CASE_FILL, (struct operands){.a = 0xffffffff, .b = 2}, ABI_TRAP_BOUNDS);
    expect_value(CASE_SIZE, (struct operands){0}, 1);
}

static void check_control(void) {
    expect_value(CASE_INDIRECT, (struct operands){.a = 100}, 42);
    expect_trap(CASE_INDIRECT, (struct operands){.a = CASE_SIZE}, ABI_TRAP_CALL); /* other type */
    expect_trap(CASE_INDIRECT, (struct operands){.a = 101}, ABI_TRAP_CALL);       /* empty entry */
    expect_trap(CASE_INDIRECT, (struct operands){.a = 127}, ABI_TRAP_CALL);
    expect_trap(CASE_INDIRECT, (struct operands){.a = 128}, ABI_TRAP_CALL); /* past the table */
    expect_trap(CASE_INDIRECT, (struct operands){.a = 0xffffffff}, ABI_TRAP_CALL);
    expect_value(CASE_RECURSION, (struct operands){.a = 100}, ANY);
    expect_trap(CASE_RECURSION, (struct operands){.a = 0xffffffff}, ABI_TRAP_STACK);
    expect_trap(CASE_UNREACHABLE, (struct operands){0}, ABI_TRAP_UNREACHABLE);
}

static uint32_t fold(uint64_t value) { return (uint32_t)(value ^ value >> 32); }

static void check_division(void) {
    const struct operands zero = {.a = 7, .a64 = 7};
    for (enum trap_case number = CASE_I32_DIV_S; number <= CASE_I32_REM_U; number++)
        expect_trap(number, zero, ABI_TRAP_DIVIDE);
    for (enum trap_case number = CASE_I64_DIV_S; number <= CASE_I64_REM_U; number++)
        expect_trap(number, zero, ABI_TRAP_DIVIDE);
    const struct operands overflow = {.a = 1u << 31, .b = -1u, .a64 = 1ull << 63, .b64 = -1ull};
    expect_trap(CASE_I32_DIV_S, overflow, ABI_TRAP_OVERFLOW);
    expect_trap(CASE_I64_DIV_S, overflow, ABI_TRAP_OVERFLOW);
    expect_value(CASE_I32_REM_S, overflow, 0);
    expect_value(CASE_I64_REM_S, overflow, 0);
    expect_value(CASE_I32_DIV_U, overflow, 0);
    expect_value(CASE_I64_REM_U, overflow, fold(1ull << 63));
    const struct operands mixed = {.a = -7u, .b = 2, .a64 = -7ull, .b64 = 2};
    expect_value(CASE_I32_DIV_S, mixed, (uint32_t)-3);
    expect_value(CASE_I32_REM_S, mixed, (uint32_t)-1);
    expect_value(CASE_I64_DIV_S, mixed, fold(-3ull));
    expect_value(CASE_I64_REM_S, mixed, fold(-1ull));
    expect_value(CASE_I32_DIV_U, mixed, 0x7ffffffc);
    expect_value(CASE_I64_DIV_U, mixed, fold(0x7ffffffffffffffcull));
}

static void check_bits(void) {
    static const uint64_t values[] = {0, 1, 0x80, 0x8000, 0x80000000, 0xdeadbeef12345678u, -1ull};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        uint64_t wide = values[i];
        uint32_t narrow = (uint32_t)wide;
        struct operands operands = {.a = narrow, .a64 = wide};
        expect_value(CASE_I32_CLZ, operands, narrow ? (unsigned)__builtin_clz(narrow) : 32);
        expect_value(CASE_I64_CLZ, operands, wide ? (unsigned)__builtin_clzll(wide) : 64);
        expect_value(CASE_I32_CTZ, operands, narrow ? (unsigned)__builtin_ctz(narrow) : 32);
        expect_value(CASE_I64_CTZ, operands, wide ? (unsigned)__builtin_ctzll(wide) : 64);
        expect_value(CASE_I32_POPCNT, operands, (unsigned)__builtin_popcount(narrow));
        expect_value(CASE_I64_POPCNT, operands, (unsigned)__builtin_popcountll(wide));
        expect_value(CASE_I32_EXTEND8_S, operands, (uint32_t)(int8_t)narrow);
        expect_value(CASE_I32_EXTEND16_S, operands, (uint32_t)(int16_t)narrow);
        expect_value(CASE_I64_EXTEND8_S, operands, fold((uint64_t)(int8_t)wide));
        expect_value(CASE_I64_EXTEND16_S, operands, fold((uint64_t)(int16_t)wide));
        expect_value(CASE_I64_EXTEND32_S, operands, fold((uint64_t)(int32_t)wide));
        for (unsigned shift = 0; shift < 130; shift += 13) {
            unsigned by32 = shift % 32, by64 = shift % 64;
            operands.b = shift;
            operands.b64 = shift;
            expect_value(CASE_I32_SHL, operands, narrow << by32);
            expect_value(CASE_I32_SHR_U, operands, narrow >> by32);
            expect_value(CASE_I32_SHR_S, operands, (uint32_t)((int32_t)narrow >> by32));
            expect_value(CASE_I32_ROTL, operands,
                         by32 ? narrow << by32 | narrow >> (32 - by32) : narrow);
            expect_value(CASE_I32_ROTR, operands,
                         by32 ? narrow >> by32 | narrow << (32 - by32) : narrow);
            expect_value(CASE_I64_SHL, operands, fold(wide << by64));
            expect_value(CASE_I64_SHR_U, operands, fold(wide >> by64));
            expect_value(CASE_I64_SHR_S, operands, fold((uint64_t)((int64_t)wide >> by64)));
            expect_value(CASE_I64_ROTL, operands,
                         fold(by64 ? wide << by64 | wide >> (64 - by64) : wide));
            expect_value(CASE_I64_ROTR, operands,
                         fold(by64 ? wide >> by64 | wide << (64 - by64) : wide));
        }
    }
}

static void check_block_fields(void) {
    static const struct {
        enum trap_case number;
        uint32_t bytes;
    } fields[] = {
        {CASE_BLOCK_LOAD8, 1},   {CASE_BLOCK_LOAD16, 2},  {CASE_BLOCK_LOAD32, 4},
        {CASE_BLOCK_LOAD64, 8},  {CASE_BLOCK_STORE8, 1},  {CASE_BLOCK_STORE16, 2},
        {CASE_BLOCK_STORE32, 4}, {CASE_BLOCK_STORE64, 8},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        enum trap_case number = fields[i].number;
        uint32_t last = sizeof(second.payload) - fields[i].bytes;
        expect_value(number, (struct operands){.a = SECOND, .b = 0}, ANY);
        expect_value(number, (struct operands){.a = SECOND, .b = last}, ANY);
        expect_trap(number, (struct operands){.a = SECOND, .b = last + 1}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){.a = SECOND, .b = -16u}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){.a = SECOND, .b = -1u}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){.a = SECOND - 0x100}, ABI_TRAP_HANDLE); /* stale */
        expect_trap(number, (struct operands){.a = 2}, ABI_TRAP_HANDLE);
        expect_trap(number, (struct operands){.a = 3}, ABI_TRAP_HANDLE); /* a slot without block */
        expect_trap(number, (struct operands){.a = 0}, ABI_TRAP_HANDLE);
        expect_trap(number, (struct operands){.a = 0xffffffff}, ABI_TRAP_HANDLE);
    }
    memset(&second, 0, sizeof(second));
    expect_value(CASE_BLOCK_STORE32, (struct operands){.a = SECOND, .b = 5, .c = 0xcafe1234}, ANY);
    expect_value(CASE_BLOCK_LOAD32, (struct operands){.a = SECOND, .b = 5}, 0xcafe1234);
    expect_value(CASE_BLOCK_LOAD8, (struct operands){.a = SECOND, .b = 8}, 0xca);
    cr_expect(eq(u8, second.payload[5], 0x34));
    expect_value(CASE_BLOCK_BYTES, (struct operands){.a = SECOND}, sizeof(second.payload));
    expect_trap(CASE_BLOCK_BYTES, (struct operands){.a = 2}, ABI_TRAP_HANDLE);
}

static void check_block_ranges(void) {
    memset(second.payload, 0x11, sizeof(second.payload));
    memset(second.beyond, 0x22, sizeof(second.beyond));
    for (enum trap_case number = CASE_BLOCK_READ; number <= CASE_BLOCK_WRITE; number++) {
        expect_value(number, (struct operands){SECOND, 0, MEMORY - 32, 32, 0, 0}, ANY);
        expect_value(number, (struct operands){SECOND, 32, MEMORY, 0, 0, 0}, ANY);
        expect_trap(number, (struct operands){SECOND, 0, 0, 33, 0, 0}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){SECOND, 1, 0, 32, 0, 0}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){SECOND, -8u, 0, 16, 0, 0}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){SECOND, 16, 0, -16u, 0, 0}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){SECOND, 0, MEMORY - 31, 32, 0, 0}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){SECOND, 0, 0xfffffff0, 32, 0, 0}, ABI_TRAP_BOUNDS);
        expect_trap(number, (struct operands){2, 0, 0, 1, 0, 0}, ABI_TRAP_HANDLE);
        expect_trap(number, (struct operands){3, 0, 0, 1, 0, 0}, ABI_TRAP_HANDLE);
    }
    cr_expect(eq(u8, second.payload[31], 0x11));
    cr_expect(eq(u8, second.beyond[0], 0x22));
}

static void check_atomics(void) {
    const uint64_t big = 0xfffffffffffffff0u;
    expect_value(CASE_ATOMIC_ADD, (struct operands){.a = 64, .b64 = big}, 0);
    expect_value(CASE_ATOMIC_ADD, (struct operands){.a = 64, .b64 = 0x21}, fold(big));
    expect_value(CASE_ATOMIC_ADD, (struct operands){.a = 64, .b64 = 1}, 0x11);
    for (unsigned i = 0; i < 2; i++) /* the second time nothing holds, so nothing changes */
        expect_value(CASE_ATOMIC_COMPARE_EXCHANGE,
                     (struct operands){.a = 64, .a64 = 0x12, .b64 = big}, i ? fold(big) : 0x12);
    expect_value(CASE_ATOMIC_ADD, (struct operands){.a = 64}, fold(big));
    for (enum trap_case number = CASE_ATOMIC_ADD; number <= CASE_ATOMIC_COMPARE_EXCHANGE;
         number++) {
        expect_value(number, (struct operands){.a = MEMORY - 8}, ANY);
        for (uint32_t off = 1; off < 8; off++) { /* not aligned */
            expect_trap(number, (struct operands){.a = 64 + off}, ABI_TRAP_BOUNDS);
            expect_trap(number, (struct operands){.a = MEMORY - off}, ABI_TRAP_BOUNDS);
        }
        expect_contained(number, MEMORY);
        expect_contained(number, 0x80000000u);
        expect_contained(number, 0xfffffff8u);
    }
}

#define BOTH_KINDS(name)                                                                           \
    Test(checked, name) { check_##name(); }                                                        \
    Test(masked, name) {                                                                           \
        masked = true;                                                                             \
        check_##name();                                                                            \
    }
BOTH_KINDS(accesses)
BOTH_KINDS(ranges)
BOTH_KINDS(control)
BOTH_KINDS(division)
BOTH_KINDS(bits)
BOTH_KINDS(block_fields)
BOTH_KINDS(block_ranges)
BOTH_KINDS(atomics)
