/*
 * scheduler: `threads` threads of this SIP, all ready, yield to each other. A run of the loop is a
 * yield in each of them, and one operation is one yield.
 */
#include "bench.h"

#define THREADS_MOST 64u /* THREADS of the image */
#define CHECKED_TURNS 8u

static struct bench bench;
static uint8_t stacks[THREADS_MOST - 1][16384] __attribute__((aligned(16)));
static volatile uint64_t sums[THREADS_MOST - 1];
static volatile uint32_t checked, ended;
static uint64_t yields; /* of each thread while it is measured */

static uint64_t mix(uint64_t value) {
    value = (value + 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;
    return value ^ value >> 31;
}

static void worker(uint32_t number) {
    for (uint32_t turn = 0; turn < CHECKED_TURNS; turn++) {
        sums[number] = mix(sums[number] + number * CHECKED_TURNS + turn);
        sip_yield();
    }
    checked++;
    /* So that all start to be measured in one round: main's first yield after it saw the last of them. */
    while (!yields)
        sip_yield();
    for (uint64_t left = yields; left; left--)
        sip_yield();
    ended++;
}

/* The oracle: each thread went through all its turns, with variables of its own. */
static uint64_t check(uint32_t workers) {
    uint64_t oracle = workers;
    while (checked != workers)
        sip_yield();
    for (uint32_t i = 0; i < workers; i++) {
        uint64_t sum = 0;
        for (uint32_t turn = 0; turn < CHECKED_TURNS; turn++)
            sum = mix(sum + i * CHECKED_TURNS + turn);
        if (sums[i] != sum)
            sip_fail("a thread did not take all its turns");
        oracle = mix(oracle ^ sum);
    }
    return oracle;
}

int sip_main(void) {
    int64_t threads = sip_param("threads", 2);
    if (threads < 2 || threads > THREADS_MOST)
        sip_fail("param 'threads' must be from 2 to 64");
    uint32_t workers = (uint32_t)threads - 1;
    for (uint32_t i = 0; i < workers; i++)
        if (sip_thread(worker, i, stacks[i], sizeof stacks[i]))
            sip_fail("a thread could not be created");
    uint64_t oracle = check(workers);
    uint64_t batch = (uint64_t)sip_param("batch", 1), samples = (uint64_t)sip_param("samples", 1);
    yields = (uint64_t)sip_param("warmup", 0) + (samples + 1) * batch;
    BENCH(&bench, "scheduler", RESULT_SINGLE, sip_yield(), );
    uint64_t more = 0;
    for (; ended != workers; more++)
        sip_yield();
    if (more > 2 + yields / 100)
        sip_fail("a yield did not go round all threads: another thing takes turns");
    bench_finish(&bench, workers + 1, oracle);
    return 0;
}
