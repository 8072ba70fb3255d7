/*
 * A SIP whose threads come and go: each has its own stack for variables, natively its own stack too,
 * and both are used again. The parameter `full`: nothing runs unless main yields, so the stacks are all
 * taken once all threads are started. The parameter `break` makes a thread do wrong instead: 1 uses up
 * its native stack, 2 starts at a function of another type, 3 at no function.
 */
#include "bench.h"

#define WORKERS 3u /* THREADS less one */
#define ROUNDS 100u
#define DEPTH 40u

static struct bench bench;
static uint8_t stacks[WORKERS + 1][16384] __attribute__((aligned(16)));
static volatile uint32_t done[WORKERS], step = 1;
static bool full;

/* Keeps words on the stack for variables across switches to the other threads. */
static __attribute__((noinline)) uint32_t dig(uint32_t seed, uint32_t depth) {
    volatile uint32_t kept[4] = {seed, seed * depth, depth, ~seed};
    if (depth % 8 == 0)
        sip_yield();
    uint32_t below = depth ? dig(seed * 31 + 7, depth - 1) : seed;
    if (kept[0] != seed || kept[1] != seed * depth || kept[2] != depth || kept[3] != ~seed)
        sip_fail("a thread's variables changed below a call");
    return below ^ kept[3];
}

static void worker(uint32_t number) { done[number] = dig(number + 1, DEPTH); }

/* No sum or product, or the compilers make a loop of it. */
static __attribute__((noinline)) uint32_t sink(uint32_t depth) {
    return depth == 0 ? 0 : (sink(depth + step) ^ depth) * 3;
}
static void bottomless(uint32_t depth) { done[0] = sink(depth); }

static void start(void (*entry)(uint32_t), uint32_t number) {
    int64_t error;
    /* The one before has said that it is done, but may not have ended. */
    while ((error = sip_thread(entry, number, stacks[number], sizeof(stacks[number]))) ==
           ABI_ENOMEM)
        sip_yield();
    if (error)
        sip_fail("a thread could not be started");
}

static uint64_t round_of_all(void) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        done[i] = 0;
        start(worker, i);
    }
    if (sip_thread(worker, 0, stacks[0], 4) != ABI_EINVAL)
        sip_fail("a thread was started on four bytes of stack");
#ifdef __wasm__
    if (full && sip_thread(worker, 0, stacks[0], sizeof(stacks[0])) != ABI_ENOMEM)
        sip_fail("there were more threads than THREADS");
#endif
    uint32_t alone = dig(99, DEPTH);
    for (uint32_t i = 0; i < WORKERS; i++) {
        while (!done[i])
            sip_yield();
        sum = sum * 31 + done[i];
    }
    return sum + alone;
}

int sip_main(void) {
    full = sip_param("full", 0) != 0;
    switch (sip_param("break", 0)) {
    case 1:
        start(bottomless, WORKERS);
        break;
    case 2:
        start((void (*)(uint32_t))(void *)sink, WORKERS);
        break;
    case 3:
        start((void (*)(uint32_t))(uintptr_t)0x7fff0000, WORKERS);
        break;
    default:
        break;
    }
    uint64_t sum = round_of_all();
    for (uint32_t i = 0; i < ROUNDS; i++)
        if (round_of_all() != sum)
            sip_fail("threads gave another answer than before");
    BENCH(&bench, "threads", RESULT_SINGLE, round_of_all(), );
    bench_finish(&bench, 1, sum);
    return 0;
}
