/*
 * cet: shstk. Each ring-3 thread has a shadow stack of one page beside its SIP. The processor keeps its
 * pointer in IA32_PL3_SSP while the kernel runs; a switch of threads exchanges it. The kernel itself has
 * none, as in Linux.
 */
#include "guest-kernel/compose.h"
#include "guest-kernel/kernel.h"
#include "guest-kernel/offsets.h"
#include "guest-kernel/page.h"
#include "guest-kernel/sip.h"
#include "guest-kernel/tlb.h"
#include "guest-kernel/x86.h"

#define SHADOW_OFFSET 0x28000000 /* in a SIP's stretch of addresses */

FRAGMENT(shstk_save,
         "mov $0x6a7, %ecx\n rdmsr\n"
         "mov %eax, " OFFSET_TEXT(THREAD_SSP) "(%rdi)\n"
                                              "mov %edx, " OFFSET_TEXT(THREAD_SSP) "+4(%rdi)");
FRAGMENT(shstk_load,
         "mov $0x6a7, %ecx\n"
         "mov " OFFSET_TEXT(THREAD_SSP) "(%rsi), %eax\n"
                                        "mov " OFFSET_TEXT(THREAD_SSP) "+4(%rsi), %edx\n wrmsr");

static void enable(void) {
    x86_set_cr4(CR4_CET);
    x86_write_msr(MSR_U_CET, x86_read_msr(MSR_U_CET) | CET_SHSTK);
}

static void compose(enum compose_point point, const struct compose_pair *pair) {
    if (point == POINT_LEAVE && pair->from->ring == 3)
        compose_unless_simulated(MECHANISM_SHSTK, shstk_save);
    if (point == POINT_ENTER && pair->to->ring == 3)
        compose_unless_simulated(MECHANISM_SHSTK, shstk_load);
}

static uint64_t shadow_of(const struct thread *thread) { /* a page apart from the next */
    return thread->sip->base + SHADOW_OFFSET + thread_number(thread) * 2 * PAGE_BYTES;
}

static bool thread_made(struct thread *thread) {
    if (!thread->sip || thread->sip->domain->ring != 3)
        return true;
    struct domain *domain = thread->sip->domain;
    uint64_t va = shadow_of(thread);
    uint64_t pa = page_alloc_zeroed();
    uint64_t *entry = pa == PAGE_NONE ? NULL : space_reach(domain->space, va);
    if (!entry) {
        if (pa != PAGE_NONE)
            page_free(pa);
        return false;
    }
    *entry = pa | space_flags(domain->access) | PTE_DIRTY; /* dirty, not writable: a shadow stack */
    thread->ssp = va + PAGE_BYTES;
    return true;
}

static void thread_gone(struct thread *thread) {
    struct space *space = thread->sip->domain->space;
    uint64_t va = shadow_of(thread), pa;
    if (thread->sip->domain->ring != 3 || (pa = space_lookup(space, va)) == PAGE_NONE)
        return;
    space_unmap(space, va, PAGE_BYTES);
    tlb_forget_page(space, tlb_is_current(space), va);
    page_free(pa);
}

const struct mechanism mechanism_SHSTK = {
    .enable = enable, .compose = compose, .thread_made = thread_made, .thread_gone = thread_gone};
