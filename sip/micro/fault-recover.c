/*
 * fault-recover: a SIP is made to fault. `fault-notify` is the time from the message that does it to
 * the news that the channel is closed; `fault-recover` from there to the first answer of a new SIP in
 * its place.
 */
#include "bench.h"
#include "echo_contract.h"

static struct bench notify, recover;
static sip_child victim;
static sip_endpoint channel;

static void start_victim(void) {
    struct sip_ends ends = sip_channel_create("work");
    victim = sip_create("victim");
    if (!ends.client || !victim || sip_give(victim, ends.server, "work") || sip_start(victim))
        sip_fail("a victim could not be created");
    channel = ends.client;
}

static void ask_victim(uint8_t what) {
    sip_handle block = sip_block_for(channel, 1);
    if (!block)
        sip_fail("no memory for a message");
    sip_msg_st8(block, 0, what);
    if (echo_send_ping(channel, block, 1))
        sip_fail("the victim could not be asked");
}

static void hear_answer(void) {
    struct sip_message message = echo_recv_pong(channel);
    if (message.error || sip_msg_ld8(message.handle, 0) != 0)
        sip_fail("the victim gave no answer");
    sip_block_free(message.handle);
}

static void crash_victim(void) {
    ask_victim(1);
    struct sip_message message = sip_recv(channel);
    if (message.error != ABI_ECLOSED)
        sip_fail("the victim's end was not noticed");
}

static void replace_victim(void) {
    sip_close(channel);
    if (!(sip_wait(victim) & ABI_FAULTED))
        sip_fail("the victim did not end by a fault");
    start_victim();
    ask_victim(0);
    hear_answer();
}

static void measure(struct bench *bench, bool second) {
    for (uint32_t sample = 0; sample < bench->samples; sample++) {
        uint64_t start = sip_clock();
        crash_victim();
        uint64_t noticed = sip_clock();
        replace_victim();
        uint64_t answered = sip_clock();
        bench->values[sample] = second ? answered - noticed : noticed - start;
    }
    for (uint32_t sample = 0; sample < bench->samples; sample++) {
        uint64_t start = sip_clock();
        BENCH_BARRIER();
        bench->values[bench->samples + sample] = sip_clock() - start;
    }
}

int sip_main(void) {
    bench_start(&notify, "fault-notify", RESULT_SINGLE);
    bench_start(&recover, "fault-recover", RESULT_SINGLE);
    notify.batch = recover.batch = 1; /* each operation needs a new victim */
    start_victim();
    for (uint32_t i = 0; i < notify.warmup; i++) {
        crash_victim();
        replace_victim();
    }
    measure(&notify, false);
    measure(&recover, true);
    bench_count_start(&notify);
    crash_victim();
    bench_count_end(&notify);
    bench_count_start(&recover);
    replace_victim();
    bench_count_end(&recover);
    bench_finish(&notify, 1, notify.samples);
    bench_finish(&recover, 1, recover.samples);
    sip_close(channel);
    return (int)sip_wait(victim);
}
