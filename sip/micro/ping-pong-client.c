/*
 * ping-pong: a message of `bytes` goes to the server and comes back, a round trip. Its payload is
 * filled once; after each batch it must still be what it was, and the server must agree.
 */
#include "bench.h"
#include "echo_contract.h"

static struct bench bench;
static sip_endpoint server;
static sip_handle block; /* owned between operations */
static uint32_t bytes;
static uint64_t checksum;

static void round_trip(void) {
    if (__builtin_expect(echo_send_ping(server, block, bytes) != ABI_OK, 0))
        sip_fail("a ping could not be sent");
    struct sip_message message = sip_recv(server);
    if (__builtin_expect(message.type != ECHO_PONG, 0))
        sip_fail("the answer to a ping is not a pong");
    block = message.handle;
}

static void verify(void) {
    if (sip_message_bytes(block) != bytes || sip_checksum(block, bytes) != checksum)
        sip_fail("a byte of the payload changed on the way");
    sip_handle copy = sip_block_for(server, bytes);
    if (!copy)
        sip_fail("no memory for a second message");
    sip_fill(copy, bytes, (uint64_t)sip_param("seed", 1));
    if (echo_send_verify(server, copy, bytes))
        sip_fail("a message could not be sent");
    struct sip_message message = echo_recv_verified(server);
    if (message.error || echo_verified_get_checksum(message.handle) != checksum)
        sip_fail("the server saw another payload than was sent");
    sip_block_free(message.handle);
}

int sip_main(void) {
    server = sip_channel("ping");
    bytes = (uint32_t)sip_param("bytes", 1);
    block = sip_block_for(server, bytes);
    if (!block)
        sip_fail("no memory for the message");
    sip_fill(block, bytes, (uint64_t)sip_param("seed", 1));
    checksum = sip_checksum(block, bytes);
    BENCH(&bench, "ping-pong", RESULT_ROUND_TRIP, round_trip(), verify());
    bench_finish(&bench, 1, checksum);
    return 0;
}
