/*
 * The packets that the source sends, one for each flow, and what has to come of them: computed from
 * what a flow is, by other means than the stages have.
 */
#ifndef BULKHEAD_PACKET_FLOWS_H
#define BULKHEAD_PACKET_FLOWS_H

#include "packet.h"

void flows_start(uint64_t seed);
/* PACKET_BYTES of a flow's packet. */
const uint8_t *flow_packet(uint32_t flow);
/* Adds what has to arrive for the next packet, which is of that flow. */
uint64_t flow_sum_add(uint64_t sum, uint32_t flow);

#endif
