/*
 * The gate: decides whether a WebAssembly module may be translated to C and run as a SIP. wasm2c
 * prints names into C comments and trusts the module to be tame, so a module passes only if it uses
 * the small subset that our prelude gives a meaning to. The gate does not check types: wasm-validate
 * has done so before.
 */
#ifndef BULKHEAD_GATE_H
#define BULKHEAD_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_MODULE "sip"   /* the one module that may be imported from */
#define GATE_NAME_BYTES 48u /* longest name, NUL excluded */
#define GATE_MAX_PARAMS 14u /* of a function type: the prelude packs a type in 32 bits */
#define GATE_MAX_RULES 128u
#define GATE_MAX_BYTES (4u << 20) /* of module */
#define GATE_MAX_TYPES 1024u
#define GATE_MAX_FUNCTIONS 16384u /* imported ones included */
#define GATE_MAX_LOCALS 4096u     /* of one function, parameters excluded */
#define GATE_MAX_DEPTH 512u       /* of nested blocks */
#define GATE_MAX_TARGETS 4096u    /* of one br_table */
#define GATE_MAX_GLOBALS 1024u
#define GATE_MAX_SEGMENTS 4096u
#define GATE_MAX_TABLE 4096u /* entries */
#define GATE_MAX_PAGES 1024u /* of 64 KiB */
#define GATE_PAGE_BYTES 65536u

enum gate_type {
    GATE_NOTHING = 0,
    GATE_I32 = 0x7f,
    GATE_I64 = 0x7e,
    GATE_F32 = 0x7d,
    GATE_F64 = 0x7c
};

struct gate_signature {
    uint8_t params;
    uint8_t result; /* enum gate_type */
    uint8_t param[GATE_MAX_PARAMS];
};

struct gate_rule {
    char name[GATE_NAME_BYTES + 1];
    uint8_t is_export; /* 1: a function that must be exported; 0: one that may be imported */
    struct gate_signature signature;
};

struct gate_rules {
    bool floats; /* f32 and f64 may be used; set by the caller */
    uint32_t count;
    struct gate_rule rule[GATE_MAX_RULES];
};

struct gate_result {
    uint32_t memory_pages; /* of 64 KiB */
    uint32_t table_entries;
    uint32_t imports;
    char message[256]; /* what is wrong and the mend, when refused */
};

/*
 * Reads rules from the NUL-terminated `text`: a line is `import NAME (TYPES) -> TYPE` or
 * `export NAME (TYPES) -> TYPE`, with types i32 and i64 and an empty result for none; `#` starts a
 * comment. Returns 0 or -EINVAL with a sentence that names the line in `message`.
 */
int gate_rules_read(const char *text, struct gate_rules *rules, char *message, size_t bytes);

/* Returns 0 if the module passes, else -EINVAL with result->message set. Reads only [0, length). */
int gate_check(const uint8_t *module, size_t length, const struct gate_rules *rules,
               struct gate_result *result);

#endif
