/*
 * cet: ibt. Kernel and SIP images are built for it; here it is switched on, in both rings. A trap between
 * a branch of ring 3 and its ENDBR64, or for the lack of one, leaves that in IA32_U_CET (TRACKER): it is
 * the thread's, and would else stop the next one.
 */
#include "guest-kernel/compose.h"
#include "guest-kernel/kernel.h"
#include "guest-kernel/offsets.h"
#include "guest-kernel/thread.h"
#include "guest-kernel/x86.h"

FRAGMENT(ibt_save, "mov $0x6a0, %ecx\n rdmsr\n mov %eax, " OFFSET_TEXT(THREAD_CET) "(%rdi)");
FRAGMENT(ibt_load,
         "mov $0x6a0, %ecx\n mov " OFFSET_TEXT(THREAD_CET) "(%rsi), %eax\n xor %edx, %edx\n wrmsr");

static void enable(void) {
#ifndef KERNEL_IBT
    run_end(RESULT_FAILED,
            "the layout wants ENDBR64 at targets, which this kernel was built without");
#endif
    x86_set_cr4(CR4_CET);
    x86_write_msr(MSR_S_CET, CET_ENDBR);
    x86_write_msr(MSR_U_CET, x86_read_msr(MSR_U_CET) | CET_ENDBR);
}

static void compose(enum compose_point point, const struct compose_pair *pair) {
    if (point == POINT_LEAVE && pair->from->ring == 3)
        compose_unless_simulated(MECHANISM_IBT, ibt_save);
    if (point == POINT_ENTER && pair->to->ring == 3)
        compose_unless_simulated(MECHANISM_IBT, ibt_load);
}

static bool thread_made(struct thread *thread) {
    if (!(mechanisms_simulated & MECHANISM(IBT)))
        thread->cet = x86_read_msr(MSR_U_CET) & ~CET_TRACKER;
    return true;
}

const struct mechanism mechanism_IBT = {
    .enable = enable, .compose = compose, .thread_made = thread_made};
