/* on-switch: ibpb. IA32_PRED_CMD.IBPB; AMD has the same at the same place. */
#include "guest-kernel/compose.h"

FRAGMENT(ibpb_barrier, "mov $0x49, %ecx\n mov $1, %eax\n xor %edx, %edx\n wrmsr");

const struct mechanism mechanism_IBPB = {.on_switch = &ibpb_barrier,
                                         .event = EVENT_PREDICTOR_BARRIERS};
