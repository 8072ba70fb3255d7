/*
 * How checked code ends: the kinds of trap and the one function that raises them. What happens then
 * is the run-time's business: runtime.c in an image, host_runtime.c in a host program.
 */
#ifndef BULKHEAD_SIP_TRAP_H
#define BULKHEAD_SIP_TRAP_H

#include "sip/abi.h"
#include <stdint.h>

/* Ends the SIP because of `kind`; the report shows the caller's address. */
void sip_trap(uint32_t kind) __attribute__((noreturn, cold, noinline));

#endif
