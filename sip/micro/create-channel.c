/* create-channel: a channel with both its ends in this SIP, made and closed again. */
#include "bench.h"

static struct bench bench;

static void create_one(void) {
    struct sip_ends ends = sip_channel_create("pipe");
    if (!ends.client || sip_close(ends.client) || sip_close(ends.server))
        sip_fail("a channel could not be created and closed");
}

int sip_main(void) {
    BENCH(&bench, "create-channel", RESULT_SINGLE, create_one(), );
    bench_finish(&bench, 1, 0);
    return 0;
}
