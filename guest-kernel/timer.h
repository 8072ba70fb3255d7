/* The time slice: a timer interrupt that takes the processor from a SIP, if the plan wants it. */
#ifndef BULKHEAD_TIMER_H
#define BULKHEAD_TIMER_H

#include "trap.h"

/* Starts slices of the plan's length, and lets SIPs be interrupted. */
void timer_start(void);

/* The interrupt. `in_sip`: it hit code of a SIP, which may be preempted; the kernel never is. */
void timer_tick(const struct trap_frame *frame, bool in_sip);

#endif
