/*
 * irq-to-sip: one way, from the moment at which the processor sends itself an interrupt, while nothing
 * runs, to the first instructions of the SIP that waits for it. Subtracted are two readings of the clock.
 */
#include "bench.h"

static struct bench bench;

/* The clock is read at once, before the result is looked at. */
static inline uint64_t one_way(void) {
    int64_t sent = sip_irq_wait(ABI_IRQ_SELF);
    uint64_t now = sip_clock();
    if (__builtin_expect(sent <= 0 || now < (uint64_t)sent, 0))
        sip_fail("an interrupt came before it was sent");
    return now - (uint64_t)sent;
}

static inline uint64_t nothing(void) {
    uint64_t start = sip_clock();
    return sip_clock() - start;
}

int sip_main(void) {
    sip_endpoint client = sip_channel("go");
    struct sip_message go = sip_recv(client);
    if (go.error)
        sip_fail("nobody wants interrupts");
    bench_start(&bench, "irq-to-sip", RESULT_ONE_WAY);
    for (uint32_t i = 0; i < bench.warmup; i++)
        one_way();
    for (uint32_t sample = 0; sample < bench.samples; sample++) {
        uint64_t with = 0, without = 0;
        BENCH_LOOP(bench.batch, with += one_way())
        BENCH_LOOP(bench.batch, without += nothing())
        bench.values[sample] = with;
        bench.values[bench.samples + sample] = without;
    }
    bench_count_start(&bench);
    BENCH_LOOP(bench.batch, one_way())
    bench_count_end(&bench);
    bench_finish(&bench, 1, 1);
    return sip_send(client, go.handle, 0, 0) != ABI_OK;
}
