/*
 * The sending end of a channel between two stages: at most `window` batches are under way, and then
 * none is sent until the receiver has said that it took the last.
 */
#ifndef BULKHEAD_PACKET_LINK_H
#define BULKHEAD_PACKET_LINK_H

#include "sip/lib/sip.h"

struct link {
    sip_endpoint endpoint;
    uint32_t window; /* 1 to PACKETS_IN_FLIGHT */
    uint32_t sent;   /* of this window */
};

struct link link_to(const char *channel);
/* Gives a batch away, which may have come by another channel. */
void link_send(struct link *link, sip_handle batch, uint32_t bytes);
/* Tells the sender, as a receiver of its last batch has to. */
void link_taken(sip_endpoint from);

#endif
