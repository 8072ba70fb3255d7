/* The local APIC's timer, periodic. Source: Intel SDM 3A, chapter 11 (xAPIC mode). */
#include "timer.h"
#include "apic.h"
#include "kernel.h"
#include "sip.h"
#include "x86.h"

/* QEMU and KVM count the timer at 1 GHz (KVM: KVM_CAP_X86_APIC_BUS_CYCLES_NS, 1 ns by default). */
#define TIMER_TICKS_PER_US 1000
/*
 * After a tick that hit the kernel the next one comes soon, or a SIP that does little but call would
 * keep the processor. A prime, so that it does not keep step with such a loop.
 */
#define TIMER_AGAIN_TICKS 997

void timer_start(void) {
    apic_start("preemption");
    apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
    apic_write(APIC_TIMER, 1u << 17 | TIMER_VECTOR);
    apic_write(APIC_INITIAL, kernel_plan->slice_us * TIMER_TICKS_PER_US);
    thread_flags |= RFLAGS_IF;
    trap_allow_interrupts(true);
}

void timer_tick(const struct trap_frame *frame, bool in_sip) {
    static bool again;
    apic_write(APIC_EOI, 0);
    if (again == in_sip) { /* from a slice to a short while, or back */
        again = !in_sip;
        apic_write(APIC_INITIAL,
                   again ? TIMER_AGAIN_TICKS : kernel_plan->slice_us * TIMER_TICKS_PER_US);
    }
    if (!in_sip)
        return;
    uint64_t budget = sip_current()->plan->budget_us;
    uint64_t ticks = thread_tick();
    if (budget && ticks * kernel_plan->slice_us > budget)
        sip_fault(ABI_TRAP_BUDGET, "budget exceeded", 0, frame->rip);
    if (thread_queue_head)
        thread_preempt(frame);
}
