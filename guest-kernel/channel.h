/*
 * Channels: two directions, each a split virtqueue, between two SIPs. The kernel plays both ends of
 * the ring on behalf of the SIPs, so that ownership and contract are checked whatever the SIPs do. The calls
 * themselves, abi_send() and abi_recv(), are in channel.c.
 */
#ifndef BULKHEAD_CHANNEL_H
#define BULKHEAD_CHANNEL_H

#include "channel-dev/ring.h"
#include "sip.h"

void channel_create_all(const struct plan_header *plan);

/* The endpoint handle that `sip` has of the channel of that name; 0: none. */
uint32_t channel_endpoint(struct sip *sip, const char *name);

/* Closes every end of a SIP: what was sent to it is freed, what it sent can still be received. */
void channel_close_all(struct sip *sip);

/* How many SIPs wait for a message, and a sentence about the first few of them. */
uint32_t channel_waiting(char *text, uint64_t room);

#endif
