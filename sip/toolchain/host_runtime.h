/*
 * Runs checked and masked code inside a host process: for tests of the checks and for timing kernels
 * without a guest. Kernel calls other than print end the process; messages are what the caller puts
 * into sip_slots.
 */
#ifndef BULKHEAD_HOST_RUNTIME_H
#define BULKHEAD_HOST_RUNTIME_H

#include "runtime.h"
#include "trap.h"

/* Calls `function` on the caller's stack, of which it may use `stack_bytes`. Returns 0 and sets
 * *result, or returns the kind of trap that ended it. Not reentrant. */
uint32_t sip_host_run(uint32_t (*function)(uint32_t), uint32_t argument, uint64_t stack_bytes,
                      uint32_t *result);

#endif
