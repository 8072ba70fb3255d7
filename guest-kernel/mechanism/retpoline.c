/* retpoline: done by the compiler, in a kernel and SIP images of their own. */
#include "guest-kernel/compose.h"
#include "guest-kernel/kernel.h"

static void enable(void) {
#ifndef KERNEL_RETPOLINE
    run_end(RESULT_FAILED, "the layout wants retpolines, which this kernel was built without");
#endif
}

const struct mechanism mechanism_RETPOLINE = {.enable = enable};
