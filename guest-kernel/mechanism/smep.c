/* smep: ring 0 cannot run code of user pages. */
#include "guest-kernel/compose.h"
#include "guest-kernel/x86.h"

static void enable(void) { x86_set_cr4(CR4_SMEP); }

const struct mechanism mechanism_SMEP = {.enable = enable};
