/* The second SIP of switch-cost: walks and gives way as often as the first one's BENCH does. */
#include "touch_area.h"

static struct area area;

int sip_main(void) {
    uint64_t batch = (uint64_t)sip_param("batch", 1), samples = (uint64_t)sip_param("samples", 1);
    area_of_bytes(&area, 1);
    area_serve(&area, (uint64_t)sip_param("warmup", 0) + (samples + 1) * batch);
    return 0;
}
