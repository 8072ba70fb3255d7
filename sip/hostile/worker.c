/* A SIP that computes for many slices of time and says when it is done; what it computed is checked. */
#include "sip.h"

int sip_main(void) {
    uint32_t rounds = (uint32_t)sip_param("rounds", 2000000);
    uint32_t state = 1;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        state = state * 1664525 + 1013904223;
        sum += state >> 16;
    }
    uint32_t again = 1;
    for (uint32_t i = 0; i < rounds; i++) {
        again = again * 1664525 + 1013904223;
        sum -= again >> 16;
    }
    if (sum)
        sip_fail("a register or a variable changed while other SIPs ran");
    sip_print("worker: done\n");
    return 0;
}
