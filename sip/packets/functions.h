/* The functions of the pipeline, on packets where they lie in a message. */
#ifndef BULKHEAD_PACKET_FUNCTIONS_H
#define BULKHEAD_PACKET_FUNCTIONS_H

#include "packet.h"

void functions_start(uint64_t seed);
/* Does `first` up to but not including `end` to each packet that no function has dropped. */
void functions_apply(sip_handle batch, uint32_t packets, uint32_t first, uint32_t end);

#endif
