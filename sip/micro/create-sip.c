/* create-sip: make a SIP from a template, start it, wait for its end; all of it is one operation. */
#include "bench.h"

static struct bench bench;

static void create_one(void) {
    sip_child child = sip_create("child");
    if (!child || sip_start(child) || sip_wait(child))
        sip_fail("a SIP could not be created, started and waited for");
}

int sip_main(void) {
    BENCH(&bench, "create-sip", RESULT_SINGLE, create_one(), );
    bench_finish(&bench, 1, 0);
    return 0;
}
