/*
 * Channels: two directions, each a split virtqueue, between two SIPs. The kernel plays both ends of
 * the ring on behalf of the SIPs, so that ownership and contract are checked whatever the SIPs do. The
 * calls themselves, abi_send() and abi_recv(), are in channel.c.
 */
#ifndef BULKHEAD_CHANNEL_H
#define BULKHEAD_CHANNEL_H

#include "channel-dev/ring.h"
#include "sip.h"

/* Makes the channels that the plan draws between SIPs that it starts. */
void channel_create_all(const struct plan_header *plan);
/* The same for the channels of one SIP of the plan, which was started again. */
void channel_create_for(uint32_t plan_sip);

/* A channel of a dynamic kind, both ends in `sip`; client's end | server's end << 32, or an error. */
int64_t channel_create_dynamic(struct sip *sip, const char *name);
/* Gives an end to another SIP, under a name. Only while nothing is on its way to that end. */
int64_t channel_move_end(struct end *end, struct sip *to, const char *name);

/* The newest open end of that name, else a closed one; 0: none. */
uint32_t channel_endpoint(struct sip *sip, const char *name);

/* Blocks until one of the ends has a message or is closed; its index, or an error. */
int64_t channel_wait(struct sip *sip, const uint32_t *endpoints, uint64_t count);

/* A block for messages on this end: of the channel's own heap if that is how it transfers. */
block_t channel_block(struct sip *sip, struct end *end, uint64_t bytes);

/* Whether a thread waits for a message on this end. */
bool channel_has_waiter(const struct end *end);

/* Closes an end: what was sent to it is freed, what it sent can still be received. */
void channel_close(struct end *end);
void channel_close_all(struct sip *sip);

/* How many threads wait for a message, and a sentence about the first few of them. */
uint32_t channel_waiting(char *text, uint64_t room);

#endif
