/* libs: C libraries of others, built as they are: a JSON reader, a hash table, a digest. */
#include "libs.h"
#include "bench.h"

static struct bench bench;

static void work(void) {
    if (libs_work() != LIBS_ANSWER)
        sip_fail("C libraries gave another answer than on the host");
}

int sip_main(void) {
    BENCH(&bench, "libs", RESULT_SINGLE, work(), );
    bench_finish(&bench, 1, LIBS_ANSWER);
    return 0;
}
