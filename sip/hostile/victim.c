/*
 * A SIP with something to lose: variables, a block, pages and a function. It says where they are, and
 * whether they are still as they were; then it repairs them.
 */
#include "hostile.h"

enum {
    BLOCK_BYTES = 3000,
    PAGE_PAYLOAD = 4080
};

static uint64_t secret[SECRET_WORDS] __attribute__((aligned(4096)));
static volatile uint64_t mark;
static sip_handle block, pages;
static uint64_t seed;

static void marked(void) { mark++; }

static void set_up(void) {
    uint64_t state = seed * 0x9e3779b97f4a7c15ull;
    secret[0] = SECRET_MAGIC;
    secret[1] = ~SECRET_MAGIC;
    for (uint32_t i = 2; i < SECRET_WORDS; i++)
        secret[i] = state = state * 6364136223846793005ull + 1442695040888963407ull;
    sip_fill(block, BLOCK_BYTES, seed);
    sip_fill(pages, PAGE_PAYLOAD, seed + 1);
    mark = 0;
}

/* Whether anything changed. */
static uint64_t damage(uint64_t block_sum, uint64_t pages_sum) {
    uint64_t state = seed * 0x9e3779b97f4a7c15ull, wrong = mark;
    wrong |= (secret[0] ^ SECRET_MAGIC) | (secret[1] ^ ~SECRET_MAGIC);
    for (uint32_t i = 2; i < SECRET_WORDS; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        wrong |= secret[i] ^ state;
    }
    wrong |= sip_checksum(block, BLOCK_BYTES) ^ block_sum;
    wrong |= sip_checksum(pages, PAGE_PAYLOAD) ^ pages_sum;
    return wrong != 0;
}

static struct target where(void) {
#ifdef __wasm__
    void (*volatile function)(void) = marked;
    (void)function;
    return (struct target){0};
#else
    return (struct target){SIP_POINTER(secret), SIP_POINTER(sip_payload(block)),
                           SIP_POINTER(sip_payload(pages)), SIP_POINTER(marked)};
#endif
}

#ifdef __wasm__
static void registers_fill(void) {}
static uint64_t registers_changed(void) { return 0; }
#else
/* The secret is in every SSE register too, where the layout has such registers. */
static void registers_fill(void) {
    if (sip_param("fpu", 0))
        registers_write(secret[SECRET_AT]);
}
static uint64_t registers_changed(void) {
    uint64_t got[16], changed = 0;
    if (!sip_param("fpu", 0))
        return 0;
    registers_read(got);
    for (uint32_t i = 0; i < 16; i++)
        changed |= got[i] ^ secret[SECRET_AT];
    return changed != 0;
}
#endif

int sip_main(void) {
    int64_t as_peer = sip_call_endpoint("watch-peer", 10);
    sip_endpoint watch = as_peer > 0 ? (sip_endpoint)as_peer : sip_channel("watch-service");
    seed = (uint64_t)sip_param("seed", 1) + sip_self();
    block = sip_block(BLOCK_BYTES);
    pages = sip_pages(1);
    if (!block || !pages)
        sip_fail("a victim has no memory");
    set_up();
    uint64_t block_sum = sip_checksum(block, BLOCK_BYTES);
    uint64_t pages_sum = sip_checksum(pages, PAGE_PAYLOAD);
    for (;;) {
        registers_fill();
        struct sip_message message = echo_recv_ping(watch);
        uint64_t changed = registers_changed();
        if (message.error)
            return 0;
        struct target target = where();
        uint64_t harmed = damage(block_sum, pages_sum) | changed, value = secret[SECRET_AT];
        if (harmed)
            set_up();
        sip_msg_write(message.handle, 0, &target, sizeof target);
        sip_msg_st64(message.handle, sizeof target, harmed);
        sip_msg_st64(message.handle, sizeof target + 8, value);
        if (echo_send_pong(watch, message.handle, sizeof target + 16))
            sip_fail("a victim could not answer");
    }
}
