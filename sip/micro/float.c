/* float-yield: as yield, by two SIPs whose floating-point registers are in use. The time of both SIPs'
   turns without the yield is subtracted, so that the rest is the switch. */
#include "bench.h"
#include "float_work.h"

static struct bench bench;
static struct float_work work, without;

int sip_main(void) {
    float_start(&work, 1);
    float_start(&without, 1);
    BENCH_AGAINST(&bench, "float-yield", RESULT_SINGLE, float_turn(&work, true), ,
                  float_turn(&without, false);
                  float_turn(&without, false));
    bench_finish(&bench, 2, float_finish(&work, 1));
    return 0;
}
