/* fpu: eager. x87 and SSE registers go to memory and back at each switch of threads. */
#include "fpu.h"
#include "guest-kernel/compose.h"
#include "guest-kernel/kernel.h"
#include "guest-kernel/offsets.h"
#include "guest-kernel/x86.h"

#define FPU_MXCSR 24 /* offset in the FXSAVE area; Intel SDM 1, 10.5.1 */
#define FPU_CONTROL_DEFAULT 0x37f
#define FPU_MXCSR_DEFAULT 0x1f80

FRAGMENT(fpu_save, "mov " OFFSET_TEXT(THREAD_FPU) "(%rdi), %rax\n fxsave64 (%rax)");
FRAGMENT(fpu_load, "mov " OFFSET_TEXT(THREAD_FPU) "(%rsi), %rax\n fxrstor64 (%rax)");

static uint8_t areas[THREADS + 2][FPU_BYTES] __attribute__((aligned(16)));

void fpu_enable(void) {
    x86_write_cr0((x86_read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP);
    x86_set_cr4(CR4_OSFXSR | CR4_OSXMMEXCPT);
}

bool fpu_thread_made(struct thread *thread) {
    uint8_t *area = areas[thread_number(thread)];
    memset(area, 0, FPU_BYTES);
    *(uint16_t *)area = FPU_CONTROL_DEFAULT;
    *(uint32_t *)(area + FPU_MXCSR) = FPU_MXCSR_DEFAULT;
    thread->fpu = area;
    return true;
}

static void compose(enum compose_point point, const struct compose_pair *pair) {
    (void)pair;
    if (point == POINT_LEAVE) {
        compose_count(EVENT_STATE_SAVES);
        compose_unless_simulated(MECHANISM_FPU_EAGER, fpu_save);
    }
    if (point == POINT_ENTER)
        compose_unless_simulated(MECHANISM_FPU_EAGER, fpu_load);
}

const struct mechanism mechanism_FPU_EAGER = {
    .enable = fpu_enable, .compose = compose, .thread_made = fpu_thread_made};
