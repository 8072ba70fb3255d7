/* on-switch: l1d-flush. IA32_FLUSH_CMD.L1D_FLUSH. */
#include "guest-kernel/compose.h"

FRAGMENT(l1d_flush, "mov $0x10b, %ecx\n mov $1, %eax\n xor %edx, %edx\n wrmsr");

const struct mechanism mechanism_L1D_FLUSH = {.on_switch = &l1d_flush,
                                              .event = EVENT_CACHE_FLUSHES};
