/* A SIP that answers pings, and ends by an instruction that traps when a ping says 1. */
#include "echo_contract.h"

int sip_main(void) {
    sip_endpoint work = sip_channel("work");
    for (;;) {
        struct sip_message message = echo_recv_ping(work);
        if (message.error)
            return 0;
        if (sip_msg_ld8(message.handle, 0) == 1)
            __builtin_trap();
        if (echo_send_pong(work, message.handle, 1))
            return 1;
    }
}
