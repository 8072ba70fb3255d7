/*
 * bind: a channel is made, its server end is carried by the name service to the service of a name,
 * and the channel is closed again. One operation is all of it, seen from the client.
 */
#include "bench.h"
#include "echo_contract.h"
#include "names_contract.h"

static struct bench bench;
static sip_endpoint names;

/* The client's end of a session with the service; 0: there is no service of that name yet. */
static sip_endpoint bind_echo(void) {
    static const char name[] = "echo";
    struct sip_ends session = sip_channel_create("session");
    sip_handle block = sip_block_for(names, NAMES_CONNECT_MAX_BYTES);
    if (!session.client || !block)
        sip_fail("a session could not be created");
    names_connect_write_name(block, 0, name, sizeof name - 1);
    if (names_send_connect(names, block, session.server, sizeof name - 1))
        sip_fail("the name service could not be asked");
    struct sip_message message = sip_recv(names);
    if (message.error)
        sip_fail("the name service is gone");
    sip_block_free(message.handle);
    if (message.type == NAMES_CONNECTED)
        return session.client;
    sip_close(session.client);
    return 0;
}

static void bind_and_close(void) {
    if (sip_close(bind_echo()))
        sip_fail("the name service did not connect");
}

/* The oracle: a session that was bound carries messages, and an unknown name is refused. */
static uint64_t check(void) {
    sip_endpoint session = bind_echo();
    sip_handle block = sip_block_for(session, 100);
    if (!block)
        sip_fail("no memory for a message");
    sip_fill(block, 100, 1);
    uint64_t sent = sip_checksum(block, 100);
    if (echo_send_verify(session, block, 100))
        sip_fail("a session does not take a message");
    struct sip_message message = echo_recv_verified(session);
    if (message.error || echo_verified_get_checksum(message.handle) != sent)
        sip_fail("the service saw another payload than was sent");
    sip_block_free(message.handle);
    sip_close(session);

    struct sip_ends nobody = sip_channel_create("session");
    block = sip_block_for(names, NAMES_CONNECT_MAX_BYTES);
    names_connect_write_name(block, 0, "nobody", 6);
    if (!block || names_send_connect(names, block, nobody.server, 6))
        sip_fail("the name service could not be asked");
    message = sip_recv(names);
    if (message.error || message.type != NAMES_REFUSED)
        sip_fail("an unknown name was not refused");
    sip_block_free(message.handle);
    sip_close(nobody.client);
    return sent;
}

int sip_main(void) {
    names = sip_channel("clients");
    sip_endpoint first;
    while (!(first = bind_echo())) /* until the service has registered */
        sip_yield();
    sip_close(first);
    uint64_t oracle = check();
    BENCH(&bench, "bind", RESULT_SINGLE, bind_and_close(), );
    bench_finish(&bench, 1, oracle);
    return 0;
}
