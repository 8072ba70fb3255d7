/*
 * Bounded reading of a WebAssembly module, shared by the two halves of the gate. The first error
 * sticks: it records one message and makes every later read return 0 at once, so that a caller may
 * check after a loop of bounded length instead of after each read.
 */
#ifndef BULKHEAD_GATE_READER_H
#define BULKHEAD_GATE_READER_H

#include <stdbool.h>

#include "gate.h"

struct gate_reader {
    const uint8_t *bytes;
    size_t at;
    size_t end; /* of what may be read now: the section or the function body */
    bool failed;
    bool floats; /* f32 and f64 are types */
    struct gate_result *result;
};

struct gate_module {                             /* what later sections are checked against */
    uint32_t types, imports, functions, globals; /* functions: imported ones included */
    bool has_memory, has_table;
    struct gate_signature type[GATE_MAX_TYPES];
    uint16_t function_type[GATE_MAX_FUNCTIONS];
};

/* Records "byte OFFSET: <sentence>" unless an error is recorded already. */
void gate_refuse(struct gate_reader *reader, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

uint8_t gate_read_byte(struct gate_reader *reader);

void gate_skip(struct gate_reader *reader, size_t bytes);

/* An unsigned LEB128 number of at most 32 bits in at most 5 bytes. */
uint32_t gate_read_u32(struct gate_reader *reader);

/* A signed LEB128 number of `bits` bits, 32, 33 or 64. */
int64_t gate_read_signed(struct gate_reader *reader, unsigned bits);

/* A number that must be below `limit`; `what` names it in the message. */
uint32_t gate_read_index(struct gate_reader *reader, uint32_t limit, const char *what);

/* A count of at most `most` things called `what`. */
uint32_t gate_read_count(struct gate_reader *reader, uint32_t most, const char *what);

uint8_t gate_read_type(struct gate_reader *reader);

/* Checks the function bodies of the code section, in which the reader stands after its count. */
void gate_check_body(struct gate_reader *reader, const struct gate_module *module);

#endif
