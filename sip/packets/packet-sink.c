/*
 * The end of the pipeline: adds up every byte of every packet, and tells the source when as many
 * batches have come as it asked for.
 */
#include "link.h"
#include "packet.h"
#include "packets_contract.h"

static uint64_t sum = PACKET_SUM_START, packets, batches;
static sip_endpoint from;

static void take_batch(void) {
    struct sip_message message = sip_recv(from);
    if (message.error || message.type > PACKETS_LAST)
        sip_fail("the sink could not receive");
    uint32_t bytes = sip_message_bytes(message.handle);
    for (uint32_t at = 0; at < bytes; at += 8)
        sum = packet_sum_add(sum, sip_msg_ld64(message.handle, at));
    sip_block_free(message.handle);
    packets += bytes / PACKET_SLOT_BYTES;
    batches++;
    if (message.type == PACKETS_LAST)
        link_taken(from);
}

int sip_main(void) {
    char name[] = "out1";
    name[3] +=
        (char)(packet_param("stages", 4, PACKET_FUNCTIONS, "param 'stages' must be from 1 to 8") -
               1);
    from = sip_channel(name);
    sip_endpoint source = sip_channel("tally");
    for (;;) {
        struct sip_message message = packets_recv_tally(source);
        if (message.error == ABI_ECLOSED)
            return 0;
        if (message.error)
            sip_fail("the sink could not be asked");
        uint64_t until = packets_tally_get_messages(message.handle);
        sip_block_free(message.handle);
        while (batches < until)
            take_batch();
        sip_handle answer = sip_block_for(source, PACKETS_TALLIED_MAX_BYTES);
        if (!answer || packets_send_tallied(source, answer, packets, sum))
            sip_fail("the sink could not answer");
    }
}
