/* on-switch: rsb-fill. 32 calls that never return, as in Linux's __FILL_RETURN_BUFFER. */
#include "guest-kernel/compose.h"

FRAGMENT(rsb_fill, "mov $16, %ecx\n"
                   "1: call 2f\n int3\n"
                   "2: call 3f\n int3\n"
                   "3: add $16, %rsp\n dec %ecx\n jnz 1b\n lfence");

const struct mechanism mechanism_RSB_FILL = {.on_switch = &rsb_fill, .event = EVENT_RSB_FILLS};
