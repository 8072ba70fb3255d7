/* Attacks by messages: handles that are not, or no longer, this SIP's; contracts; ends of channels. */
#include "hostile.h"
#include "service_contract.h"

enum {
    ENDS = 40
};

/* ---- handles and blocks ---- */

static uint32_t look_at(sip_handle block) {
    return sip_msg_ld64(block, 0) == 0x5eed ? WRONG : DONE;
}
ATTACK(load_forged) { return look_at(0x12345605); }
ATTACK(load_freed) {
    sip_handle block = sip_block(64);
    sip_block_free(block);
    return look_at(block);
}
ATTACK(load_sent) {
    struct sip_ends ends = sip_channel_create("scratch");
    sip_handle block = sip_block_for(ends.client, 64);
    want(1, echo_send_ping(ends.client, block, 8), ABI_OK);
    return look_at(block);
}
ATTACK(store_past_message) {
    sip_handle block = sip_block(64);
    sip_msg_st64(block, 0xfffffff8, 1); /* with the header's 16 bytes it wraps in 32 bits */
    return DONE;
}
ATTACK(give_away_twice) {
    struct sip_ends ends = sip_channel_create("pipe");
    sip_handle block = sip_block_for(ends.client, 8);
    want(1, sip_send(ends.client, block, 0, 8), ABI_OK);
    want(2, sip_send(ends.client, block, 0, 8), ABI_EHANDLE);
    want(3, sip_block_free(block), ABI_EHANDLE);
    struct sip_message message = sip_poll(ends.server);
    want(4, message.error, ABI_OK);
    want(5, sip_block_free(message.handle), ABI_OK);
    want(6, sip_block_free(message.handle), ABI_EHANDLE);
    want(7, sip_send(ends.client, message.handle, 0, 8), ABI_EHANDLE);
    return REFUSED;
}
ATTACK(send_pages) {
    struct sip_ends ends = sip_channel_create("pipe");
    want(1, sip_send(ends.client, sip_pages(1), 0, 8), ABI_EINVAL);
    return REFUSED;
}
ATTACK(send_too_long) {
    struct sip_ends ends = sip_channel_create("pipe"); /* takes 64 bytes */
    want(1, sip_send(ends.client, sip_block(64), 0, 65), ABI_EINVAL);
    want(2, sip_send(ends.client, sip_block(65), 0, 65), ABI_EINVAL);
    return REFUSED;
}
/* No slot is left for what has arrived. */
ATTACK(receive_without_slot) {
    struct sip_ends ends = sip_channel_create("pipe");
    want(1, sip_send(ends.client, sip_block_for(ends.client, 8), 0, 8), ABI_OK);
    while (sip_block(8))
        ;
    want(2, sip_poll(ends.server).error, ABI_ENOMEM);
    return REFUSED;
}

#ifndef __wasm__
/* Keeps the address of a message that it has sent, and changes the message then. */
ATTACK(write_after_send) {
    sip_handle block = sip_block_for(orders, 64);
    volatile uint64_t *payload = (uint64_t *)sip_payload(block);
    payload[0] = EVIDENCE_SENT;
    payload[1] = 1;
    want(1, echo_send_pong(orders, block, 16), ABI_OK);
    payload[1] = 2;
    return DONE;
}
ATTACK(write_after_free) {
    sip_handle block = sip_block(4000);
    volatile uint64_t *payload = (uint64_t *)sip_payload(block);
    payload[1] = 1; /* so that the processor knows the address */
    sip_block_free(block);
    payload[1] = 2;
    return DONE;
}
/* Writes over what the kernel told it about its own blocks: only this SIP reads that. */
ATTACK(forge_slot_table) {
    for (uint32_t i = 0; i < ABI_SLOTS; i++)
        sip_slots[i] = (struct abi_slot){(void *)order->peer.page, 1u << 30, 0x500 + i};
    want(1, sip_block_free(0x505), ABI_EHANDLE);
    want(2, echo_send_pong(orders, 0x505, 16), ABI_EHANDLE);
    return REFUSED;
}
#endif

/* ---- contracts ---- */

static sip_handle scratch(struct sip_ends *ends) {
    *ends = sip_channel_create("scratch");
    return sip_block_for(ends->client, 256);
}
ATTACK(contract_unknown_type) {
    struct sip_ends ends;
    sip_handle block = scratch(&ends);
    sip_send(ends.client, block, 9, 8);
    return DONE;
}
ATTACK(contract_huge_type) {
    struct sip_ends ends;
    sip_handle block = scratch(&ends);
    sip_send(ends.client, block, 0xffff, 8);
    return DONE;
}
ATTACK(contract_wrong_side) {
    struct sip_ends ends;
    sip_handle block = scratch(&ends);
    sip_send(ends.client, block, ECHO_PONG, 8);
    return DONE;
}
ATTACK(contract_wrong_state) {
    struct sip_ends ends;
    sip_handle block = scratch(&ends);
    want(1, echo_send_ping(ends.client, block, 8), ABI_OK);
    echo_send_ping(ends.client, sip_block_for(ends.client, 8), 8); /* before an answer */
    return DONE;
}
ATTACK(contract_unasked_answer) {
    struct sip_ends ends;
    sip_handle block = scratch(&ends);
    echo_send_pong(ends.server, block, 8);
    return DONE;
}
ATTACK(contract_answer_twice) {
    tell(EVIDENCE_NONE, 0);
    echo_send_pong(orders, sip_block_for(orders, 8), 8); /* to the controller */
    return DONE;
}
ATTACK(contract_too_short) {
    struct sip_ends ends = sip_channel_create("carrier");
    sip_send(ends.client, sip_block_for(ends.client, 64), SERVICE_SESSION, 7);
    return DONE;
}
ATTACK(contract_too_long) {
    struct sip_ends ends = sip_channel_create("carrier");
    sip_send(ends.client, sip_block_for(ends.client, 64), SERVICE_SESSION, 9);
    return DONE;
}

/* ---- ends of channels that travel ---- */

static int64_t carry(sip_endpoint via, uint64_t end) {
    sip_handle block = sip_block_for(via, 64);
    sip_msg_st64(block, 0, end);
    int64_t error = sip_send(via, block, SERVICE_SESSION, 8);
    if (error)
        sip_block_free(block);
    return error;
}
ATTACK(carry_forged) {
    struct sip_ends via = sip_channel_create("carrier"), other = sip_channel_create("pipe");
    static const uint64_t forged[] = {0,      1,          31,          32,         0xffffffff,
                                      0x1000, 0x80000000, 0x100000000, UINT64_MAX, 1ull << 63};
    for (uint32_t i = 0; i < sizeof forged / sizeof forged[0]; i++)
        want(i, carry(via.client, forged[i]), ABI_EHANDLE);
    want(10, carry(via.client, other.client ^ 0x40), ABI_EHANDLE);
    want(11, carry(via.client, other.client | 1ull << 32), ABI_EHANDLE);
    return REFUSED;
}
ATTACK(carry_itself) {
    struct sip_ends via = sip_channel_create("carrier");
    want(1, carry(via.client, via.client), ABI_EHANDLE);
    want(2, carry(via.client, via.server), ABI_EHANDLE);
    return REFUSED;
}
ATTACK(carry_given_away) {
    struct sip_ends via = sip_channel_create("carrier"), other = sip_channel_create("pipe");
    want(1, carry(via.client, other.client), ABI_OK);
    struct sip_ends more = sip_channel_create("carrier");
    want(2, carry(more.client, other.client), ABI_EHANDLE);
    want(3, sip_close(other.client), ABI_EHANDLE);
    want(4, sip_send(other.client, sip_block(8), 0, 8), ABI_EHANDLE);
    return REFUSED;
}
/* An end where messages wait. */
ATTACK(carry_busy) {
    struct sip_ends via = sip_channel_create("carrier"), other = sip_channel_create("pipe");
    want(1, sip_send(other.client, sip_block_for(other.client, 8), 0, 8), ABI_OK);
    want(2, carry(via.client, other.server), ABI_EHANDLE);
    return REFUSED;
}
/* To an end that is on its way itself, and in a circle. */
ATTACK(carry_in_a_circle) {
    struct sip_ends a = sip_channel_create("carrier"), b = sip_channel_create("carrier");
    want(1, carry(b.client, a.server), ABI_OK);
    want(2, carry(a.client, b.client), ABI_EFULL); /* its other end is nobody's now */
    want(3, sip_close(a.client), ABI_OK);
    want(4, sip_close(b.client), ABI_OK);
    struct sip_message message = sip_poll(b.server);
    want(5, message.error, ABI_OK);
    want(6, sip_poll((sip_endpoint)sip_msg_ld64(message.handle, 0)).error, ABI_ECLOSED);
    return REFUSED;
}
/* No room is left for an end that arrives. */
ATTACK(carry_without_room) {
    struct sip_ends via = sip_channel_create("carrier"), other = sip_channel_create("pipe");
    want(1, carry(via.client, other.client), ABI_OK);
    for (uint32_t i = 0; i < ENDS; i++)
        sip_channel_create("pipe");
    /* Of 31 places two remain at most for a channel, and one that travels needs one. */
    struct sip_ends last = sip_channel_create("pipe");
    want(2, last.client, 0);
    sip_close(orders);
    struct sip_ends more = sip_channel_create("pipe");
    want(3, more.client != 0, true);
    struct sip_message message = sip_poll(via.server);
    want(4, message.error, ABI_OK);
    want(5, (int64_t)sip_msg_ld64(message.handle, 0), 0);
    want(6, sip_poll(other.server).error, ABI_ECLOSED);
    return REFUSED;
}

ATTACKS_OF(messages)
