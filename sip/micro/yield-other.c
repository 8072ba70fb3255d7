/* The other half of yield: gives way as often as yield-client's BENCH does, so that it always can. */
#include "sip.h"

int sip_main(void) {
    uint64_t batch = (uint64_t)sip_param("batch", 1), samples = (uint64_t)sip_param("samples", 1);
    uint64_t yields = (uint64_t)sip_param("warmup", 0) + (samples + 1) * batch;
    while (yields--)
        sip_yield();
    return 0;
}
