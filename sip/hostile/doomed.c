/* A SIP that ends as it is told to: by itself, by a fault, or waiting to be killed. */
#include "echo_contract.h"

static void own_some(void) {
    struct sip_ends ends = sip_channel_create("pipe");
    sip_block(100);
    sip_block(20000);
    sip_pages(3);
    sip_send(ends.client, sip_block_for(ends.client, 8), 0, 8);
    sip_send(ends.server, sip_block_for(ends.server, 8), 0, 8);
}

int sip_main(void) {
    struct sip_message message = echo_recv_ping(sip_channel("orders"));
    if (message.error)
        return 1;
    uint8_t way = sip_msg_ld8(message.handle, 0);
    if (sip_msg_ld8(message.handle, 1))
        own_some();
    if (way == 1)
        __builtin_trap();
    if (way == 2)
        for (uint32_t i = 0; i < 1000000; i++)
            sip_yield();
    return 7;
}
