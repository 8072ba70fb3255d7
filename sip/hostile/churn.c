/*
 * Makes and ends SIPs, channels and travelling ends ten thousand times and more, and fails the run
 * unless as much memory is free afterwards as before.
 */
#include "done.h"
#include "echo_contract.h"
#include "service_contract.h"

enum {
    WARM_UP = 40
};

/* 0: it exits; 1: it faults; 2: it is killed. Every eighth owns some of everything when it ends. */
static void one_sip(uint32_t round) {
    uint32_t way = round % 3;
    struct sip_ends ends = sip_channel_create("orders");
    sip_child child = sip_create("doomed");
    if (!child || sip_give(child, ends.server, "orders") || sip_start(child))
        sip_fail("a SIP could not be created");
    sip_handle block = sip_block_for(ends.client, 8);
    sip_msg_st8(block, 0, (uint8_t)way);
    sip_msg_st8(block, 1, round % 8 == 0);
    if (echo_send_ping(ends.client, block, 8))
        sip_fail("a SIP could not be asked to end");
    if (way == 2) {
        sip_yield();
        if (sip_kill(child))
            sip_fail("a SIP could not be killed");
    }
    int64_t status = sip_wait(child);
    if (way == 0 ? status != 7 : !(status & ABI_FAULTED))
        sip_fail("a SIP did not end as it was asked to");
    if (sip_recv(ends.client).error != ABI_ECLOSED || sip_close(ends.client))
        sip_fail("a channel's end was not noticed");
}

static void one_channel(uint32_t round) {
    struct sip_ends ends = sip_channel_create("pipe");
    if (!ends.client || sip_send(ends.client, sip_block_for(ends.client, 8), 0, 8))
        sip_fail("a channel could not be created and used");
    if (sip_close(round & 1 ? ends.client : ends.server) ||
        sip_close(round & 1 ? ends.server : ends.client))
        sip_fail("a channel could not be closed");
}

/* An end travels; then it is received, or lost with its message. */
static void one_transfer(uint32_t round) {
    struct sip_ends via = sip_channel_create("carrier"), other = sip_channel_create("pipe");
    sip_handle block = sip_block_for(via.client, 64);
    if (!other.client || service_send_session(via.client, block, other.server))
        sip_fail("an end could not be sent");
    if (round % 3) {
        struct sip_message message = sip_recv(via.server);
        sip_endpoint got = service_session_get_session(message.handle);
        sip_block_free(message.handle);
        if (sip_send(other.client, sip_block_for(other.client, 8), 3, 8))
            sip_fail("an end that has travelled takes no message");
        message = sip_recv(got);
        if (message.type != 3 || sip_block_free(message.handle) || sip_close(got))
            sip_fail("an end that has travelled gives no message");
    }
    sip_close(via.client);
    sip_close(via.server);
    if (sip_recv(other.client).error != ABI_ECLOSED || sip_close(other.client))
        sip_fail("the loss of an end was not noticed");
}

static void churn(void (*one)(uint32_t), uint32_t rounds, const char *why) {
    for (uint32_t round = 0; round < WARM_UP; round++)
        one(round);
    int64_t before = sip_param("free-pages", 0);
    for (uint32_t round = 0; round < rounds; round++)
        one(round);
    if (sip_param("free-pages", 0) != before)
        sip_fail(why);
}

int sip_main(void) {
    uint32_t rounds = (uint32_t)sip_param("rounds", 10000);
    churn(one_channel, rounds, "not all memory of channels has come back");
    churn(one_transfer, rounds, "not all memory of travelling ends has come back");
    churn(one_sip, rounds, "not all memory of SIPs has come back");
    done("churn");
    return 0;
}
