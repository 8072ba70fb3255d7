/*
 * The first stage: takes requests as they come over the wire, has http-parser read them, and passes on
 * where their parts are. What HTTP/1.1 does not allow gets a 400 from here.
 */
#include "stage.h"
#include <http_parser.h>
#include <stdio.h>
#include <string.h>

enum header {
    HEADER_OTHER,
    HEADER_HOST,
    HEADER_ETAG,
    HEADER_ACCEPT
};

static struct {
    char text[STAGE_TEXT_MOST + 1];
    struct stage_request request;
    enum header header; /* that was read last */
    bool has_value;
    uint32_t hosts;
    bool complete, moved;
} now;

static bool is_name(const char *at, size_t bytes, const char *lower) {
    for (; bytes && *lower; at++, bytes--, lower++)
        if ((*at | ('A' <= *at && *at <= 'Z' ? 0x20 : 0)) != *lower)
            return false;
    return !bytes && !*lower;
}

static struct stage_part part(const char *at, size_t bytes) {
    return (struct stage_part){(uint16_t)(at - now.text), (uint16_t)bytes};
}

/* ---- what the parser calls: anything but 0 refuses the request ---- */

static int on_begin(http_parser *parser) {
    (void)parser;
    return now.complete; /* a second one where there may be one only */
}

static int on_url(http_parser *parser, const char *at, size_t bytes) {
    struct http_parser_url url;
    (void)parser;
    http_parser_url_init(&url);
    if (http_parser_parse_url(at, bytes, 0, &url) || !(url.field_set & 1 << UF_PATH))
        return 1;
    now.request.path = part(at + url.field_data[UF_PATH].off, url.field_data[UF_PATH].len);
    return 0;
}

static int on_header(http_parser *parser, const char *at, size_t bytes) {
    (void)parser;
    now.header = is_name(at, bytes, "host")              ? HEADER_HOST
                 : is_name(at, bytes, "if-none-match")   ? HEADER_ETAG
                 : is_name(at, bytes, "accept-encoding") ? HEADER_ACCEPT
                                                         : HEADER_OTHER;
    now.has_value = false;
    return 0;
}

/* Whether a list of codings names gzip, and does not weigh it with 0. */
static bool takes_gzip(const char *at, size_t bytes) {
    while (bytes) {
        const char *comma = memchr(at, ',', bytes);
        size_t word = 0, item = comma ? (size_t)(comma - at) : bytes;
        const char *coding = at;
        for (at += item + !!comma, bytes -= item + !!comma; item && *coding == ' '; item--)
            coding++;
        while (word < item && coding[word] != ';' && coding[word] != ' ')
            word++;
        if (is_name(coding, word, "gzip"))
            return !(item - word >= 4 && strncmp(coding + word, ";q=0", 4) == 0 &&
                     !memchr(coding + word, '.', item - word));
    }
    return false;
}

static int on_value(http_parser *parser, const char *at, size_t bytes) {
    (void)parser;
    if (now.has_value) /* goes on in the next line, which RFC 9112 lets a server refuse */
        return 1;
    now.has_value = true;
    if (now.header == HEADER_HOST)
        now.hosts++;
    else if (now.header == HEADER_ETAG)
        now.request.etag = part(at, bytes);
    else if (now.header == HEADER_ACCEPT)
        now.request.gzip = takes_gzip(at, bytes);
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t bytes) {
    struct stage_part *body = &now.request.body;
    (void)parser;
    if (!body->bytes) {
        *body = part(at, bytes);
        return 0;
    }
    memmove(now.text + body->at + body->bytes, at, bytes); /* chunks, without what is between */
    body->bytes += (uint16_t)bytes;
    now.moved = true;
    return 0;
}

static int on_complete(http_parser *parser) {
    (void)parser;
    now.complete = true;
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_header,
    .on_header_value = on_value,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* ---- the SIP ---- */

static bool parse(uint32_t bytes) {
    http_parser parser;
    memset(&now.request, 0, sizeof now.request);
    now.hosts = 0;
    now.complete = now.moved = false;
    http_parser_init(&parser, HTTP_REQUEST);
    if (http_parser_execute(&parser, &settings, now.text, bytes) != bytes ||
        HTTP_PARSER_ERRNO(&parser) != HPE_OK || parser.upgrade || !now.complete)
        return false;
    now.request.method = parser.method == HTTP_GET    ? STAGE_GET
                         : parser.method == HTTP_POST ? STAGE_POST
                                                      : STAGE_OTHER;
    return parser.http_major == 1 && parser.http_minor == 1 && now.hosts == 1;
}

static void refuse(sip_endpoint client, sip_handle request) {
    static const char answer[] =
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    sip_handle message = sip_block_for(client, sizeof answer - 1);
    if (!message)
        sip_fail("no memory for an answer");
    sip_message_set_word(message, sip_message_word(request));
    sip_block_free(request);
    sip_msg_write(message, 0, answer, sizeof answer - 1);
    int64_t error = sip_send(client, message, STAGE_ANSWER, sizeof answer - 1);
    if (error && error != ABI_ECLOSED)
        sip_fail("an answer could not be sent");
}

int sip_main(void) {
    sip_endpoint client = sip_channel("requests"), router = sip_channel("parsed");
    struct stage_request ignored;
    sip_handle message;
    while ((message = stage_next(client, STAGE_REQUEST))) {
        uint32_t bytes = stage_request_read(message, &ignored, now.text);
        if (!parse(bytes)) {
            refuse(client, message);
            continue;
        }
        if (now.moved)
            sip_msg_write(message, sizeof now.request, now.text, bytes);
        stage_request_pass(router, message, &now.request);
    }
    return 0;
}
