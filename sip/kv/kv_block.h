/* A block for a message on a channel: the one that came by it, where it has room, or a new one. */
#ifndef BULKHEAD_KV_BLOCK_H
#define BULKHEAD_KV_BLOCK_H

#include "sip/lib/sip.h"

/* `held` is the caller's own, from this channel, or 0; it is used or freed. */
static inline sip_handle kv_block(sip_endpoint endpoint, sip_handle held, uint32_t bytes) {
    if (held && sip_message_bytes(held) >= bytes)
        return held;
    if (held)
        sip_block_free(held);
    held = sip_block_for(endpoint, bytes);
    if (!held)
        sip_fail("no memory for a message");
    return held;
}

#endif
