/*
 * The name service. Services register a control channel under a name on channel "services"; clients
 * ask on channel "clients" to have the end of a session carried to the service of a name.
 */
#include "names_contract.h"
#include "service_contract.h"
#include <string.h>

enum {
    NAMES = 16,
    CLIENTS = 0,
    SERVICES = 1,
    ENDS = 2
};

static struct {
    char name[32];
    sip_endpoint control;
} names[NAMES];
static uint32_t count;

static uint32_t find(const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i].name, name) == 0)
            return i;
    return NAMES;
}

static int64_t do_register(sip_handle request) {
    char name[32] = {0};
    names_register_read_name(request, 0, name, names_register_get_name_bytes(request));
    uint32_t at = find(name);
    if (at == NAMES) {
        if (count == NAMES)
            return ABI_ENOMEM;
        at = count++;
        memcpy(names[at].name, name, sizeof name);
    } else {
        sip_close(names[at].control); /* a service that was started again takes its place */
    }
    names[at].control = names_register_get_control(request);
    return ABI_OK;
}

/* Passes the session's end on to the service and waits until it has it. */
static int64_t do_connect(sip_handle request) {
    char name[32] = {0};
    sip_endpoint session = names_connect_get_session(request);
    names_connect_read_name(request, 0, name, names_connect_get_name_bytes(request));
    uint32_t at = find(name);
    int64_t error = ABI_ENOENT;
    if (at < NAMES) {
        sip_handle block = sip_block_for(names[at].control, SERVICE_SESSION_MAX_BYTES);
        error = block ? service_send_session(names[at].control, block, session) : ABI_ENOMEM;
        if (!error) {
            struct sip_message taken = service_recv_taken(names[at].control);
            if (!taken.error)
                sip_block_free(taken.handle);
            return taken.error;
        }
        if (block)
            sip_block_free(block);
    }
    sip_close(session);
    return error;
}

static void answer(sip_endpoint to, uint32_t request_type, int64_t error) {
    sip_handle block = sip_block_for(to, NAMES_REFUSED_MAX_BYTES);
    if (!block)
        sip_fail("the name service has no memory for an answer");
    if (error)
        error = names_send_refused(to, block, error);
    else if (request_type == NAMES_REGISTER)
        error = names_send_registered(to, block);
    else
        error = names_send_connected(to, block);
    if (error) /* the client is gone */
        sip_block_free(block);
}

int sip_main(void) {
    sip_endpoint ends[ENDS] = {sip_channel("clients"), sip_channel("services")};
    static const char *const channel[ENDS] = {"clients", "services"};
    uint32_t open = ENDS;
    while (open) {
        int64_t ready = sip_wait_any(ends, open);
        if (ready < 0)
            sip_fail("the name service cannot wait");
        sip_endpoint from = ends[ready];
        struct sip_message message = sip_recv(from);
        if (message.error) {
            /* Gone: wait for the others only, unless it was started again. */
            sip_endpoint again = sip_channel(channel[ready]);
            if (again != from) {
                ends[ready] = again;
                continue;
            }
            if (ready == CLIENTS)
                return 0; /* nobody is left to ask */
            open = SERVICES;
            continue;
        }
        int64_t error = message.type == NAMES_REGISTER ? do_register(message.handle)
                                                       : do_connect(message.handle);
        sip_block_free(message.handle);
        answer(from, message.type, error);
    }
    return 0;
}
