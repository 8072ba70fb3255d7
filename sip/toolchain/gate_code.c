/*
 * The gate's view of function bodies: a list of the instructions that may occur and of what follows
 * each, and the readers that both halves use. Refuses floating point, memory.grow, changes of tables,
 * vectors, atomics and everything newer, by knowing only the rest.
 */
#include <stdarg.h>
#include <stdio.h>

#include "gate_reader.h"

void gate_refuse(struct gate_reader *reader, size_t at, const char *format, ...) {
    if (reader->failed)
        return;
    reader->failed = true;
    char *message = reader->result->message;
    size_t room = sizeof(reader->result->message);
    int used = snprintf(message, room, "byte %#zx: ", at);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + used, room - (size_t)used, format, arguments);
    va_end(arguments);
}

uint8_t gate_read_byte(struct gate_reader *reader) {
    if (reader->failed)
        return 0;
    if (reader->at >= reader->end) {
        gate_refuse(reader, reader->at, "the module ends in the middle of something: rebuild it");
        return 0;
    }
    return reader->bytes[reader->at++];
}

void gate_skip(struct gate_reader *reader, size_t bytes) {
    while (bytes--)
        gate_read_byte(reader);
}

uint32_t gate_read_u32(struct gate_reader *reader) {
    size_t start = reader->at;
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = gate_read_byte(reader);
        if (shift == 28 && byte > 0x0f)
            break;
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return reader->failed ? 0 : value;
    }
    gate_refuse(reader, start, "a number does not fit 32 bits: the module is damaged, rebuild it");
    return 0;
}

int64_t gate_read_signed(struct gate_reader *reader, unsigned bits) {
    size_t start = reader->at;
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint8_t byte = gate_read_byte(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80)
            continue;
        if (shift + 7 < 64 && byte & 0x40)
            value |= ~0ull << (shift + 7);
        unsigned left =
            bits - shift; /* the bits of the last byte that count; the rest repeat the sign */
        if (left < 7) {
            uint8_t rest = (uint8_t)((byte & 0x7f) >> (left - 1));
            if (rest != 0 && rest != (0x7f >> (left - 1)))
                break;
        }
        return reader->failed ? 0 : (int64_t)value;
    }
    gate_refuse(reader, start, "a number does not fit %u bits: the module is damaged, rebuild it",
                bits);
    return 0;
}

uint32_t gate_read_index(struct gate_reader *reader, uint32_t limit, const char *what) {
    size_t start = reader->at;
    uint32_t index = gate_read_u32(reader);
    if (reader->failed || index < limit)
        return index;
    gate_refuse(reader, start, "%s %u does not exist, there are %u: run wasm-validate first", what,
                index, limit);
    return 0;
}

uint32_t gate_read_count(struct gate_reader *reader, uint32_t most, const char *what) {
    size_t start = reader->at;
    uint32_t count = gate_read_u32(reader);
    if (reader->failed || count <= most)
        return count;
    gate_refuse(reader, start, "%u %s, the most is %u: split the SIP", count, what, most);
    return 0;
}

static void refuse_float(struct gate_reader *reader, size_t start) {
    gate_refuse(
        reader, start,
        "floating point: this SIP has integer registers only; use integers, or give FLOAT to "
        "bulkhead_sip()");
}

uint8_t gate_read_type(struct gate_reader *reader) {
    size_t start = reader->at;
    uint8_t type = gate_read_byte(reader);
    bool is_float = type == GATE_F32 || type == GATE_F64;
    if (reader->failed || type == GATE_I32 || type == GATE_I64 || (is_float && reader->floats))
        return type;
    if (is_float)
        refuse_float(reader, start);
    else
        gate_refuse(reader, start, "type %#x is not i32 or i64: compile without newer features",
                    type);
    return 0;
}

enum immediate { /* what follows an instruction */
    REFUSED = 0,
    NOTHING,
    BLOCK,    /* a block type, and one level deeper */
    END,      /* one level up */
    LABEL,    /* index of an enclosing block */
    LABELS,   /* count, labels, default label */
    FUNCTION, /* index */
    INDIRECT, /* type index, table 0 */
    LOCAL,    /* index */
    GLOBAL,   /* index */
    ACCESS,   /* alignment, offset */
    MEMORY,   /* memory 0 */
    NUMBER32,
    NUMBER64,
    FLOAT, /* nothing either; these four only where the caller allows floating point */
    FLOAT_ACCESS,
    FLOAT32,
    FLOAT64,
    GROW,
    PREFIX, /* 0xfc: a second number selects */
};

static const uint8_t immediates[256] = {
    [0x00 ... 0x01] = NOTHING, /* unreachable, nop */
    [0x02 ... 0x04] = BLOCK,   /* block, loop, if */
    [0x05] = NOTHING,          /* else */
    [0x0b] = END,
    [0x0c ... 0x0d] = LABEL, /* br, br_if */
    [0x0e] = LABELS,
    [0x0f] = NOTHING, /* return */
    [0x10] = FUNCTION,
    [0x11] = INDIRECT,
    [0x1a ... 0x1b] = NOTHING, /* drop, select */
    [0x20 ... 0x22] = LOCAL,
    [0x23 ... 0x24] = GLOBAL,
    [0x28 ... 0x29] = ACCESS, /* integer loads */
    [0x2a ... 0x2b] = FLOAT_ACCESS,
    [0x2c ... 0x37] = ACCESS, /* narrow loads, full stores */
    [0x38 ... 0x39] = FLOAT_ACCESS,
    [0x3a ... 0x3e] = ACCESS, /* narrow stores */
    [0x3f] = MEMORY,          /* memory.size */
    [0x40] = GROW,
    [0x41] = NUMBER32,
    [0x42] = NUMBER64,
    [0x43] = FLOAT32,
    [0x44] = FLOAT64,
    [0x45 ... 0x5a] = NOTHING, /* integer comparisons */
    [0x5b ... 0x66] = FLOAT,
    [0x67 ... 0x8a] = NOTHING, /* integer arithmetic */
    [0x8b ... 0xa6] = FLOAT,
    [0xa7] = NOTHING, /* i32.wrap_i64 */
    [0xa8 ... 0xab] = FLOAT,
    [0xac ... 0xad] = NOTHING, /* i64.extend_i32 */
    [0xae ... 0xbf] = FLOAT,
    [0xc0 ... 0xc4] = NOTHING, /* sign extension */
    [0xfc] = PREFIX,
};

static void read_zero(struct gate_reader *reader, const char *what) {
    size_t start = reader->at;
    if (gate_read_byte(reader) != 0)
        gate_refuse(reader, start, "%s other than number 0: there is only one", what);
}

static void read_block_type(struct gate_reader *reader, const struct gate_module *module) {
    size_t start = reader->at;
    int64_t type = gate_read_signed(reader, 33);
    if (type == -64) /* no result */
        return;
    if (type < 0) {
        reader->at = start;
        gate_read_type(reader);
    } else if ((uint64_t)type >= module->types) {
        gate_refuse(reader, start, "block type %lld does not exist: run wasm-validate first",
                    (long long)type);
    }
}

static void read_prefixed(struct gate_reader *reader, const struct gate_module *module,
                          size_t start) {
    uint32_t code = gate_read_u32(reader);
    if (code <= 7) { /* conversion to integer that does not trap */
        if (!reader->floats)
            refuse_float(reader, start);
    } else if ((code == 10 || code == 11) && module->has_memory) { /* memory.copy, memory.fill */
        read_zero(reader, "memory");
        if (code == 10)
            read_zero(reader, "memory");
    } else {
        gate_refuse(reader, start,
                    "instruction 0xfc %u is not allowed: of bulk memory only memory.copy and "
                    "memory.fill are",
                    code);
    }
}

static void read_access(struct gate_reader *reader, const struct gate_module *module) {
    size_t start = reader->at;
    uint32_t align = gate_read_u32(reader);
    if (align > 3)
        gate_refuse(reader, start, "an access aligned to 2^%u bytes: run wasm-validate first",
                    align);
    gate_read_u32(reader);
    if (!module->has_memory)
        gate_refuse(reader, start, "a memory access without a memory: run wasm-validate first");
}

/* Reads one instruction; returns by how much it changes the depth of blocks. */
static int read_instruction(struct gate_reader *reader, const struct gate_module *module,
                            uint32_t depth, uint32_t locals) {
    size_t start = reader->at;
    uint8_t code = gate_read_byte(reader);
    switch ((enum immediate)immediates[code]) {
    case NOTHING:
        return 0;
    case BLOCK:
        read_block_type(reader, module);
        return 1;
    case END:
        return -1;
    case LABEL:
        gate_read_index(reader, depth, "label");
        return 0;
    case LABELS: {
        uint32_t count = gate_read_count(reader, GATE_MAX_TARGETS, "targets of one br_table");
        for (uint32_t i = 0; i <= count && !reader->failed; i++)
            gate_read_index(reader, depth, "label");
        return 0;
    }
    case FUNCTION:
        gate_read_index(reader, module->functions, "function");
        return 0;
    case INDIRECT:
        gate_read_index(reader, module->types, "type");
        read_zero(reader, "table");
        if (!module->has_table)
            gate_refuse(reader, start, "an indirect call without a table: run wasm-validate first");
        return 0;
    case LOCAL:
        gate_read_index(reader, locals, "local");
        return 0;
    case GLOBAL:
        gate_read_index(reader, module->globals, "global");
        return 0;
    case ACCESS:
        read_access(reader, module);
        return 0;
    case MEMORY:
        read_zero(reader, "memory");
        return 0;
    case NUMBER32:
        gate_read_signed(reader, 32);
        return 0;
    case NUMBER64:
        gate_read_signed(reader, 64);
        return 0;
    case PREFIX:
        read_prefixed(reader, module, start);
        return 0;
    case FLOAT:
    case FLOAT_ACCESS:
    case FLOAT32:
    case FLOAT64:
        if (!reader->floats)
            refuse_float(reader, start);
        else if (immediates[code] == FLOAT_ACCESS)
            read_access(reader, module);
        else if (immediates[code] != FLOAT)
            gate_skip(reader, immediates[code] == FLOAT32 ? 4 : 8);
        return 0;
    case GROW:
        gate_refuse(reader, start,
                    "memory.grow: a SIP's memory has a fixed size, give MEMORY to bulkhead_sip()");
        return 0;
    case REFUSED:
        break;
    }
    gate_refuse(reader, start, "instruction %#x is not allowed: compile without newer features",
                code);
    return 0;
}

void gate_check_body(struct gate_reader *reader, const struct gate_module *module) {
    uint32_t groups = gate_read_count(reader, GATE_MAX_LOCALS, "groups of locals in one function");
    uint32_t locals = 0;
    for (uint32_t i = 0; i < groups && !reader->failed; i++) {
        locals += gate_read_count(reader, GATE_MAX_LOCALS - locals, "locals in one function");
        gate_read_type(reader);
    }
    uint32_t visible = locals + GATE_MAX_PARAMS; /* exact check: wasm-validate */
    uint32_t depth = 1;
    while (depth > 0 && !reader->failed) {
        depth += (uint32_t)read_instruction(reader, module, depth, visible);
        if (depth > GATE_MAX_DEPTH)
            gate_refuse(reader, reader->at, "blocks nest deeper than %u: split the function",
                        GATE_MAX_DEPTH);
    }
    if (!reader->failed && reader->at != reader->end)
        gate_refuse(reader, reader->at, "bytes after the end of a function: rebuild the module");
}
