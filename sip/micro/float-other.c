/* The other half of float: as many turns as float's BENCH makes, with numbers of its own. */
#include "float_work.h"

static struct float_work work;

int sip_main(void) {
    uint64_t batch = (uint64_t)sip_param("batch", 1), samples = (uint64_t)sip_param("samples", 1);
    uint64_t turns = (uint64_t)sip_param("warmup", 0) + (samples + 1) * batch;
    float_start(&work, 2);
    while (turns--)
        float_turn(&work, true);
    float_finish(&work, 2);
    return 0;
}
