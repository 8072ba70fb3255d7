/* Attacks by taking all there is, of everything; and then the SIP ends without giving any back. */
#include "hostile.h"

enum {
    MANY = 100000
};

/* Takes until refused, which has to happen. */
#define TAKE(number, condition)                                                                    \
    do {                                                                                           \
        uint32_t taken_ = 0;                                                                       \
        while (taken_ < MANY && (condition))                                                       \
            taken_++;                                                                              \
        want(number, taken_ < MANY, true);                                                         \
    } while (0)

ATTACK(flood_blocks) {
    TAKE(1, sip_block(64));
    return REFUSED;
}
ATTACK(flood_large_blocks) {
    TAKE(1, sip_block(256 * 1024));
    return REFUSED;
}
ATTACK(flood_pages) {
    TAKE(1, sip_pages(1024));
    TAKE(2, sip_pages(1));
    return REFUSED;
}
ATTACK(flood_channels) {
    TAKE(1, sip_channel_create("pipe").client);
    return REFUSED;
}
ATTACK(flood_messages) {
    struct sip_ends ends = sip_channel_create("pipe");
    for (uint32_t i = 0; i < MANY; i++) {
        sip_handle block = sip_block_for(ends.client, 8);
        int64_t error = block ? sip_send(ends.client, block, 0, 8) : ABI_EFULL;
        if (error) {
            want(1, error, ABI_EFULL);
            return REFUSED;
        }
    }
    return DONE;
}
/* Ends that are on their way are in no table: only the kernel's pool of channels bounds them. */
ATTACK(flood_ends_in_flight) {
    for (uint32_t i = 0; i < MANY; i++) {
        struct sip_ends via = sip_channel_create("carrier"), other = sip_channel_create("pipe");
        if (!via.client || !other.client)
            return REFUSED;
        sip_handle block = sip_block_for(via.client, 64);
        sip_msg_st64(block, 0, other.client);
        want(1, sip_send(via.client, block, 0, 8), ABI_OK);
        want(2, sip_close(other.server), ABI_OK);
    }
    return DONE;
}
ATTACK(flood_sips) {
    TAKE(1, sip_create("sleeper"));
    return REFUSED;
}
ATTACK(flood_started_sips) {
    for (uint32_t i = 0; i < MANY; i++) {
        sip_child child = sip_create("sleeper");
        if (!child || sip_start(child))
            return REFUSED;
    }
    return DONE;
}
ATTACK(flood_quota) {
    TAKE(1, sip_block(4000)); /* ends it before there is no more */
    return DONE;
}
ATTACK(flood_quota_pages) {
    TAKE(1, sip_pages(1));
    return DONE;
}

#ifndef __wasm__
static uint8_t stacks[200][8192] __attribute__((aligned(16)));
static void sleep_on(uint32_t endpoint) { sip_recv(endpoint); }
ATTACK(flood_threads) {
    struct sip_ends ends = sip_channel_create("pipe");
    uint32_t made = 0;
    while (made < 200 && sip_thread(sleep_on, ends.client, stacks[made], sizeof stacks[made]) == 0)
        made++;
    want(1, made < 200, true);
    sip_yield();
    return REFUSED;
}
#endif

ATTACKS_OF(floods)
