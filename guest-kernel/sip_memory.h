/* The memory of a SIP instance: its image and stack, mapped in its domain. */
#ifndef BULKHEAD_SIP_MEMORY_H
#define BULKHEAD_SIP_MEMORY_H

#include "sip.h"

/* Places, maps, fills and relocates; false, with nothing kept, when there is no memory for it. */
bool sip_memory_create(struct sip *sip);
void sip_memory_destroy(struct sip *sip);

#endif
