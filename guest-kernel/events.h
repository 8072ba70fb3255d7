/* The exact event counters, by enum result_event. They explain what the clock says. */
#ifndef BULKHEAD_EVENTS_H
#define BULKHEAD_EVENTS_H

#include "guest-kernel/result.h"

extern uint64_t events[EVENT_COUNT];

#endif
