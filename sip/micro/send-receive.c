/*
 * send-receive: two threads of one SIP and a channel between them; a message goes to the second
 * thread and comes back, a round trip.
 */
#include "bench.h"
#include "echo_contract.h"

static struct bench bench;
static struct sip_ends ends;
static sip_handle block;
static uint32_t bytes;
static uint8_t stack[16384] __attribute__((aligned(16)));

static void second_thread(uint32_t server) {
    for (;;) {
        struct sip_message message = echo_recv_ping(server);
        if (message.error)
            return; /* closed: the measurement is over */
        if (echo_send_pong(server, message.handle, sip_message_bytes(message.handle)))
            sip_fail("the second thread could not answer");
    }
}

static void round_trip(void) {
    if (echo_send_ping(ends.client, block, bytes))
        sip_fail("a message could not be sent to the second thread");
    struct sip_message message = echo_recv_pong(ends.client);
    if (message.error)
        sip_fail("no answer from the second thread");
    block = message.handle;
}

int sip_main(void) {
    bytes = (uint32_t)sip_param("bytes", 1);
    if (bytes > ECHO_PING_MAX_BYTES)
        sip_fail("param 'bytes' must be from 1 to 64K");
    ends = sip_channel_create("pair");
    if (!ends.client || sip_thread(second_thread, ends.server, stack, sizeof stack))
        sip_fail("a channel and a thread could not be created");
    block = sip_block_for(ends.client, bytes);
    if (!block)
        sip_fail("no memory for the message");
    sip_fill(block, bytes, (uint64_t)sip_param("seed", 1));
    uint64_t checksum = sip_checksum(block, bytes), wrong = 0;
    BENCH(&bench, "send-receive", RESULT_ROUND_TRIP, round_trip(),
          wrong |= sip_checksum(block, bytes) ^ checksum);
    if (wrong)
        sip_fail("a byte of the payload changed on the way");
    bench_finish(&bench, 1, checksum);
    return 0;
}
