/*
 * fpu: lazy. A switch only sets CR0.TS if the registers hold another thread's values; its first use of
 * them traps, and they change hands then.
 */
#include "fpu.h"
#include "guest-kernel/compose.h"
#include "guest-kernel/events.h"
#include "guest-kernel/trap.h"
#include "guest-kernel/x86.h"

extern struct thread *fpu_owner; /* by this name in the code below */
struct thread *fpu_owner;        /* whose values the registers hold; NULL: nobody's any more */

FRAGMENT(fpu_mark, "mov %cr0, %rax\n or $8, %eax\n"
                   "cmp %rsi, fpu_owner\n jne 1f\n"
                   "and $~8, %eax\n"
                   "1: mov %rax, %cr0");

static void enable(void) {
    fpu_enable();
    x86_write_cr0(x86_read_cr0() | CR0_TS);
}

static void compose(enum compose_point point, const struct compose_pair *pair) {
    (void)pair;
    if (point == POINT_ENTER)
        compose_unless_simulated(MECHANISM_FPU_LAZY, fpu_mark);
}

static bool trapped(uint64_t vector) {
    struct thread *thread = thread_current;
    if (vector != VECTOR_NO_FPU || fpu_owner == thread)
        return false;
    __asm__ volatile("clts");
    if (fpu_owner) {
        __asm__ volatile("fxsave64 (%0)" ::"r"(fpu_owner->fpu) : "memory");
        events[EVENT_STATE_SAVES]++;
    }
    __asm__ volatile("fxrstor64 (%0)" ::"r"(thread->fpu) : "memory");
    fpu_owner = thread;
    return true;
}

static void thread_gone(struct thread *thread) {
    if (fpu_owner == thread)
        fpu_owner = NULL;
}

const struct mechanism mechanism_FPU_LAZY = {.enable = enable,
                                             .compose = compose,
                                             .thread_made = fpu_thread_made,
                                             .thread_gone = thread_gone,
                                             .trapped = trapped};
