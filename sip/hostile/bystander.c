/*
 * A well-behaved SIP at work all the time: sends messages of changing size and content to an echo
 * server and checks the sum that comes back. Asked by the controller, it says how often.
 */
#include "hostile.h"

enum {
    MOST_BYTES = 5000
};

static sip_endpoint server;
static uint64_t rounds;

static void round_trip(void) {
    uint32_t bytes = (uint32_t)(rounds * 977 % MOST_BYTES) + 1;
    sip_handle block = sip_block_for(server, MOST_BYTES);
    if (!block)
        sip_fail("a bystander has no memory for a message");
    sip_fill(block, bytes, rounds);
    uint64_t sum = sip_checksum(block, bytes);
    if (echo_send_verify(server, block, bytes))
        sip_fail("a bystander could not send");
    struct sip_message message = echo_recv_verified(server);
    if (message.error || echo_verified_get_checksum(message.handle) != sum)
        sip_fail("a bystander's message was changed");
    if (sip_block_free(message.handle))
        sip_fail("a bystander's block is gone");
    rounds++;
}

int sip_main(void) {
    sip_endpoint pulse = sip_channel("pulse");
    server = sip_channel("ping");
    for (;;) {
        struct sip_message message = sip_poll(pulse);
        if (message.error == ABI_ECLOSED)
            return 0;
        if (!message.error) {
            sip_msg_st64(message.handle, 0, rounds);
            if (echo_send_pong(pulse, message.handle, 8))
                sip_fail("a bystander could not answer");
        }
        round_trip();
        sip_yield();
    }
}
