/* See float_work.h. Rounded to nearest, without contraction: the same bits from every compiler. */
#include "float_work.h"
#include <string.h>

#define MXCSR_START 0x1f80u /* as the processor starts: nearest, all exceptions masked */
#define MXCSR_FLAGS 0x3fu   /* what happened; all else are settings */

void float_start(struct float_work *work, uint32_t who) {
    work->turns = 0;
    work->mxcsr = MXCSR_START | who << 13; /* rounds down or up */
    for (uint32_t i = 0; i < FLOAT_NUMBERS; i++)
        work->number[i] = (double)(who * FLOAT_NUMBERS + i) / 64;
}

/* The logistic map, which is chaotic at this factor. */
static void float_compute(struct float_work *work) {
    for (uint32_t i = 0; i < FLOAT_NUMBERS; i++)
        work->number[i] = 3.99 * work->number[i] * (1 - work->number[i]);
    work->turns++;
}

#ifdef __wasm__

static void float_hold(struct float_work *work, bool yield) {
    (void)work;
    if (yield)
        sip_yield();
}

#else

/* Called with values in all vector registers; neither uses any. */
static void hold_yield(void) { sip_yield(); }
static void hold_nothing(void) {}

/* The registers come back through the numbers, so that a wrong one gives a wrong sum. */
#define HOLD(call)                                                                                 \
    __asm__ volatile("mov %%rsp, %%rbx\n\t"                                                        \
                     "and $-16, %%rsp\n\t"                                                         \
                     "ldmxcsr %[mxcsr]\n\t"                                                        \
                     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"                           \
                     "movsd 8*\\n(%[numbers]), %%xmm\\n\n\t"                                       \
                     ".endr\n\t"                                                                   \
                     "call %P[function]\n\t"                                                       \
                     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"                           \
                     "movsd %%xmm\\n, 8*\\n(%[numbers])\n\t"                                       \
                     ".endr\n\t"                                                                   \
                     "stmxcsr %[mxcsr]\n\t"                                                        \
                     "ldmxcsr %[start]\n\t"                                                        \
                     "mov %%rbx, %%rsp"                                                            \
                     : [mxcsr] "+m"(work->mxcsr)                                                   \
                     : [numbers] "r"(numbers), [function] "i"(call), [start] "m"(start)            \
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc",   \
                       "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",   \
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

static void float_hold(struct float_work *work, bool yield) {
    static const uint32_t start = MXCSR_START;
    uint32_t before = work->mxcsr;
    double *numbers = work->number;
    if (yield)
        HOLD(hold_yield);
    else
        HOLD(hold_nothing);
    if ((work->mxcsr ^ before) & ~MXCSR_FLAGS)
        sip_fail("MXCSR has changed while another SIP ran");
    work->mxcsr = before;
}

#endif

void float_turn(struct float_work *work, bool yield) {
    float_hold(work, yield);
    float_compute(work);
}

uint64_t float_finish(const struct float_work *work, uint32_t who) {
    struct float_work alone;
    uint64_t sum = 0;
    float_start(&alone, who);
    while (alone.turns < work->turns)
        float_compute(&alone);
    for (uint32_t i = 0; i < FLOAT_NUMBERS; i++) {
        uint64_t bits[2];
        memcpy(&bits[0], &work->number[i], 8);
        memcpy(&bits[1], &alone.number[i], 8);
        if (bits[0] != bits[1])
            sip_fail("a number is not what it is without another SIP");
        sum = (sum ^ bits[0]) * 0x100000001b3ull;
    }
    return sum;
}
