/* abi-call: the cheapest call into the kernel and back, as the paper's "ABI call". */
#include "bench.h"

static struct bench bench;

int sip_main(void) {
    uint32_t self = sip_self();
    uint64_t wrong = 0;
    BENCH(&bench, "abi-call", RESULT_SINGLE, sip_self(), wrong |= sip_self() ^ self);
    if (wrong)
        sip_fail("the kernel answered with another SIP's number");
    bench_finish(&bench, 1, 0);
    return 0;
}
