/*
 * How checked code ends: the kinds of trap and the one function that raises them. What happens then
 * is the run-time's business: runtime.c in an image, host_runtime.c in a host program.
 */
#ifndef BULKHEAD_SIP_TRAP_H
#define BULKHEAD_SIP_TRAP_H

#include <stdint.h>

enum abi_trap {               /* first argument of the kernel call `trap` */
    ABI_TRAP_BOUNDS = 1,      /* an access outside of the SIP's memory or of a block */
    ABI_TRAP_CALL = 2,        /* an indirect call of no function, or of another type */
    ABI_TRAP_STACK = 3,       /* the native stack is used up */
    ABI_TRAP_UNREACHABLE = 4, /* the program said that this never happens */
    ABI_TRAP_DIVIDE = 5,      /* by zero */
    ABI_TRAP_OVERFLOW = 6,    /* the smallest integer divided by -1 */
    ABI_TRAP_HANDLE = 7,      /* a block that is not, or no longer, this SIP's */
};
#define ABI_TRAP_NAMES                                                                             \
    {                                                                                              \
        0, "out of bounds", "bad indirect call", "stack overflow", "unreachable",                  \
            "divide by zero", "integer overflow", "stale handle"                                   \
    }

/* Ends the SIP because of `kind`; the report shows the caller's address. */
void sip_trap(uint32_t kind) __attribute__((noreturn, cold, noinline));

#endif
