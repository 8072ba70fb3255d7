/*
 * The Redis serialisation protocol, version 2 (redis.io, "Redis serialization protocol specification"):
 * what a command and a reply look like in bytes. Commands are arrays of bulk strings; there are no
 * inline commands and no nested replies. Readers believe nothing: they stay inside `bytes`.
 */
#ifndef BULKHEAD_RESP_H
#define BULKHEAD_RESP_H

#include <stdbool.h>
#include <stdint.h>

#define RESP_MAX_PARTS 4u
#define RESP_MAX_BULK 1024u /* bytes of one bulk string */

struct resp_text { /* not terminated; may hold any bytes */
    const char *text;
    uint32_t bytes;
};

struct resp_command {
    uint32_t count;
    struct resp_text part[RESP_MAX_PARTS];
};

enum resp_kind {
    RESP_STATUS = '+',
    RESP_ERROR = '-',
    RESP_NUMBER = ':',
    RESP_BULK = '$',
    RESP_NULL = 'N', /* a bulk string that is not there */
};
struct resp_reply {
    enum resp_kind kind;
    struct resp_text text; /* of a number: its digits */
};

/* True if the bytes are one command, whole and with nothing behind it. */
bool resp_read_command(const char *in, uint32_t bytes, struct resp_command *command);
bool resp_read_reply(const char *in, uint32_t bytes, struct resp_reply *reply);

/* Each writes at `to`, where there must be room, and returns where the next byte goes. */
char *resp_write_array(char *to, uint32_t count);
char *resp_write_bulk(char *to, const void *text, uint32_t bytes);
char *resp_write_null(char *to);
char *resp_write_number(char *to, uint32_t number);
/* `line` has no line break. */
char *resp_write_status(char *to, const char *line);
char *resp_write_error(char *to, const char *line);

/* The command word is this one, in any case. */
bool resp_is(struct resp_text text, const char *upper);

#endif
