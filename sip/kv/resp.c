/* Reading and writing RESP; see resp.h. */
#include "resp.h"
#include <stddef.h>
#include <string.h>

struct reading {
    const char *at, *end;
};

/* ---- reading ---- */

static bool take_break(struct reading *in) {
    if (in->end - in->at < 2 || in->at[0] != '\r' || in->at[1] != '\n')
        return false;
    in->at += 2;
    return true;
}

/* A mark, digits without a sign, and a line break. */
static bool take_count(struct reading *in, char mark, uint32_t most, uint32_t *count) {
    uint32_t value = 0, digits = 0;
    if (in->at == in->end || *in->at != mark)
        return false;
    for (in->at++; in->at != in->end && *in->at >= '0' && *in->at <= '9'; in->at++, digits++) {
        value = value * 10 + (uint32_t)(*in->at - '0');
        if (value > most)
            return false;
    }
    *count = value;
    return digits && take_break(in);
}

static bool take_bulk(struct reading *in, struct resp_text *text) {
    uint32_t bytes;
    if (!take_count(in, RESP_BULK, RESP_MAX_BULK, &bytes) || bytes > (size_t)(in->end - in->at))
        return false;
    *text = (struct resp_text){in->at, bytes};
    in->at += bytes;
    return take_break(in);
}

bool resp_read_command(const char *bytes_in, uint32_t bytes, struct resp_command *command) {
    struct reading in = {bytes_in, bytes_in + bytes};
    if (!take_count(&in, '*', RESP_MAX_PARTS, &command->count) || !command->count)
        return false;
    for (uint32_t i = 0; i < command->count; i++)
        if (!take_bulk(&in, &command->part[i]))
            return false;
    return in.at == in.end;
}

static bool take_line(struct reading *in, struct resp_text *text) {
    const char *start = ++in->at;
    while (in->at != in->end && *in->at != '\r' && *in->at != '\n')
        in->at++;
    *text = (struct resp_text){start, (uint32_t)(in->at - start)};
    return take_break(in);
}

bool resp_read_reply(const char *bytes_in, uint32_t bytes, struct resp_reply *reply) {
    static const char null[] = "$-1\r\n";
    struct reading in = {bytes_in, bytes_in + bytes};
    if (!bytes)
        return false;
    reply->kind = (enum resp_kind)bytes_in[0];
    switch (bytes_in[0]) {
    case RESP_BULK:
        if (bytes == sizeof null - 1 && memcmp(bytes_in, null, bytes) == 0) {
            *reply = (struct resp_reply){.kind = RESP_NULL};
            return true;
        }
        return take_bulk(&in, &reply->text) && in.at == in.end;
    case RESP_STATUS:
    case RESP_ERROR:
    case RESP_NUMBER:
        return take_line(&in, &reply->text) && in.at == in.end;
    default:
        return false;
    }
}

bool resp_is(struct resp_text text, const char *upper) {
    for (uint32_t i = 0; i < text.bytes; i++) {
        char letter = text.text[i];
        if (letter >= 'a' && letter <= 'z')
            letter = (char)(letter - 'a' + 'A');
        if (!upper[i] || letter != upper[i])
            return false;
    }
    return !upper[text.bytes];
}

/* ---- writing ---- */

static char *write_break(char *to) {
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

static char *write_count(char *to, char mark, uint32_t count) {
    char digits[10];
    uint32_t used = 0;
    *to++ = mark;
    do
        digits[used++] = (char)('0' + count % 10);
    while (count /= 10);
    while (used)
        *to++ = digits[--used];
    return write_break(to);
}

static char *write_line(char *to, char mark, const char *line) {
    for (*to++ = mark; *line; line++)
        *to++ = *line;
    return write_break(to);
}

char *resp_write_array(char *to, uint32_t count) { return write_count(to, '*', count); }

char *resp_write_bulk(char *to, const void *text, uint32_t bytes) {
    to = write_count(to, RESP_BULK, bytes);
    memcpy(to, text, bytes);
    return write_break(to + bytes);
}

char *resp_write_null(char *to) { return write_line(to, RESP_BULK, "-1"); }

char *resp_write_number(char *to, uint32_t number) { return write_count(to, RESP_NUMBER, number); }

char *resp_write_status(char *to, const char *line) { return write_line(to, RESP_STATUS, line); }

char *resp_write_error(char *to, const char *line) { return write_line(to, RESP_ERROR, line); }
