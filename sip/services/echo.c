/*
 * An echo service with sessions: registers as "echo" with the name service, takes each session that
 * it is given, and answers on all of them.
 */
#include "echo_contract.h"
#include "names_contract.h"
#include "service_contract.h"
#include <string.h>

enum {
    SESSIONS = 16
};

static sip_endpoint ends[1 + SESSIONS]; /* [0]: the control channel */
static uint32_t count = 1;

static void register_name(void) {
    static const char name[] = "echo";
    sip_endpoint services = sip_channel("services");
    struct sip_ends control = sip_channel_create("control");
    sip_handle block = sip_block_for(services, NAMES_REGISTER_MAX_BYTES);
    if (!control.client || !block)
        sip_fail("the echo service could not create its control channel");
    names_register_write_name(block, 0, name, sizeof name - 1);
    if (names_send_register(services, block, control.client, sizeof name - 1))
        sip_fail("the echo service could not register");
    struct sip_message message = names_recv_registered(services);
    if (message.error)
        sip_fail("the name service refused the echo service");
    sip_block_free(message.handle);
    ends[0] = control.server;
}

static void take_session(sip_handle request) {
    sip_endpoint session = service_session_get_session(request);
    sip_block_free(request);
    if (count < 1 + SESSIONS)
        ends[count++] = session;
    else
        sip_close(session);
    sip_handle block = sip_block_for(ends[0], SERVICE_TAKEN_MAX_BYTES);
    if (!block || service_send_taken(ends[0], block))
        sip_fail("the echo service could not answer the name service");
}

static void serve(sip_endpoint session, struct sip_message message) {
    uint32_t bytes = sip_message_bytes(message.handle);
    if (message.type == ECHO_PING) {
        if (echo_send_pong(session, message.handle, bytes))
            sip_block_free(message.handle);
        return;
    }
    uint64_t checksum = sip_checksum(message.handle, bytes);
    sip_block_free(message.handle);
    sip_handle block = sip_block_for(session, sizeof checksum);
    if (!block || echo_send_verified(session, block, checksum))
        sip_fail("the echo service could not answer");
}

int sip_main(void) {
    register_name();
    for (;;) {
        int64_t ready = sip_wait_any(ends, count);
        if (ready < 0)
            sip_fail("the echo service cannot wait");
        struct sip_message message = sip_recv(ends[ready]);
        if (message.error && ready == 0)
            return 0; /* the name service is gone */
        if (message.error) {
            sip_close(ends[ready]);
            ends[ready] = ends[--count];
        } else if (ready == 0) {
            take_session(message.handle);
        } else {
            serve(ends[ready], message);
        }
    }
}
