/* The drawing of the deck: texts of requests, good and bad, and the digests of what they ask for. */
#include "deck.h"
#include "page.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct deck_request deck[DECK_REQUESTS];

static struct content_draws draws;
static uint64_t digests[CONTENT_FILES];
static char text[STAGE_TEXT_MOST + 1], json[STAGE_TEXT_MOST / 2 + 512], body[STAGE_BODY_MOST];
static uint32_t used; /* of the text */

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...) {
    va_list values;
    va_start(values, format);
    int bytes = vsnprintf(text + used, sizeof text - used, format, values);
    va_end(values);
    if (bytes < 0 || (uint32_t)bytes >= sizeof text - used)
        sip_fail("a request is longer than any can be");
    used += (uint32_t)bytes;
}

/* ---- heads ---- */

static void add_head(const struct deck_request *request, const char *method, const char *path) {
    static const char *const agents[] = {
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/126.0",
        "curl/7.88.1",
    };
    add("%s %s HTTP/1.1\r\nHost: bulkhead.example\r\nUser-Agent: %s\r\nAccept: */*\r\n", method,
        path, agents[content_draw(&draws, 3)]);
    if (request->gzip)
        add("Accept-Encoding: %s\r\n", content_draw(&draws, 2) ? "gzip, deflate, br" : "br, gzip");
    else if (content_draw(&draws, 2))
        add("Accept-Encoding: identity\r\n");
    if (content_draw(&draws, 2))
        add("Accept-Language: en-GB,en;q=0.7\r\nCookie: session=%08x%08x\r\n",
            content_draw(&draws, 1u << 31), content_draw(&draws, 1u << 31));
}

/* ---- files ---- */

static uint32_t draw_file(void) {
    static const uint32_t folders[] = {12, 6, 4, 3, 0}; /* by Zipf's law, as in SPECweb99 */
    static const uint32_t ranks[] = {2520, 1260, 840, 630, 504, 420, 360, 315, 280, 0};
    static const uint32_t classes[] = {35, 50, 0};
    uint32_t folder = content_draw_by(&draws, folders), class = content_draw_by(&draws, classes);
    return content_file(folder, class, content_draw_by(&draws, ranks));
}

/* One byte of the path may be written as %XX. */
static void draw_path(uint32_t file, char path[CONTENT_PATH_MOST + 2]) {
    content_file_path(file, path);
    if (content_draw(&draws, 8) == 0) {
        char rest[CONTENT_PATH_MOST];
        uint32_t at = 1 + content_draw(&draws, (uint32_t)strlen(path) - 1);
        strcpy(rest, path + at + 1);
        snprintf(path + at, CONTENT_PATH_MOST + 2 - at, "%%%02x%s", path[at], rest);
    }
}

static void make_file(struct deck_request *request) {
    char path[CONTENT_PATH_MOST + 2];
    uint32_t file = draw_file();
    draw_path(file, path);
    request->type = content_file_type(file);
    request->status = request->kind == DECK_FILE ? 200 : 304;
    request->digest = digests[file];
    request->bytes = content_file_bytes(file);
    request->has_body = request->kind == DECK_FILE;
    add_head(request, "GET", path);
    if (request->kind == DECK_UNMODIFIED)
        add("If-None-Match: \"%016" PRIx64 "\"\r\n", digests[file]);
    add("\r\n");
}

static void make_missing(struct deck_request *request) {
    static const struct {
        const char *method, *path;
        uint16_t status;
    } missing[] = {
        {"GET", "/static/dir9/class0_0.html", 404},
        {"GET", "/static/../secret", 404},
        {"GET", "/nothing", 404},
        {"GET", "/static/%zz", 404},
        {"DELETE", "/static/dir0/class0_0.html", 405},
        {"GET", "/pages/order", 405},
    };
    uint32_t which = content_draw(&draws, sizeof missing / sizeof *missing);
    request->status = missing[which].status;
    add_head(request, missing[which].method, missing[which].path);
    add("\r\n");
}

/* ---- pages ---- */

static void draw_text(char to[PAGE_TEXT_MOST], uint32_t words) {
    static const char special[] = "\"\\<>&/";
    uint32_t bytes = content_words(&draws, words, to);
    if (content_draw(&draws, 3) == 0)
        to[content_draw(&draws, bytes)] = special[content_draw(&draws, sizeof special - 1)];
}

static void draw_page(struct page *page) {
    draw_text(page->title, 2 + content_draw(&draws, 3));
    draw_text(page->user, 2);
    page->items = 1 + content_draw(&draws, 12);
    for (uint32_t i = 0; i < page->items; i++) {
        draw_text(page->item[i].name, 1 + content_draw(&draws, 3));
        page->item[i].count = 1 + content_draw(&draws, 9);
        page->item[i].cents = 1 + content_draw(&draws, 100000);
    }
}

static uint32_t json_used;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...) {
    va_list values;
    va_start(values, format);
    int bytes = vsnprintf(json + json_used, sizeof json - json_used, format, values);
    va_end(values);
    if (bytes < 0 || (uint32_t)bytes >= sizeof json - json_used)
        sip_fail("the parameters of a page are longer than any can be");
    json_used += (uint32_t)bytes;
}

static void put_string(const char *string) {
    put("\"");
    for (; *string; string++)
        put(*string == '"' || *string == '\\' ? "\\%c"
            : *string == '<'                  ? "\\u%04x"
                                              : "%c",
            *string);
    put("\"");
}

static void put_page(const struct page *page) {
    json_used = 0;
    put("{\"title\": ");
    put_string(page->title);
    put(", \"user\": ");
    put_string(page->user);
    put(", \"items\": [");
    for (uint32_t i = 0; i < page->items; i++) {
        put("%s{\"name\": ", i ? ", " : "");
        put_string(page->item[i].name);
        put(", \"count\": %u, \"cents\": %u}", page->item[i].count, page->item[i].cents);
    }
    put("]}");
}

/* In two or three chunks, or whole. */
static void add_json(void) {
    if (content_draw(&draws, 8)) {
        add("Content-Length: %u\r\n\r\n%.*s", json_used, (int)json_used, json);
        return;
    }
    uint32_t half = json_used / 2;
    add("Transfer-Encoding: chunked\r\n\r\n%x\r\n%.*s\r\n", half, (int)half, json);
    add("%x\r\n%.*s\r\n0\r\n\r\n", json_used - half, (int)(json_used - half), json + half);
}

static void make_page(struct deck_request *request) {
    static struct page page;
    char path[32];
    uint32_t which = content_draw(&draws, 3);
    snprintf(path, sizeof path, "/pages/%s", page_names[which]);
    draw_page(&page);
    put_page(&page);
    request->status = 200;
    if (request->kind == DECK_PAGE_BROKEN) {
        request->status = 400;
        json_used -= 2 + content_draw(&draws, json_used / 2);
    } else {
        request->has_body = true;
        request->bytes = page_render(which, &page, body);
        request->digest = XXH64(body, request->bytes, 0);
    }
    add_head(request, "POST", path);
    add("Content-Type: application/json\r\n");
    add_json();
}

/* ---- requests that are none ---- */

static void make_broken(struct deck_request *request) {
    static const char *const broken[] = {
        "GET /static/dir0/class0_0.html HTTP/1.1\r\n\r\n", /* no host */
        "GET /static/dir0/class0_0.html HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GE( /static/dir0/class0_0.html HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /static/dir0/class0_0.html HTTP/one\r\nHost: a\r\n\r\n",
        "GET /static/ dir0 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /static/dir0/class0_0.html HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /static/dir0/class0_0.html HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", /* goes on */
        "GET /static/dir0/class0_0.html HTTP/1.1\r\nHost: a\r\n",           /* no end */
        "POST /pages/order HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{}",
        "POST /pages/order HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}GET / "
        "HTTP/1.1\r\n\r\n",
        "POST /pages/order HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}",
        "POST /pages/order HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked"
        "\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST /pages/order HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n",
    };
    request->status = 400;
    add("%s", broken[content_draw(&draws, sizeof broken / sizeof *broken)]);
}

/* ---- the deck ---- */

static enum deck_kind draw_kind(uint32_t pages, uint32_t broken) {
    uint32_t which = content_draw(&draws, 100);
    if (which < broken)
        return DECK_BROKEN;
    if (which < broken + pages)
        return content_draw(&draws, 32) ? DECK_PAGE : DECK_PAGE_BROKEN;
    which = content_draw(&draws, 100);
    return which < 3 ? DECK_MISSING : which < 18 ? DECK_UNMODIFIED : DECK_FILE;
}

static void make(struct deck_request *request) {
    used = 0;
    request->gzip = content_draw(&draws, 8) != 0;
    if (request->kind == DECK_BROKEN)
        make_broken(request);
    else if (request->kind == DECK_MISSING)
        make_missing(request);
    else if (request->kind == DECK_PAGE || request->kind == DECK_PAGE_BROKEN)
        make_page(request);
    else
        make_file(request);
    char *kept = malloc(used);
    if (!kept)
        sip_fail("no memory for the requests");
    memcpy(kept, text, used);
    request->text = kept;
    request->text_bytes = used;
}

void deck_make(uint64_t seed, uint32_t pages, uint32_t broken) {
    for (uint32_t i = 0; i < CONTENT_FILES; i++) {
        content_file_fill(i, seed, body);
        digests[i] = XXH64(body, content_file_bytes(i), 0);
    }
    content_draws_start(&draws, seed + 99);
    for (uint32_t i = 0; i < DECK_REQUESTS; i++) {
        deck[i].kind = draw_kind(pages, broken);
        make(&deck[i]);
    }
}
