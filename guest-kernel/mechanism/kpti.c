/*
 * kpti: two roots for a space with ring 3 in it. The user's root maps the lower half and the
 * trampoline: descriptor tables, trap stubs, the composed code, struct cpu and an entry stack. The way
 * in loads the kernel's root before it touches anything else, the way out the user's root last.
 */
#include "guest-kernel/compose.h"
#include "guest-kernel/events.h"
#include "guest-kernel/kernel.h"
#include "guest-kernel/offsets.h"
#include "guest-kernel/space.h"
#include "guest-kernel/thread.h"
#include "guest-kernel/trap.h"

#define CPU "cpu + "
#define EVENT_TEXT(byte) "events + " #byte

_Static_assert(EVENT_TABLE_SWITCHES == 1 && EVENT_TLB_FLUSHES == 2, "as below");
_Static_assert(sizeof(struct trap_frame) == 22 * 8, "as below");

/* A domain without KPTI, beside one with it, has the same root twice. */
FRAGMENT(kpti_enter,
         "mov " OFFSET_TEXT(
             THREAD_ROOT) "(%rsi), %rax\n"
                          "mov %rax, " CPU OFFSET_TEXT(
                              CPU_KERNEL_ROOT) "\n"
                                               "mov " OFFSET_TEXT(
                                                   THREAD_USER_ROOT) "(%rsi), %rax\n"
                                                                     "mov %rax, " CPU OFFSET_TEXT(
                                                                         CPU_USER_ROOT));
FRAGMENT(kpti_call_in, "mov " CPU OFFSET_TEXT(CPU_KERNEL_ROOT) ", %rsp\n mov %rsp, %cr3");
FRAGMENT(kpti_call_out, "mov " CPU OFFSET_TEXT(CPU_USER_ROOT) ", %rdx\n mov %rdx, %cr3");
FRAGMENT(kpti_call_on, "sti");
FRAGMENT(kpti_call_done, "cli");

/*
 * A trap: from ring 3 to the kernel's root, from the kernel as it is. NMI, double fault and machine
 * check may strike between the two and do not come back: they take the root that is always good. The
 * frame moves off the entry stack, where ring 3's tables could show what the kernel leaves there.
 */
FRAGMENT(
    kpti_trap_in,
    "cld\n"
    "mov 120(%rsp), %ecx\n mov $0x40104, %eax\n bt %ecx, %eax\n jc 3f\n"
    "testb $3, 144(%rsp)\n jz 1f\n"
    "mov " CPU OFFSET_TEXT(
        CPU_KERNEL_ROOT) ", %rax\n"
                         "cmp " CPU OFFSET_TEXT(
                             CPU_USER_ROOT) ", %rax\n je 1f\n"
                                            "mov %rax, %cr3\n"
                                            "incq " EVENT_TEXT(
                                                8) "\n"
                                                   "mov thread_current, %rax\n mov " OFFSET_TEXT(
                                                       THREAD_FLUSHES) "(%rax), %rax\n"
                                                                       "add %rax, " EVENT_TEXT(
                                                                           16) "\n"
                                                                               "1: mov %rsp, "
                                                                               "%rsi\n mov "
                                                                               "$trap_stack_top - "
                                                                               "176, %rdi\n mov "
                                                                               "$22, %ecx\n rep "
                                                                               "movsq\n"
                                                                               "mov "
                                                                               "$trap_stack_top - "
                                                                               "176, %rsp\n jmp "
                                                                               "4f\n"
                                                                               "3: mov " CPU OFFSET_TEXT(
                                                                                   CPU_SAFE_ROOT) ", %rax\n mov %rax, %cr3\n"
                                                                                                  "4:");
FRAGMENT(
    kpti_trap_out,
    "cli\n testb $3, 8(%rsp)\n jz 2f\n"
    "mov %rax, " CPU OFFSET_TEXT(
        CPU_SCRATCH) "\n"
                     "mov " CPU OFFSET_TEXT(
                         CPU_USER_ROOT) ", %rax\n"
                                        "cmp " CPU OFFSET_TEXT(
                                            CPU_KERNEL_ROOT) ", %rax\n je 1f\n"
                                                             "incq " EVENT_TEXT(
                                                                 8) "\n"
                                                                    "mov thread_current, %rax\n "
                                                                    "mov " OFFSET_TEXT(
                                                                        THREAD_FLUSHES) "(%rax), "
                                                                                        "%rax\n"
                                                                                        "add "
                                                                                        "%rax,"
                                                                                        " " EVENT_TEXT(
                                                                                            16) "\n"
                                                                                                "mo"
                                                                                                "v"
                                                                                                " " CPU OFFSET_TEXT(
                                                                                                    CPU_USER_ROOT) ", %rax\n"
                                                                                                                   "popq " CPU OFFSET_TEXT(
                                                                                                                       CPU_IRET) "\n popq " CPU
                                                                                                                       OFFSET_TEXT(
                                                                                                                           CPU_IRET) " + 8\n"
                                                                                                                                     "popq " CPU OFFSET_TEXT(
                                                                                                                                         CPU_IRET) " + 16\n popq " CPU
                                                                                                                                         OFFSET_TEXT(
                                                                                                                                             CPU_IRET) " + 24\n"
                                                                                                                                                       "popq " CPU OFFSET_TEXT(
                                                                                                                                                           CPU_IRET) " + 32\n"
                                                                                                                                                                     "mov $" CPU OFFSET_TEXT(
                                                                                                                                                                         CPU_IRET) ", %rsp\n"
                                                                                                                                                                                   "mov %rax, %cr3\n"
                                                                                                                                                                                   "1: mov " CPU OFFSET_TEXT(
                                                                                                                                                                                       CPU_SCRATCH) ", %rax\n"
                                                                                                                                                                                                    "2:");

static void enable(void) {
    if (!space_trampoline_create())
        run_end(RESULT_FAILED, "no memory for the kernel's page tables; give the guest more");
    cpu.safe_root = space_kernel.root;
    trap_use_trampoline();
}

static void count_load(const struct compose_pair *pair) {
    compose_count(EVENT_TABLE_SWITCHES);
    if (!(pair->to_has & MECHANISM(PCID)))
        compose_count(EVENT_TLB_FLUSHES);
}

static void compose(enum compose_point point, const struct compose_pair *pair) {
    bool has = pair->to_has & MECHANISM(KPTI), preempt = kernel_plan->flags & PLAN_PREEMPT;
    if (point == POINT_ENTER && pair->to->ring == 3 && !pair->same)
        compose_code(kpti_enter);
    if (point == POINT_TRAP_IN)
        compose_code(kpti_trap_in);
    if (point == POINT_TRAP_OUT)
        compose_code(kpti_trap_out);
    if (point == POINT_CALL_IN && has)
        compose_code(kpti_call_in);
    if (point == POINT_CALL_ON && has)
        count_load(pair);
    if (point == POINT_CALL_ON && preempt)
        compose_code(kpti_call_on); /* interrupts were off until the kernel's root was there */
    if (point == POINT_CALL_DONE && preempt)
        compose_code(kpti_call_done);
    if (point == POINT_CALL_OUT && has) {
        count_load(pair);
        compose_code(kpti_call_out);
    }
}

const struct mechanism mechanism_KPTI = {.enable = enable, .compose = compose};
