/*
 * A client of the key-value server: sets all of its keys, then makes requests as YCSB's workloads A, B
 * and C do. It knows every value, so that each reply is compared byte by byte. The first client measures
 * and in the end has the server compare table and log; others tell it by a key that they are done.
 */
#include "bench.h"
#include "digest.h"
#include "kv_block.h"
#include "kv_contract.h"
#include "resp.h"
#include "zipf.h"

#include <string.h>

#define CLIENTS 4u
#define MOST_KEYS 1024u
#define KEY_BYTES 24u /* at most, of user<number> */
#define DONE_BYTES 32u
#define PRIME 0x100000001b3ull

struct mix {
    const char *operation;
    uint32_t set_percent;
};
static const struct mix mixes[] = {{"kv-request-a", 50}, {"kv-request-b", 5}, {"kv-request-c", 0}};
#define MIXES (sizeof mixes / sizeof *mixes)

struct choice { /* a request, before it is made */
    bool set;
    uint32_t key; /* of this client's */
    uint32_t key_bytes;
    char name[KEY_BYTES];
    uint8_t value[RESP_MAX_BULK]; /* to set, or that should come */
};

static struct bench bench;
static sip_endpoint server;
static sip_handle held; /* the last reply's block; or 0 */
static uint32_t number; /* of this client, from 0 */
static uint32_t clients, keys, value_bytes;
static uint64_t seed, draws;
static uint32_t versions[MOST_KEYS]; /* how often each key was set */
static struct choice next;
static uint64_t sum; /* of the requests, in their order, each with its right reply */

/* ---- what is asked for ---- */

static uint64_t draw(void) { /* xorshift64*, Vigna 2016 */
    draws ^= draws >> 12;
    draws ^= draws << 25;
    draws ^= draws >> 27;
    return draws * 0x2545f4914f6cdd1dull;
}

/* YCSB's key of a number; each client has numbers of its own. */
static void write_name(struct choice *choice) {
    uint64_t left = zipf_hash((uint64_t)choice->key * CLIENTS + number);
    char digits[20];
    uint32_t used = 0, at = 4;
    memcpy(choice->name, "user", 4);
    do
        digits[used++] = (char)('0' + left % 10);
    while (left /= 10);
    while (used)
        choice->name[at++] = digits[--used];
    choice->key_bytes = at;
}

/* Any bytes, line breaks too: by key, version and seed alone. */
static void write_value(struct choice *choice, uint32_t version) {
    uint64_t state = ((choice->key * CLIENTS + number + 1ull) << 32 | version) ^ seed << 48;
    for (uint32_t at = 0; at < value_bytes; at += 8) { /* whole words, for which there is room */
        state = state * 6364136223846793005ull + 1442695040888963407ull; /* Knuth's MMIX */
        uint64_t word = state ^ state >> 33;
        memcpy(choice->value + at, &word, sizeof word);
    }
}

static void choose_key(struct choice *choice, uint32_t key, bool set) {
    choice->set = set;
    choice->key = key;
    write_name(choice);
    write_value(choice, versions[key] + set);
}

static void choose(uint32_t set_percent) {
    bool set = (draw() >> 32) * 100 >> 32 < set_percent;
    choose_key(&next, zipf_scrambled(draw() >> 11, keys), set);
}

/* ---- requests ---- */

static char out[KV_REQUEST_MAX_BYTES], in[KV_REPLY_MAX_BYTES];

/* Sends what is in `out`, up to `end`; the reply is in `in` then. */
static struct resp_reply ask(const char *end) {
    uint32_t bytes = (uint32_t)(end - out);
    held = kv_block(server, held, bytes);
    kv_request_write_resp(held, 0, out, bytes);
    if (kv_send_request(server, held, bytes))
        sip_fail("a request could not be sent");
    struct sip_message message = kv_recv_reply(server);
    if (message.error)
        sip_fail("the server has gone");
    held = message.handle;
    bytes = kv_reply_get_resp_bytes(held);
    kv_reply_read_resp(held, 0, in, bytes);
    struct resp_reply reply;
    if (!resp_read_reply(in, bytes, &reply))
        sip_fail("a reply is not in the Redis protocol");
    return reply;
}

static bool is_bulk(struct resp_reply reply, const void *bytes, uint32_t count) {
    return reply.kind == RESP_BULK && reply.text.bytes == count &&
           memcmp(reply.text.text, bytes, count) == 0;
}

static bool is_status(struct resp_reply reply, const char *line) {
    uint32_t bytes = (uint32_t)strlen(line);
    return reply.kind == RESP_STATUS && reply.text.bytes == bytes &&
           memcmp(reply.text.text, line, bytes) == 0;
}

static struct resp_reply get(const void *key, uint32_t key_bytes) {
    char *at = resp_write_array(out, 2);
    at = resp_write_bulk(at, "GET", 3);
    return ask(resp_write_bulk(at, key, key_bytes));
}

static void set(const void *key, uint32_t key_bytes, const void *value, uint32_t bytes) {
    char *at = resp_write_array(out, 3);
    at = resp_write_bulk(at, "SET", 3);
    at = resp_write_bulk(at, key, key_bytes);
    if (!is_status(ask(resp_write_bulk(at, value, bytes)), "OK"))
        sip_fail("a key could not be set");
}

static void request(void) {
    if (next.set) {
        set(next.name, next.key_bytes, next.value, value_bytes);
        versions[next.key]++;
    } else if (!is_bulk(get(next.name, next.key_bytes), next.value, value_bytes)) {
        sip_fail("a key has another value than was set");
    }
    sum = (sum ^ ((uint64_t)versions[next.key] << 32 | next.key << 1 | next.set)) * PRIME;
}

static void debug(const char *what, const char *answer) {
    char *at = resp_write_array(out, 2);
    at = resp_write_bulk(at, "DEBUG", 5);
    if (!is_status(ask(resp_write_bulk(at, what, (uint32_t)strlen(what))), answer))
        sip_fail(what[0] == 'D' ? "the table is not what the clients have set"
                                : "the log does not lead to what is in the table");
}

/* ---- the whole ---- */

static void load(void) {
    for (uint32_t key = 0; key < keys; key++) {
        choose_key(&next, key, true);
        request();
    }
}

/* Requests of one mix; `bench` gets one sample of them, and what choosing them takes. */
static void run(const struct mix *mix) {
    uint64_t before = draws;
    sum = seed + 1;
    bench_count_start(&bench);
    uint64_t start = sip_clock();
    BENCH_LOOP(bench.batch, choose(mix->set_percent); request())
    bench.values[0] = sip_clock() - start;
    bench_count_end(&bench);
    if (number)
        return; /* nobody asks what it took */
    draws = before;
    start = sip_clock();
    BENCH_LOOP(bench.batch, choose(mix->set_percent))
    bench.values[1] = (sip_clock() - start) * clients; /* each has chosen */
}

static uint64_t keys_digest(void) {
    uint64_t digest = 0;
    for (uint32_t key = 0; key < keys; key++) {
        choose_key(&next, key, false);
        digest += digest_of(next.name, next.key_bytes, next.value, value_bytes);
    }
    return digest;
}

static void write_hex(char *to, uint64_t value) {
    for (uint32_t i = 0; i < 16; i++, value <<= 4)
        to[i] = "0123456789abcdef"[value >> 60];
}

static uint64_t read_hex(const char *from) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < 16; i++)
        value = value << 4 | (uint64_t)(from[i] <= '9' ? from[i] - '0' : from[i] - 'a' + 10);
    return value;
}

/* A client but the first ends: its sums go to the first one. */
static void tell_done(uint64_t all) {
    char name[] = "done1", value[DONE_BYTES];
    name[4] += (char)number;
    write_hex(value, all);
    write_hex(value + 16, keys_digest());
    set(name, sizeof name - 1, value, DONE_BYTES);
}

/* Waits for the others, then has table and log compared; a sum of all replies and of the table. */
static uint64_t check_all(uint64_t all) {
    uint64_t digest = keys_digest();
    char name[] = "done1", line[17] = "";
    for (uint32_t other = 1; other < clients; other++) {
        struct resp_reply reply;
        name[4]++;
        while ((reply = get(name, sizeof name - 1)).kind == RESP_NULL)
            sip_yield();
        if (reply.kind != RESP_BULK || reply.text.bytes != DONE_BYTES)
            sip_fail("a client told something else than its sums");
        all = (all ^ read_hex(reply.text.text)) * PRIME;
        digest += read_hex(reply.text.text + 16);
        digest += digest_of(name, sizeof name - 1, reply.text.text, DONE_BYTES);
    }
    write_hex(line, digest);
    debug("DIGEST", line);
    debug("LOADAOF", "OK");
    return all ^ digest;
}

static uint32_t param(const char *name, int64_t fallback, int64_t most, const char *otherwise) {
    int64_t value = sip_param(name, fallback);
    if (value < 1 || value > most)
        sip_fail(otherwise);
    return (uint32_t)value;
}

/* The one channel that this client has, which also tells its number. */
static void find_server(void) {
    char name[] = "client1";
    int64_t endpoint;
    while ((endpoint = sip_call_endpoint(name, sizeof name - 1)) < 0) {
        if (++number == CLIENTS)
            sip_fail("a client of the key-value server has no channel");
        name[6]++;
    }
    server = (sip_endpoint)endpoint;
}

static void start(const char *operation, uint32_t requests) {
    bench_start(&bench, operation, RESULT_ROUND_TRIP);
    bench.samples = 1;
    bench.batch = requests;
}

int sip_main(void) {
    clients = param("clients", 2, CLIENTS, "param 'clients' must be from 1 to 4");
    keys = param("keys", 1000, MOST_KEYS, "param 'keys' must be from 1 to 1024");
    value_bytes =
        param("value-bytes", 100, RESP_MAX_BULK, "param 'value-bytes' must be from 1 to 1024");
    uint32_t requests =
        param("requests", 1000, 1 << 24, "param 'requests' must be from 1 to 16777216");
    find_server();
    if (number >= clients)
        return 0;
    seed = (uint64_t)sip_param("seed", 1);
    draws = (seed * CLIENTS + number) * 2 + 1;
    start(mixes[0].operation, requests);
    load();
    BENCH_LOOP(bench.warmup, choose(mixes[0].set_percent); request())
    struct abi_report total = {0};
    uint64_t values[2] = {0, 0}, all = seed;
    for (uint32_t i = 0; i < MIXES; i++) {
        start(mixes[i].operation, requests);
        run(&mixes[i]);
        all = (all ^ sum) * PRIME;
        if (number)
            continue;
        bench_finish(&bench, clients, sum);
        values[0] += bench.values[0];
        values[1] += bench.values[1];
        for (uint32_t event = 0; event < RESULT_EVENTS_NAMED; event++)
            total.events[event] += bench.report.events[event];
    }
    if (number) {
        tell_done(all);
        return 0;
    }
    start("kv-request", requests * MIXES);
    bench.values[0] = values[0];
    bench.values[1] = values[1];
    memcpy(bench.report.events, total.events, sizeof total.events);
    bench_finish(&bench, clients, check_all(all));
    return 0;
}
