/* The part that every attacker has: takes its order, carries it out, exits with what came of it. */
#include "hostile.h"

sip_endpoint orders;
static sip_handle block;

void tell(enum evidence evidence, uint64_t value) {
    struct proof proof = {evidence, value};
    sip_msg_write(block, 0, &proof, sizeof proof);
    echo_send_pong(orders, block, sizeof proof);
}

void want(uint32_t number, int64_t got, int64_t wanted) {
    if (got != wanted)
        sip_call_exit(WRONG + number);
}

int sip_main(void) {
    struct order order;
    orders = sip_channel("orders");
    struct sip_message message = echo_recv_ping(orders);
    if (message.error)
        return WRONG;
    block = message.handle;
    sip_msg_read(block, 0, &order, sizeof order);
    return (int)attack(&order);
}
