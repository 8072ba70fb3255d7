/* cet: ibt. Kernel and SIP images are built for it; here it is switched on, in both rings. */
#include "guest-kernel/compose.h"
#include "guest-kernel/kernel.h"
#include "guest-kernel/x86.h"

static void enable(void) {
#ifndef KERNEL_IBT
    run_end(RESULT_FAILED,
            "the layout wants ENDBR64 at targets, which this kernel was built without");
#endif
    x86_set_cr4(CR4_CET);
    x86_write_msr(MSR_S_CET, CET_ENDBR);
    x86_write_msr(MSR_U_CET, x86_read_msr(MSR_U_CET) | CET_ENDBR);
}

const struct mechanism mechanism_IBT = {.enable = enable};
