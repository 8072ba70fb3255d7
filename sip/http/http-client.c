/*
 * http: sends the deck of requests through the pipeline, with so many at a time on their way. Once, all
 * of every answer is looked at: status, headers, and the body, decompressed, by its digest. Then the
 * deck is timed, again and again, and each answer must be the same to the last byte.
 */
#include "bench.h"
#include "deck.h"
#include "zlib_heap.h"
#include <http_parser.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define INFLATED_MOST STAGE_BODY_MOST

static struct bench bench;
static sip_endpoint out, answers; /* answers of the first stage come back by `out` */
static uint32_t window;
static bool looks; /* at all of each answer */
static uint64_t oracle;

/* ---- one answer, read as a client would ---- */

static struct {
    char text[STAGE_MESSAGE_MOST];
    const char *name; /* of the header that is being read */
    size_t name_bytes;
    const char *body;
    uint32_t body_bytes;
    bool packed, tagged, complete;
    uint64_t etag;
    char inflated[INFLATED_MOST];
} got;

static bool is_header(const char *name) {
    return strlen(name) == got.name_bytes && memcmp(name, got.name, got.name_bytes) == 0;
}

static int on_name(http_parser *parser, const char *at, size_t bytes) {
    (void)parser;
    got.name = at;
    got.name_bytes = bytes;
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t bytes) {
    (void)parser;
    if (is_header("Content-Encoding"))
        got.packed = bytes == 4 && memcmp(at, "gzip", 4) == 0;
    if (is_header("ETag") && bytes == 18) {
        got.tagged = true;
        got.etag = strtoull(at + 1, NULL, 16);
    }
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t bytes) {
    (void)parser;
    got.body = at;
    got.body_bytes = (uint32_t)bytes;
    return 0;
}

static int on_complete(http_parser *parser) {
    (void)parser;
    got.complete = true;
    return 0;
}

static const http_parser_settings settings = {
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

static void inflate_body(void) {
    z_stream stream = {.zalloc = zlib_get, .zfree = zlib_give};
    if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK)
        sip_fail("the client has no memory to decompress");
    stream.next_in = (Bytef *)(uintptr_t)got.body;
    stream.avail_in = got.body_bytes;
    stream.next_out = (Bytef *)got.inflated;
    stream.avail_out = INFLATED_MOST;
    if (inflate(&stream, Z_FINISH) != Z_STREAM_END || stream.avail_in)
        sip_fail("a body that was compressed cannot be decompressed");
    got.body = got.inflated;
    got.body_bytes = (uint32_t)stream.total_out;
    inflateEnd(&stream);
}

static void look(const struct deck_request *request, sip_handle message, uint32_t bytes) {
    http_parser parser;
    if (bytes > STAGE_MESSAGE_MOST)
        sip_fail("an answer is longer than any can be");
    sip_msg_read(message, 0, got.text, bytes);
    got.packed = got.tagged = got.complete = false;
    got.body_bytes = 0;
    http_parser_init(&parser, HTTP_RESPONSE);
    if (http_parser_execute(&parser, &settings, got.text, bytes) != bytes ||
        HTTP_PARSER_ERRNO(&parser) != HPE_OK || !got.complete)
        sip_fail("an answer is no HTTP");
    if (parser.status_code != request->status)
        sip_fail("an answer has another status than its request must get");
    if (got.packed) {
        if (!request->gzip)
            sip_fail("a body is compressed for a client that cannot decompress it");
        inflate_body();
    }
    if ((request->status == 200 || request->status == 304) != got.tagged ||
        (got.tagged && got.etag != request->digest))
        sip_fail("an answer has another entity tag than its body");
    if (request->has_body &&
        (got.body_bytes != request->bytes || XXH64(got.body, got.body_bytes, 0) != request->digest))
        sip_fail("an answer has another body than was asked for");
    if (request->status == 304 && got.body_bytes)
        sip_fail("an answer without a body has one");
}

/* ---- the deck ---- */

static struct {
    uint32_t at[STAGE_WINDOW_MOST]; /* requests on their way, the oldest first */
    uint32_t first, count;
    bool answered[DECK_REQUESTS];
} way;

static void send_request(uint32_t at) {
    const struct deck_request *request = &deck[at];
    const uint32_t before = sizeof(struct stage_request);
    sip_handle message = sip_block_for(out, before + request->text_bytes);
    if (!message)
        sip_fail("no memory for a request");
    sip_message_set_word(message, at);
    sip_msg_write(message, before, request->text, request->text_bytes);
    if (sip_send(out, message, STAGE_REQUEST, before + request->text_bytes))
        sip_fail("a request could not be sent");
    way.answered[at] = false;
    way.at[(way.first + way.count++) % STAGE_WINDOW_MOST] = at;
}

static void take_answer(sip_endpoint from) {
    sip_handle message = stage_next(from, STAGE_ANSWER);
    uint64_t at = message ? sip_message_word(message) : DECK_REQUESTS;
    if (at >= DECK_REQUESTS || way.answered[at])
        sip_fail("an answer is to no request");
    struct deck_request *request = &deck[at];
    uint32_t bytes = sip_message_bytes(message);
    uint64_t sum = sip_checksum(message, bytes);
    if (looks) {
        look(request, message, bytes);
        request->answer_bytes = bytes;
        request->answer_sum = sum;
    } else if (bytes != request->answer_bytes || sum != request->answer_sum) {
        sip_fail("an answer differs from the one before to the same request");
    }
    way.answered[at] = true;
    sip_block_free(message);
}

/* Waits for the oldest request's answer; others may come before it. */
static void await_oldest(void) {
    uint32_t at = way.at[way.first];
    while (!way.answered[at])
        take_answer(deck[at].kind == DECK_BROKEN ? out : answers);
    way.first = (way.first + 1) % STAGE_WINDOW_MOST;
    way.count--;
}

/* All requests of a kind, or all of them. Returns how many there are. */
static uint32_t run_deck(enum deck_kind kind) {
    uint32_t requests = 0;
    for (uint32_t i = 0; i < DECK_REQUESTS; i++) {
        if (kind != DECK_KINDS && deck[i].kind != kind)
            continue;
        if (way.count == window)
            await_oldest();
        send_request(i);
        requests++;
    }
    while (way.count)
        await_oldest();
    return requests;
}

static void measure(const char *name, enum deck_kind kind, uint32_t samples) {
    uint32_t requests = 0;
    bench_start(&bench, name, RESULT_ROUND_TRIP);
    bench.samples = samples;
    bench.batch = 1;
    for (uint32_t i = 0; i < samples; i++) {
        uint64_t start = sip_clock();
        requests = run_deck(kind);
        bench.values[i] = sip_clock() - start;
        start = sip_clock();
        bench.values[samples + i] = sip_clock() - start;
    }
    if (!requests)
        return;
    bench_count_start(&bench);
    run_deck(kind);
    bench_count_end(&bench);
    bench_finish(&bench, requests, oracle);
}

static uint32_t param_within(const char *name, int64_t fallback, int64_t least, int64_t most,
                             const char *otherwise) {
    int64_t value = sip_param(name, fallback);
    if (value < least || value > most)
        sip_fail(otherwise);
    return (uint32_t)value;
}

int sip_main(void) {
    uint32_t requests = param_within("requests", 512, 1, DECK_REQUESTS * RESULT_MAX_SAMPLES,
                                     "'requests' is not from 1 to 256K");
    uint32_t pages = param_within("pages", 30, 0, 100, "'pages' is not from 0 to 100");
    uint32_t broken =
        param_within("broken", 3, 0, 100 - pages, "'broken' is not from 0 to 100 less 'pages'");
    window = param_within("window", 8, 1, STAGE_WINDOW_MOST, "'window' is not from 1 to 32");
    out = sip_channel("requests");
    answers = sip_channel("answers");
    deck_make((uint64_t)sip_param("seed", 1), pages, broken);
    looks = true;
    run_deck(DECK_KINDS);
    oracle = 0xcbf29ce484222325ull;
    for (uint32_t i = 0; i < DECK_REQUESTS; i++)
        oracle = (oracle ^ deck[i].answer_sum) * 0x100000001b3ull;
    looks = false;
    measure("http-request", DECK_KINDS, (requests + DECK_REQUESTS - 1) / DECK_REQUESTS);
    measure("http-broken", DECK_BROKEN, 1);
    measure("http-unmodified", DECK_UNMODIFIED, 1);
    measure("http-file", DECK_FILE, 1);
    measure("http-page", DECK_PAGE, 1);
    return 0;
}
