/*
 * The gate as a function: its rules, and that no damage to a module makes it read beyond the module or
 * refuse without a message. Which modules it refuses is hostile.sh's business.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"

/* (module (import "sip" "yield" (func (result i64))) (func (export "sip_main") (result i32)
 * i32.const 0) (memory 1 1) (table 2 2 funcref) (elem (i32.const 1) 1) (data (i32.const 8) "x")) */
static const uint8_t tame[] = {
    0,  'a', 's', 'm',  1,    0,    0,    0,                                    /* head */
    1,  9,   2,   0x60, 0,    1,    0x7e, 0x60, 0,   1,   0x7f,                 /* types */
    2,  13,  1,   3,    's',  'i',  'p',  5,    'y', 'i', 'e',  'l', 'd', 0, 0, /* imports */
    3,  2,   1,   1,                                                            /* functions */
    4,  5,   1,   0x70, 1,    2,    2,                                          /* table */
    5,  4,   1,   1,    1,    1,                                                /* memory */
    7,  12,  1,   8,    's',  'i',  'p',  '_',  'm', 'a', 'i',  'n', 0,   1,    /* exports */
    9,  7,   1,   0,    0x41, 1,    0x0b, 1,    1,                              /* elements */
    10, 6,   1,   4,    0,    0x41, 0,    0x0b,                                 /* code */
    11, 7,   1,   0,    0x41, 8,    0x0b, 1,    'x',                            /* data */
};

static const char rules_text[] = "# comment\n"
                                 "import yield () -> i64\n"
                                 "export sip_main () -> i32  # the entry\n";
static struct gate_rules rules;
static struct gate_result result;

static void read_rules(void) {
    char message[128];
    cr_assert(zero(int, gate_rules_read(rules_text, &rules, message, sizeof(message))));
    cr_assert(eq(u32, rules.count, 2));
}

/* Checks a copy of exactly that size, so that a sanitizer sees an access beyond it. */
static int check_copy(const uint8_t *bytes, size_t length) {
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    int status = gate_check(copy, length, &rules, &result);
    free(copy);
    if (status != 0)
        cr_expect(ne(chr, result.message[0], '\0'));
    return status;
}

Test(gate, passes_a_tame_module, .init = read_rules) {
    cr_expect(zero(int, check_copy(tame, sizeof(tame))), "%s", result.message);
    cr_expect(eq(u32, result.memory_pages, 1));
    cr_expect(eq(u32, result.table_entries, 2));
    cr_expect(eq(u32, result.imports, 1));
}

Test(gate, refuses_every_truncation, .init = read_rules) {
    for (size_t length = 0; length < sizeof(tame) - 9; length++) /* data may be left out */
        cr_expect(lt(int, check_copy(tame, length), 0), "cut to %zu bytes", length);
}

Test(gate, survives_every_changed_byte, .init = read_rules) {
    for (size_t at = 0; at < sizeof(tame); at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t changed[sizeof(tame)];
            memcpy(changed, tame, sizeof(tame));
            changed[at] = (uint8_t)value;
            check_copy(changed, sizeof(changed));
        }
    }
}

/* (module (func (export "sip_main") (result i32) i32.const 0 f64.const 1 drop) (memory 1 1)
 * (global f32 (f32.const 1))) */
static const uint8_t floats[] = {
    0,    'a',  's',  'm',  1,   0,    0,    0,                                 /* head */
    1,    5,    1,    0x60, 0,   1,    0x7f,                                    /* types */
    3,    2,    1,    0,                                                        /* functions */
    5,    4,    1,    1,    1,   1,                                             /* memory */
    6,    9,    1,    0x7d, 0,   0x43, 0,    0,    0x80, 0x3f, 0x0b,            /* globals */
    7,    12,   1,    8,    's', 'i',  'p',  '_',  'm',  'a',  'i',  'n', 0, 0, /* exports */
    10,   16,   1,    14,   0,   0x41, 0,    0x44, 0,    0,    0,    0,   0, 0, /* code */
    0xf0, 0x3f, 0x1a, 0x0b,
};

static void allow_floats(void) {
    read_rules();
    rules.floats = true;
}

Test(gate, passes_floats_where_they_are_allowed, .init = allow_floats) {
    cr_expect(zero(int, check_copy(floats, sizeof(floats))), "%s", result.message);
    for (size_t length = 0; length < sizeof(floats); length++)
        cr_expect(lt(int, check_copy(floats, length), 0), "cut to %zu bytes", length);
    rules.floats = false;
    cr_expect(lt(int, check_copy(floats, sizeof(floats)), 0));
    cr_expect(ne(ptr, strstr(result.message, "floating point"), NULL));
}

Test(gate, says_where_the_error_is, .init = read_rules) {
    uint8_t changed[sizeof(tame)];
    memcpy(changed, tame, sizeof(tame));
    changed[sizeof(tame) - 4] = 0x23; /* not reached: offsets are read first */
    changed[8 + 11 + 4] = '*';        /* in "sip" */
    cr_expect(lt(int, check_copy(changed, sizeof(changed)), 0));
    cr_expect(eq(str, result.message,
                 "byte 0x16: import module name is not a C identifier, and wasm2c would print it "
                 "into C: rename it"));
}

Test(gate, refuses_oversized_numbers, .init = read_rules) {
    static const uint8_t six[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0};
    static const uint8_t wide[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x7f};
    cr_expect(lt(int, check_copy(six, sizeof(six)), 0));
    cr_expect(ne(ptr, strstr(result.message, "does not fit 32 bits"), NULL));
    cr_expect(lt(int, check_copy(wide, sizeof(wide)), 0));
    cr_expect(ne(ptr, strstr(result.message, "does not fit 32 bits"), NULL));
}

Test(rules, name_the_line_of_an_error) {
    static const char *const wrong[][2] = {
        {"import a () -> i64\nexprot b () ->\n", "line 2: want `import` or `export` first"},
        {"import () -> i64\n", "line 1: want a function's name"},
        {"import a i32\n", "line 1: want `(` and the parameters' types"},
        {"import a (f32) ->\n", "line 1: want i32, i64 or `)`"},
        {"import a (i32\n", "line 1: want i32, i64 or `)`"},
        {"import a (i32) i32\n", "line 1: want `->` after the parameters"},
        {"import a () -> i32 i32\n", "line 1: want nothing after the result"},
        {"import a (i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) ->\n",
         "line 1: too many parameters"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char message[128];
        cr_expect(lt(int, gate_rules_read(wrong[i][0], &rules, message, sizeof(message)), 0));
        cr_expect(eq(str, message, (char *)wrong[i][1]));
    }
}
