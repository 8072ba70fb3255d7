/* What a machine says of itself, and what its clock counts. */
#ifndef BULKHEAD_MACHINE_H
#define BULKHEAD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_CLOCKS 6

struct machine {
    char vendor[16], brand[52]; /* as CPUID has them, printable */
    char hypervisor[16];        /* its signature, "?" if it gives none; empty: none shows itself */
    uint32_t family, model, stepping;
    uint64_t microcode; /* 0: not told */
    bool steady_clock;  /* the time-stamp counter runs at one rate, whatever the CPU's clock */
    bool counts;        /* it counts instructions, so that it is no clock at all */
    uint64_t clock[MACHINE_CLOCKS]; /* what 1,000, 2,000 ... rounds of a loop took */
};
extern struct machine machine;

#define MACHINE_CLOCK_ROUNDS 1000u
#define MACHINE_CLOCK_INSTRUCTIONS 6u /* in a round, which take any processor far longer */

void machine_look(void);
const char *machine_unit(void); /* of the clock, in a word */

#endif
