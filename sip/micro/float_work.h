/*
 * What both SIPs of the workload `float` compute: numbers that depend on every bit of the ones before, so
 * that a register that another SIP has changed shows in the sum. In native code all XMM registers and
 * MXCSR hold values while the other SIP runs; in WebAssembly no program can say so, and only
 * preemption finds registers in use.
 */
#ifndef BULKHEAD_FLOAT_WORK_H
#define BULKHEAD_FLOAT_WORK_H

#include "sip.h"

#define FLOAT_NUMBERS 16

struct float_work {
    double number[FLOAT_NUMBERS]; /* each between 0 and 1 */
    uint32_t mxcsr;               /* of this SIP's own while the other runs */
    uint64_t turns;
};

/* `who` is 1 or 2: the two SIPs work on different numbers with different settings. */
void float_start(struct float_work *work, uint32_t who);
/*
 * One turn: yields with its registers full and then computes, so that the registers are its own again
 * when it ends. Without yield, all the rest of it.
 */
void float_turn(struct float_work *work, bool yield);
/* Fails the run unless the numbers are those that `who` gets alone; returns their sum. */
uint64_t float_finish(const struct float_work *work, uint32_t who);

#endif
