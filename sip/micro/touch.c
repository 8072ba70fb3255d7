/*
 * touch: a walk through `pages` pages. `touch-warm`: after another such walk. `touch-after`: after a
 * switch to another SIP, which walks pages of its own, and back; the walk alone. `touch-across`: all
 * of it, the switches and both walks.
 */
#include "bench.h"
#include "touch.h"

static struct bench warm, after, across;
static struct area area;

static void verify(void) {
    if (!area_is_whole(&area))
        sip_fail("a walk did not end where it began");
}

static void give_way_and_walk(void) {
    sip_yield();
    area_walk(&area);
}

int sip_main(void) {
    area_of_pages(&area, 0);
    sip_yield(); /* until the second SIP is ready */
    BENCH_EACH(&warm, "touch-warm", RESULT_SINGLE, , area_walk(&area), verify(), );
    BENCH_EACH(&after, "touch-after", RESULT_SINGLE, sip_yield(), area_walk(&area), verify(), );
    BENCH_EACH(&across, "touch-across", RESULT_SINGLE, , give_way_and_walk(), verify(), );
    uint64_t oracle = area_checksum_both(&area);
    bench_finish(&warm, 1, oracle);
    bench_finish(&after, 1, oracle);
    bench_finish(&across, 1, oracle);
    return 0;
}
