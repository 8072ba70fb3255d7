/*
 * The last stage: compresses bodies with zlib where that pays and the client takes it, keeps what it
 * made of bodies that come again, and gives the client head and body as they go over the wire.
 */
#include "stage.h"
#include "zlib_heap.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_BYTES 20u /* that are compressed, as nginx has it */
#define SETS 32u
#define WAYS 4u

static sip_endpoint client;
static int level;
static bool keeps;
static char body[STAGE_BODY_MOST], packed[STAGE_BODY_MOST], head[STAGE_HEAD_MOST];

/* ---- compressing ---- */

/* Returns the bytes in `packed`, 0 if they would be no fewer. */
static uint32_t compress_body(uint32_t bytes) {
    z_stream stream = {.zalloc = zlib_get, .zfree = zlib_give};
    int window = MAX_WBITS, memory = 8;
    while (window > 9 && bytes < (1u << (window - 1)) - 262) { /* no more than this body can use */
        window--;
        memory -= memory > 1;
    }
    if (deflateInit2(&stream, level, Z_DEFLATED, window + 16, memory, Z_DEFAULT_STRATEGY) != Z_OK)
        sip_fail("the compressor has no memory");
    stream.next_in = (Bytef *)body;
    stream.avail_in = bytes;
    stream.next_out = (Bytef *)packed;
    stream.avail_out = bytes;
    uint32_t made = deflate(&stream, Z_FINISH) == Z_STREAM_END ? (uint32_t)stream.total_out : 0;
    deflateEnd(&stream);
    return made;
}

/* ---- what was compressed before ---- */

static struct kept {
    uint64_t etag;
    uint32_t bytes, used; /* when last */
    char *data;
} cache[SETS][WAYS];
static uint32_t clock;

static struct kept *kept_find(uint64_t etag) {
    struct kept *set = cache[etag % SETS];
    for (uint32_t i = 0; i < WAYS; i++)
        if (set[i].data && set[i].etag == etag) {
            set[i].used = ++clock;
            return &set[i];
        }
    return NULL;
}

static void keep(uint64_t etag, uint32_t bytes) {
    struct kept *set = cache[etag % SETS], *oldest = set;
    for (uint32_t i = 0; i < WAYS; i++)
        if (!set[i].data || (oldest->data && set[i].used < oldest->used))
            oldest = &set[i];
    free(oldest->data);
    *oldest = (struct kept){etag, bytes, ++clock, malloc(bytes)};
    if (oldest->data)
        memcpy(oldest->data, packed, bytes);
}

/* ---- answers ---- */

static const char *reason(uint32_t status) {
    switch (status) {
    case 200:
        return "OK";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    default:
        return "Method Not Allowed";
    }
}

static uint32_t write_head(const struct stage_response *response, bool is_packed, uint32_t bytes) {
    static const char *const types[STAGE_TYPES] = {"text/html; charset=utf-8", "text/css",
                                                   "image/png"};
    char *at = head, *end = head + sizeof head;
    at += snprintf(at, (size_t)(end - at), "HTTP/1.1 %u %s\r\nServer: bulkhead\r\n",
                   response->status, reason(response->status));
    if (response->etag)
        at += snprintf(at, (size_t)(end - at), "ETag: \"%016" PRIx64 "\"\r\n", response->etag);
    if (response->status == 405)
        at += snprintf(at, (size_t)(end - at), "Allow: GET, POST\r\n");
    if (response->type != STAGE_IMAGE)
        at += snprintf(at, (size_t)(end - at), "Vary: Accept-Encoding\r\n");
    if (is_packed)
        at += snprintf(at, (size_t)(end - at), "Content-Encoding: gzip\r\n");
    if (response->status != 304)
        at += snprintf(at, (size_t)(end - at), "Content-Type: %s\r\nContent-Length: %u\r\n",
                       types[response->type], bytes);
    at += snprintf(at, (size_t)(end - at), "\r\n");
    return (uint32_t)(at - head);
}

static void answer(uint64_t word, const struct stage_response *response, bool is_packed,
                   const char *data, uint32_t bytes) {
    uint32_t before = write_head(response, is_packed, bytes);
    sip_handle message = sip_block_for(client, before + bytes);
    if (!message)
        sip_fail("no memory for an answer");
    sip_message_set_word(message, word);
    sip_msg_write(message, 0, head, before);
    sip_msg_write(message, before, data, bytes);
    int64_t error = sip_send(client, message, STAGE_ANSWER, before + bytes);
    if (error && error != ABI_ECLOSED)
        sip_fail("an answer could not be sent");
}

static void take(sip_handle message) {
    struct stage_response response;
    uint32_t bytes = sip_message_bytes(message) - (uint32_t)sizeof response;
    if (bytes > STAGE_BODY_MOST) /* or it is shorter than the structure */
        sip_fail("a response is longer or shorter than any can be");
    uint64_t word = sip_message_word(message);
    sip_msg_read(message, 0, &response, sizeof response);
    if (response.type >= STAGE_TYPES)
        sip_fail("a response has a type that there is not");
    bool packs = level && response.gzip && response.type != STAGE_IMAGE && bytes >= LEAST_BYTES;
    struct kept *kept = packs && keeps && response.cacheable ? kept_find(response.etag) : NULL;
    if (kept) {
        sip_block_free(message);
        answer(word, &response, true, kept->data, kept->bytes);
        return;
    }
    sip_msg_read(message, sizeof response, body, bytes);
    sip_block_free(message);
    uint32_t made = packs ? compress_body(bytes) : 0;
    if (made && keeps && response.cacheable)
        keep(response.etag, made);
    answer(word, &response, made, made ? packed : body, made ? made : bytes);
}

int sip_main(void) {
    const sip_endpoint services[] = {sip_channel("files"), sip_channel("pages")};
    client = sip_channel("answers");
    int64_t wanted = sip_param("level", 1);
    if (wanted < 0 || wanted > 9)
        sip_fail("'level' is not from 0 to 9");
    level = (int)wanted;
    keeps = sip_param("cache", 1) != 0;
    for (;;) {
        int64_t which = sip_wait_any(services, 2);
        if (which < 0)
            sip_fail("the compressor could not wait");
        sip_handle message = stage_next(services[which], STAGE_RESPONSE);
        if (!message) /* all is over, for the other service too */
            return 0;
        take(message);
    }
}
