/*
 * One stage of the pipeline: takes batches, does its share of the functions to each packet in place,
 * and passes them on. Which stage it is its channels tell; those beyond the last end at once.
 */
#include "functions.h"
#include "link.h"
#include "packets_contract.h"

#define STAGES PACKET_FUNCTIONS

static uint32_t stage; /* from 0 */

/* The way in: a stage's way out, to the next one, has a higher number. */
static sip_endpoint find_stage(void) {
    char name[] = "in1";
    int64_t endpoint;
    while ((endpoint = sip_call_endpoint(name, sizeof name - 1)) < 0) {
        if (++stage == STAGES)
            sip_fail("a stage has no channel to get packets from");
        name[2]++;
    }
    return (sip_endpoint)endpoint;
}

/* The next stage, or the sink. */
static struct link find_next(uint32_t stages) {
    char in[] = "in1", out[] = "out1";
    in[2] += (char)(stage + 1);
    out[3] += (char)stage;
    return link_to(stage + 1 < stages ? in : out);
}

/* The first function that a stage has to do: they are shared out as evenly as they go. */
static uint32_t share_of(uint32_t number, uint32_t stages) {
    return (number * PACKET_FUNCTIONS + stages - 1) / stages;
}

int sip_main(void) {
    uint32_t stages = packet_param("stages", 4, STAGES, "param 'stages' must be from 1 to 8");
    sip_endpoint from = find_stage();
    if (stage >= stages)
        return 0;
    struct link next = find_next(stages);
    uint32_t first = share_of(stage, stages), end = share_of(stage + 1, stages);
    functions_start((uint64_t)sip_param("seed", 1));
    for (;;) {
        struct sip_message message = sip_recv(from);
        if (message.error == ABI_ECLOSED)
            return 0;
        if (message.error || message.type > PACKETS_LAST)
            sip_fail("a stage could not receive");
        uint32_t bytes = sip_message_bytes(message.handle);
        if (bytes % PACKET_SLOT_BYTES)
            sip_fail("a stage was sent a part of a packet");
        functions_apply(message.handle, bytes / PACKET_SLOT_BYTES, first, end);
        link_send(&next, message.handle, bytes);
        if (message.type == PACKETS_LAST)
            link_taken(from);
    }
}
