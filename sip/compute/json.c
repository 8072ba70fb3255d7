/*
 * A JSON reader (RFC 8259, integers only) that turns text into tokens, each with its place and number
 * of children, over a document that it wrote itself. Byte loads, switches, and recursion.
 */
#include "compute.h"

#define TEXT_BYTES (32u << 10)
#define TOKENS 8192
#define DEPTH 64

struct token {
    uint32_t start, end; /* of its text, end excluded */
    uint16_t children;
    uint8_t kind; /* its first character */
};

struct reader {
    uint32_t at, tokens, depth;
    bool failed;
};

static char text[TEXT_BYTES];
static uint32_t text_bytes;
static struct token tokens[TOKENS];

static void put_text(const char *part) {
    while (*part && text_bytes < TEXT_BYTES)
        text[text_bytes++] = *part++;
}

static void put_number(uint32_t number) {
    char digits[11];
    unsigned at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put_text(digits + at);
}

static void write_document(void) {
    uint32_t random = 12345;
    text_bytes = 0;
    put_text("[");
    while (text_bytes < TEXT_BYTES - 256) {
        put_text("{\"id\": ");
        put_number(compute_random(&random));
        put_text(", \"name\": \"item \\\"");
        put_number(compute_random(&random) & 1023);
        put_text("\\\"\", \"tags\": [true, false, null, ");
        put_number(compute_random(&random) & 65535);
        put_text("], \"at\": {\"x\": -");
        put_number(compute_random(&random) & 4095);
        put_text("}},\n");
    }
    put_text("0]");
}

static char peek(const struct reader *reader) {
    return reader->at < text_bytes ? text[reader->at] : '\0';
}

static char skip_space(struct reader *reader) {
    char c = peek(reader);
    while (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
        reader->at++;
        c = peek(reader);
    }
    return c;
}

static void read_string(struct reader *reader) {
    for (char c = peek(reader); c != '"'; c = peek(reader)) {
        if (c == '\0') {
            reader->failed = true;
            return;
        }
        reader->at += c == '\\' ? 2 : 1;
    }
    reader->at++;
}

static void read_word(struct reader *reader) {
    for (char c = peek(reader); (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); c = peek(reader))
        reader->at++;
}

static void read_value(struct reader *reader);

/* The members of an object or array, up to its closing bracket. */
static uint16_t read_members(struct reader *reader, char close, bool named) {
    uint16_t children = 0;
    if (skip_space(reader) == close) {
        reader->at++;
        return 0;
    }
    for (;;) {
        read_value(reader);
        if (named) {
            reader->failed |= skip_space(reader) != ':';
            reader->at++;
            read_value(reader);
        }
        children++;
        char c = skip_space(reader);
        reader->at++;
        if (c == close)
            return children;
        if (c != ',' || reader->failed) {
            reader->failed = true;
            return children;
        }
    }
}

static void read_value(struct reader *reader) {
    char c = skip_space(reader);
    if (reader->tokens == TOKENS || reader->depth == DEPTH || reader->failed) {
        reader->failed = true;
        return;
    }
    struct token *token = &tokens[reader->tokens++];
    token->kind = (uint8_t)c;
    token->start = reader->at++;
    token->children = 0;
    reader->depth++;
    if (c == '{' || c == '[')
        token->children = read_members(reader, c == '{' ? '}' : ']', c == '{');
    else if (c == '"')
        read_string(reader);
    else if (c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n')
        read_word(reader);
    else
        reader->failed = true;
    reader->depth--;
    token->end = reader->at;
}

static uint32_t hash_tokens(uint32_t count) {
    uint32_t sum = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct token *token = &tokens[i];
        uint32_t hash = COMPUTE_HASH_START;
        if (token->children == 0)
            for (uint32_t at = token->start; at < token->end; at++)
                hash = compute_hash(hash, (uint8_t)text[at]);
        sum = sum * 33 + (hash ^ token->kind ^ token->children);
    }
    return sum;
}

uint32_t compute_json(uint32_t rounds) {
    uint32_t checksum = 0;
    write_document();
    for (uint32_t round = 0; round < rounds; round++) {
        struct reader reader = {0};
        read_value(&reader);
        checksum = checksum * 7 + (reader.failed ? round : hash_tokens(reader.tokens));
        text[text_bytes - 2] = (char)('0' + round % 10);
    }
    return checksum;
}
