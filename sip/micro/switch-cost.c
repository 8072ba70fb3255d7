/*
 * switch-cost: two SIPs walk through `bytes` each and give way to each other. What two walks without
 * a switch take is subtracted, and the rest shared by the two switches; `switch-cost-walk` is one
 * walk without a switch.
 */
#include "bench.h"
#include "touch_area.h"

static struct bench walk, cost;
static struct area area;

static void verify(void) {
    if (!area_is_whole(&area))
        sip_fail("a walk did not end where it began");
}

static void walk_and_give_way(void) {
    area_walk(&area);
    sip_yield(); /* the second SIP does the same */
}

static void walk_twice(void) {
    area_walk(&area);
    area_walk(&area);
}

int sip_main(void) {
    area_of_bytes(&area, 0);
    sip_yield(); /* until the second SIP is ready */
    BENCH(&walk, "switch-cost-walk", RESULT_SINGLE, area_walk(&area), verify());
    BENCH_AGAINST(&cost, "switch-cost", RESULT_SINGLE, walk_and_give_way(), verify(), walk_twice());
    uint64_t oracle = area_checksum_both(&area);
    bench_finish(&walk, 1, oracle);
    bench_finish(&cost, 2, oracle);
    return 0;
}
