/* What the two SIPs of touch agree on: how often the first one gives way to the second. */
#ifndef BULKHEAD_TOUCH_H
#define BULKHEAD_TOUCH_H

#include "touch_area.h"

/* In touch-after before each run, in touch-across inside it; both have a warm-up and a batch more for
   the events, and touch-after as many samples of its overhead. */
static inline uint64_t touch_turns(void) {
    uint64_t batch = (uint64_t)sip_param("batch", 1), samples = (uint64_t)sip_param("samples", 1);
    return 2 * (uint64_t)sip_param("warmup", 0) + (3 * samples + 2) * batch;
}

#endif
