/*
 * The service of pages: reads a page's parameters, JSON in the body of a POST, with jsmn, and renders
 * the template that the path names.
 */
#include "page.h"
#include <stdlib.h>
#include <string.h>
#define JSMN_STRICT
#define JSMN_PARENT_LINKS /* without them each } looks for its { */
#include <jsmn.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define TOKENS 160u /* 8 for a page, 7 for each of its items, and some that are ignored */

static struct {
    char text[STAGE_TEXT_MOST + 1];
    const char *json;
    jsmntok_t token[TOKENS];
    int tokens;
    struct page page;
    char body[STAGE_BODY_MOST];
} now;

/* ---- JSON ---- */

/* The token behind this one and all that is in it. */
static int behind(int at) {
    for (int left = 1; left && at < now.tokens; left--)
        left += now.token[at++].size;
    return at;
}

/* A key that has a value, which is the next token then. */
static bool is_key(int at) {
    return at < now.tokens && now.token[at].type == JSMN_STRING && now.token[at].size == 1;
}

static bool is_text(int at, const char *text) {
    const jsmntok_t *token = &now.token[at];
    size_t bytes = (size_t)(token->end - token->start);
    return token->type == JSMN_STRING && strlen(text) == bytes &&
           memcmp(now.json + token->start, text, bytes) == 0;
}

/* A code point as UTF-8; halves of surrogate pairs are refused. */
static uint32_t put_code(char *to, uint32_t code) {
    if (code < 0x80) {
        to[0] = (char)code;
        return code != 0;
    }
    if (code < 0x800) {
        to[0] = (char)(0xc0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code >= 0xd800 && code < 0xe000)
        return 0;
    to[0] = (char)(0xe0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3f));
    to[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

/* A string without its escapes, which jsmn has checked. */
static bool get_text(int at, char to[PAGE_TEXT_MOST]) {
    static const char escape[] = "bfnrt", meant[] = "\b\f\n\r\t";
    uint32_t bytes = 0;
    if (now.token[at].type != JSMN_STRING)
        return false;
    for (int i = now.token[at].start; i < now.token[at].end; i++) {
        if (bytes > PAGE_TEXT_MOST - 4)
            return false;
        char byte = now.json[i];
        if (byte != '\\') {
            to[bytes++] = byte;
            continue;
        }
        byte = now.json[++i];
        if (byte == 'u') {
            char digits[5] = {0};
            memcpy(digits, now.json + i + 1, 4);
            uint32_t put = put_code(to + bytes, (uint32_t)strtoul(digits, NULL, 16));
            if (!put)
                return false;
            bytes += put;
            i += 4;
            continue;
        }
        const char *found = memchr(escape, byte, sizeof escape - 1);
        to[bytes++] = found ? meant[found - escape] : byte;
    }
    to[bytes] = 0;
    return true;
}

static bool get_number(int at, uint32_t *number) {
    const jsmntok_t *token = &now.token[at];
    if (token->type != JSMN_PRIMITIVE || token->end - token->start > 9)
        return false;
    *number = 0;
    for (int i = token->start; i < token->end; i++) {
        if (now.json[i] < '0' || now.json[i] > '9')
            return false;
        *number = *number * 10 + (uint32_t)(now.json[i] - '0');
    }
    return true;
}

static bool get_item(int at, struct page_item *item) {
    uint32_t found = 0;
    if (now.token[at].type != JSMN_OBJECT)
        return false;
    int keys = now.token[at].size;
    for (at++; keys; keys--, at = behind(at)) {
        int value = at + 1;
        if (!is_key(at))
            return false;
        if (is_text(at, "name") && get_text(value, item->name))
            found |= 1;
        else if (is_text(at, "count") && get_number(value, &item->count))
            found |= 2;
        else if (is_text(at, "cents") && get_number(value, &item->cents))
            found |= 4;
    }
    return found == 7;
}

static bool get_items(int at) {
    int items = now.token[at].size;
    if (now.token[at].type != JSMN_ARRAY || items > (int)PAGE_ITEMS_MOST)
        return false;
    now.page.items = (uint32_t)items;
    at++;
    for (int i = 0; i < items; i++, at = behind(at))
        if (!get_item(at, &now.page.item[i]))
            return false;
    return true;
}

static bool get_page(uint32_t bytes) {
    jsmn_parser parser;
    uint32_t found = 0;
    jsmn_init(&parser);
    now.tokens = jsmn_parse(&parser, now.json, bytes, now.token, TOKENS);
    if (now.tokens < 1 || now.token[0].type != JSMN_OBJECT || behind(0) != now.tokens)
        return false;
    int at = 1;
    for (int keys = now.token[0].size; keys; keys--, at = behind(at)) {
        if (!is_key(at))
            return false;
        if (is_text(at, "title") && get_text(at + 1, now.page.title))
            found |= 1;
        else if (is_text(at, "user") && get_text(at + 1, now.page.user))
            found |= 2;
        else if (is_text(at, "items") && get_items(at + 1))
            found |= 4;
    }
    return found == 7;
}

/* ---- the SIP ---- */

/* The number of the template that the path ends with, or -1. */
static int find(const char *path, uint32_t bytes) {
    uint32_t name = bytes;
    while (name && path[name - 1] != '/')
        name--;
    for (int i = 0; page_names[i]; i++)
        if (strlen(page_names[i]) == bytes - name &&
            memcmp(page_names[i], path + name, bytes - name) == 0)
            return i;
    return -1;
}

static void answer(sip_endpoint to, sip_handle message) {
    struct stage_request request;
    stage_request_read(message, &request, now.text);
    struct stage_response response = {.gzip = request.gzip, .status = 200};
    now.json = now.text + request.body.at;
    int which = find(now.text + request.path.at, request.path.bytes);
    uint32_t bytes = 0;
    if (which < 0)
        response.status = 404;
    else if (!get_page(request.body.bytes))
        response.status = 400;
    else {
        bytes = page_render((uint32_t)which, &now.page, now.body);
        response.etag = XXH64(now.body, bytes, 0);
    }
    stage_respond(to, message, &response, now.body, bytes);
}

int sip_main(void) {
    sip_endpoint router = sip_channel("for-templates"), compressor = sip_channel("pages");
    sip_handle message;
    while ((message = stage_next(router, STAGE_REQUEST)))
        answer(compressor, message);
    return 0;
}
