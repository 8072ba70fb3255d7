/* See link.h. */
#include "link.h"
#include "packet.h"
#include "packets_contract.h"

struct link link_to(const char *channel) {
    return (struct link){
        .endpoint = sip_channel(channel),
        .window = packet_param("window", PACKETS_IN_FLIGHT, PACKETS_IN_FLIGHT,
                               "param 'window' must be from 1 to 8"),
    };
}

/* Where channels have memory of their own, a block of this one takes the place of another's. */
static sip_handle move_over(sip_endpoint endpoint, sip_handle batch, uint32_t bytes) {
    sip_handle copy = sip_block_for(endpoint, bytes);
    if (!copy)
        sip_fail("no memory to pass a batch on");
    for (uint32_t at = 0; at < bytes; at += 8)
        sip_msg_st64(copy, at, sip_msg_ld64(batch, at));
    sip_block_free(batch);
    return copy;
}

static void wait_taken(struct link *link) {
    struct sip_message answer = packets_recv_taken(link->endpoint);
    if (answer.error)
        sip_fail("a stage does not take packets");
    sip_block_free(answer.handle);
    link->sent = 0;
}

void link_send(struct link *link, sip_handle batch, uint32_t bytes) {
    if (link->sent == link->window)
        wait_taken(link);
    uint32_t type = ++link->sent == link->window ? PACKETS_LAST : PACKETS_BATCH;
    int64_t error = sip_send(link->endpoint, batch, type, bytes);
    if (error == ABI_EINVAL)
        error = sip_send(link->endpoint, move_over(link->endpoint, batch, bytes), type, bytes);
    if (error)
        sip_fail("a batch could not be sent");
}

void link_taken(sip_endpoint from) {
    sip_handle block = sip_block_for(from, 0);
    if (!block)
        sip_fail("no memory to answer a sender");
    if (packets_send_taken(from, block)) /* it has all that it wanted to know, and has ended */
        sip_block_free(block);
}
