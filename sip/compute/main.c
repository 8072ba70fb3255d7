/*
 * compute: the kernels as a SIP that talks to nobody, so that its figures show the price of software
 * isolation alone. One sample is one run of a kernel; the parameter `rounds` sets how long that is.
 */
#include "bench.h"
#include "compute.h"

#define MOST_SAMPLES 32u /* a sample is a million instructions or more */

static struct bench bench;

static void measure(const char *name, uint32_t (*kernel)(uint32_t), uint32_t rounds) {
    uint32_t checksum = kernel(rounds); /* the warm-up too */
    bench_start(&bench, name, RESULT_SINGLE);
    bench.batch = 1;
    if (bench.samples > MOST_SAMPLES)
        bench.samples = MOST_SAMPLES;
    for (uint32_t sample = 0; sample < bench.samples; sample++) {
        uint64_t start = sip_clock();
        uint32_t again = kernel(rounds);
        bench.values[sample] = sip_clock() - start;
        if (again != checksum)
            sip_fail("a compute kernel gave two answers to one question");
    }
    for (uint32_t sample = 0; sample < bench.samples; sample++) {
        uint64_t start = sip_clock();
        bench.values[bench.samples + sample] = sip_clock() - start;
    }
    bench_count_start(&bench);
    kernel(rounds);
    bench_count_end(&bench);
    bench_finish(&bench, 1, checksum);
}

int sip_main(void) {
    int64_t rounds = sip_param("rounds", 1);
    if (rounds < 1 || rounds > 10000)
        sip_fail("the parameter rounds is not from 1 to 10000");
#define X(name) measure("compute-" #name, compute_##name, (uint32_t)rounds);
    COMPUTE_KERNELS(X)
#undef X
    return 0;
}
