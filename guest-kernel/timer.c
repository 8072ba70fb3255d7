/* The local APIC's timer, periodic. Source: Intel SDM 3A, chapter 11 (xAPIC mode). */
#include "timer.h"
#include "kernel.h"
#include "sip.h"
#include "x86.h"

#define APIC_VA 0xffffffffc0000000
#define APIC_PA_MASK 0xffffff000ull
#define APIC_ENABLE (1u << 11) /* in MSR_APIC_BASE */
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0 /* bit 8 enables the APIC */
#define APIC_TIMER 0x320   /* bit 17: periodic */
#define APIC_INITIAL 0x380
#define APIC_DIVIDE 0x3e0
#define APIC_DIVIDE_BY_1 0xb
#define PTE_UNCACHED 0x10ull
/* QEMU and KVM count the timer at 1 GHz (KVM: KVM_CAP_X86_APIC_BUS_CYCLES_NS, 1 ns by default). */
#define TIMER_TICKS_PER_US 1000
/*
 * After a tick that hit the kernel the next one comes soon, or a SIP that does little but call would
 * keep the processor. A prime, so that it does not keep step with such a loop.
 */
#define TIMER_AGAIN_TICKS 997

static inline void apic_write(uint32_t reg, uint32_t value) {
    *(volatile uint32_t *)(APIC_VA + reg) = value;
}

void timer_start(void) {
    uint32_t leaf[4], page_bits;
    x86_cpuid(1, 0, leaf);
    if (!(leaf[3] >> 9 & 1))
        run_end(RESULT_UNAVAILABLE, "needs a local APIC for preemption, which this CPU lacks");
    x86_out8(0x21, 0xff); /* the legacy interrupt controllers stay silent */
    x86_out8(0xa1, 0xff);
    uint64_t base = x86_read_msr(MSR_APIC_BASE);
    x86_write_msr(MSR_APIC_BASE, base | APIC_ENABLE);
    if (!space_map(&space_kernel, APIC_VA, base & APIC_PA_MASK, PAGE_BYTES, PLAN_PAGES_4K,
                   SPACE_WRITE))
        run_end(RESULT_FAILED, "no memory for the kernel's page tables; give the guest more");
    *space_entry(&space_kernel, APIC_VA, &page_bits) |= PTE_UNCACHED;
    apic_write(APIC_SPURIOUS, 0x100 | TIMER_SPURIOUS_VECTOR);
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
