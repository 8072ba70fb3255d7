/* A child of attackers: counts the messages that it is given until its channel is closed. */
#include "sip.h"

int sip_main(void) {
    int64_t channel = sip_call_endpoint("sleep", 5);
    int count = 0;
    while (channel > 0) {
        struct sip_message message = sip_recv((sip_endpoint)channel);
        if (message.error)
            break;
        sip_block_free(message.handle);
        count++;
    }
    return count;
}
