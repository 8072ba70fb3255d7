/* The server of ping-pong: sends each message back, and checks the payload when it is asked to. */
#include "ping-pong.h"
#include "sip.h"

int sip_main(void) {
    sip_endpoint client = sip_channel("ping");
    for (;;) {
        struct sip_message message = sip_recv(client);
        if (message.error == ABI_ECLOSED)
            return 0;
        if (message.error)
            sip_fail("the server could not receive");
        uint32_t bytes = sip_message_bytes(message.handle);
        uint32_t answer = PONG;
        if (message.type == VERIFY) {
            sip_message_set_word(message.handle, sip_checksum(message.handle, bytes));
            answer = VERIFIED;
        }
        if (sip_send(client, message.handle, answer, bytes))
            sip_fail("the server could not answer");
    }
}
