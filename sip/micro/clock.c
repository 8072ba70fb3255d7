/*
 * clock: what it takes to read the time-stamp counter: bare, which the processor may reorder; fenced on
 * both sides, as everything here is measured; and a fenced pair with its difference.
 */
#include "bench.h"

static struct bench bench;
static uint64_t last;
static volatile uint64_t took;

static void pair_read(void) {
    uint64_t start = sip_clock();
    took = sip_clock() - start;
}

static void check(void) {
    uint64_t now = sip_clock();
    if (now <= last)
        sip_fail("the time-stamp counter stands still or goes back");
    last = now;
}

int sip_main(void) {
    check();
    BENCH(&bench, "clock-bare", RESULT_SINGLE, sip_clock_bare(), check());
    bench_finish(&bench, 1, 0);
    BENCH(&bench, "clock-fenced", RESULT_SINGLE, sip_clock(), check());
    bench_finish(&bench, 1, 0);
    BENCH(&bench, "clock-pair", RESULT_SINGLE, pair_read(), check());
    bench_finish(&bench, 1, 0);
    return 0;
}
