/* create-thread: a thread of this SIP is made, runs and ends; the one that made it sees that it did. */
#include "bench.h"

#define CHECKED_THREADS 100u

static struct bench bench;
/* Turns: where the timer may take the processor, the last thread may still be about to end. */
static uint8_t stack[2][16384] __attribute__((aligned(16)));
static volatile uint64_t sum;
static volatile uint32_t ended;
static uint32_t made;

static void body(uint32_t number) {
    sum = sum * 31 + number;
    ended = number;
}

static void create_one(void) {
    made++;
    if (sip_thread(body, made, stack[made % 2], sizeof stack[0]))
        sip_fail("a thread could not be created");
    do
        sip_yield();
    while (__builtin_expect(ended != made, 0));
}

/* The oracle: each thread ran once, in the order of creation. */
static uint64_t check(void) {
    uint64_t expected = 0;
    for (uint32_t i = 1; i <= CHECKED_THREADS; i++) {
        expected = expected * 31 + i;
        create_one();
    }
    if (sum != expected)
        sip_fail("a thread did not run exactly once");
    return expected;
}

int sip_main(void) {
    uint64_t oracle = check();
    BENCH(&bench, "create-thread", RESULT_SINGLE, create_one(), );
    bench_finish(&bench, 1, oracle);
    return 0;
}
