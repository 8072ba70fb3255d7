/*
 * The client of a service that faults when it is asked to, and is started again by the kernel. Two
 * operations: `restart-notice`, from the message that makes it fault to the news, and `restart`, from
 * there to the first answer of the new instance, found by the channel's name.
 */
#include "bench.h"
#include "echo_contract.h"

static struct bench notice, restart;
static sip_endpoint service;

static bool ask(uint8_t what) {
    sip_handle block = sip_block_for(service, 1);
    if (!block)
        sip_fail("no memory for a message");
    sip_msg_st8(block, 0, what);
    int64_t error = echo_send_ping(service, block, 1);
    if (error)
        sip_block_free(block);
    return !error;
}

static void hear(void) {
    struct sip_message message = echo_recv_pong(service);
    if (message.error || sip_msg_ld8(message.handle, 0) != 0)
        sip_fail("the service gave no answer");
    sip_block_free(message.handle);
}

static void crash(void) {
    if (!ask(1) || sip_recv(service).error != ABI_ECLOSED)
        sip_fail("the end of the service was not noticed");
}

static void find_again(void) {
    sip_close(service);
    for (uint32_t tries = 0; tries < 100; tries++) {
        int64_t found = sip_call_endpoint("work", 4);
        service = found > 0 ? (sip_endpoint)found : 0;
        if (service && ask(0)) {
            hear();
            return;
        }
        sip_yield();
    }
    sip_fail("the service was not started again: the layout has to say on-fault: restart");
}

static void sample(uint32_t at) {
    uint64_t start = sip_clock();
    crash();
    uint64_t noticed = sip_clock();
    find_again();
    uint64_t answered = sip_clock();
    notice.values[at] = noticed - start;
    restart.values[at] = answered - noticed;
}

int sip_main(void) {
    bench_start(&notice, "restart-notice", RESULT_SINGLE);
    bench_start(&restart, "restart", RESULT_SINGLE);
    notice.batch = restart.batch = 1;
    service = sip_channel("work");
    for (uint32_t i = 0; i < notice.warmup; i++)
        sample(0);
    int64_t before = sip_param("free-pages", 0);
    for (uint32_t i = 0; i < notice.samples; i++)
        sample(i);
    if (sip_param("free-pages", 0) != before)
        sip_fail("a service that was started again has kept memory of its earlier life");
    for (uint32_t i = 0; i < notice.samples; i++) {
        uint64_t start = sip_clock();
        BENCH_BARRIER();
        notice.values[notice.samples + i] = restart.values[notice.samples + i] =
            sip_clock() - start;
    }
    bench_count_start(&notice);
    crash();
    bench_count_end(&notice);
    bench_count_start(&restart);
    find_again();
    bench_count_end(&restart);
    bench_finish(&notice, 1, notice.samples);
    bench_finish(&restart, 1, restart.samples);
    return 0;
}
