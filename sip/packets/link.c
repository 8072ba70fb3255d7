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
    if (sip_pass_on(link->endpoint, batch, type, bytes))
        sip_fail("a batch could not be sent");
}

void link_taken(sip_endpoint from) {
    sip_handle block = sip_block_for(from, 0);
    if (!block)
        sip_fail("no memory to answer a sender");
    if (packets_send_taken(from, block)) /* it has all that it wanted to know, and has ended */
        sip_block_free(block);
}
