/* The server of ping-pong: sends each message back, or tells the checksum of what arrived. */
#include "echo_contract.h"

int sip_main(void) {
    sip_endpoint client = sip_channel("ping");
    for (;;) {
        struct sip_message message = sip_recv(client);
        if (message.error == ABI_ECLOSED)
            return 0;
        if (message.error)
            sip_fail("the server could not receive");
        uint32_t bytes = sip_message_bytes(message.handle);
        if (message.type == ECHO_PING) {
            if (echo_send_pong(client, message.handle, bytes))
                sip_fail("the server could not answer");
            continue;
        }
        uint64_t checksum = sip_checksum(message.handle, bytes);
        sip_handle answer = sip_block_for(client, sizeof checksum);
        if (!answer || sip_block_free(message.handle))
            sip_fail("no memory for the checksum");
        if (echo_send_verified(client, answer, checksum))
            sip_fail("the server could not answer");
    }
}
