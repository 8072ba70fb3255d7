/* atomics: a word of this SIP's memory is added to, and exchanged after a compare that holds. */
#include "bench.h"

static struct bench bench;
static uint64_t word;

static void add(void) { sip_atomic_add(&word, 3); }

static uint64_t exchanged; /* what the word must be */
static void exchange(void) {
    uint64_t expected = exchanged;
    exchanged = expected + 5;
    if (__builtin_expect(sip_atomic_compare_exchange(&word, expected, exchanged) != expected, 0))
        sip_fail("a word was not what was put there");
}

/* The oracle: both return what was there before, and only a compare that holds changes anything. */
static uint64_t check(void) {
    uint64_t sum = 0;
    word = 0xfffffffffffffff0ull;
    for (uint64_t i = 0; i < 16; i++) /* carries out of the low half and wraps */
        sum = sum * 31 + sip_atomic_add(&word, i << 32 | i);
    sum = sum * 31 + sip_atomic_compare_exchange(&word, word + 1, 1);
    sum = sum * 31 + sip_atomic_compare_exchange(&word, word, 0x123456789abcdefull);
    return sum * 31 + word;
}

int sip_main(void) {
    uint64_t oracle = check();
    word = 0;
    BENCH(&bench, "atomic-add", RESULT_SINGLE, add(), );
    uint64_t runs = bench.warmup + (bench.samples + 1ull) * bench.batch;
    if (word != 3 * runs)
        sip_fail("an addition was lost");
    bench_finish(&bench, 1, oracle);
    exchanged = word;
    BENCH(&bench, "atomic-exchange", RESULT_SINGLE, exchange(), );
    if (word != exchanged)
        sip_fail("an exchange was lost");
    bench_finish(&bench, 1, oracle);
    return 0;
}
