/* yield: two SIPs give way to each other; a run of the loop is two yields, one in each of them. */
#include "bench.h"

static struct bench bench;

int sip_main(void) {
    BENCH(&bench, "yield", RESULT_SINGLE, sip_yield(), );
    bench_finish(&bench, 2, 0);
    return 0;
}
