/* Harmless: waits for messages on whichever of the channels "beside-0" to "beside-29" it has. */
#include "sip.h"

int sip_main(void) {
    char name[] = "beside-00";
    for (int i = 0; i < 30; i++) {
        uint32_t bytes = 8;
        if (i >= 10) {
            name[7] = (char)('0' + i / 10);
            bytes = 9;
        }
        name[bytes - 1] = (char)('0' + i % 10);
        int64_t channel = sip_call_endpoint(name, bytes);
        while (channel > 0) {
            struct sip_message message = sip_recv((sip_endpoint)channel);
            if (message.error)
                return 0;
            sip_block_free(message.handle);
        }
    }
    return 1;
}
