/*
 * tag: pcid. A space's tag is in the value that is loaded into CR3, with the bit that keeps its
 * entries; see space.c. What must be forgotten all the same is flushed by tlb.c.
 */
#include "guest-kernel/compose.h"
#include "guest-kernel/x86.h"

static void enable(void) { x86_set_cr4(CR4_PCIDE); } /* the current tag is 0, as it must be */

const struct mechanism mechanism_PCID = {.enable = enable};
