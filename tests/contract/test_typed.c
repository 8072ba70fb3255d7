/*
 * The generated header for SIPs, on the real sip.h over a kernel of a few lines: one channel whose
 * ends are both ours, one block. Every field arrives as it was sent.
 */
#include "channel-dev/contract.h"
#include "sample_contract.h"
#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

enum {
    CLIENT_END = 1,
    SERVER_END = 2,
    BLOCK = 0x105
};

static _Alignas(16) unsigned char block[sizeof(struct abi_message) + SAMPLE_PART_MAX_BYTES];
static uint8_t state[3]; /* by endpoint */
static bool waiting[3];  /* to be received, by endpoint */
struct abi_slot sip_slots[ABI_SLOTS] = {
    [BLOCK & ABI_SLOT_MASK] = {.base = block, .bytes = sizeof block, .tag = BLOCK},
};

static uint64_t sent_type;

static int64_t call_send(uint64_t endpoint, uint64_t handle, uint64_t type, uint64_t bytes) {
    const struct plan_contract *contract = contract_at(0);
    cr_assert_eq(handle, BLOCK);
    uint8_t next = contract_step(contract, state[endpoint], type, endpoint == CLIENT_END);
    if (next == PLAN_CONTRACT_REFUSED || !contract_fits(contract, type, bytes))
        return ABI_EPERM;
    state[endpoint] = next;
    sent_type = type;
    sip_slots[BLOCK & ABI_SLOT_MASK].bytes = (uint32_t)(bytes + sizeof(struct abi_message));
    waiting[CLIENT_END + SERVER_END - endpoint] = true;
    return ABI_OK;
}

static int64_t call_recv(uint64_t endpoint, uint64_t flags, uint64_t c, uint64_t d) {
    (void)flags, (void)c, (void)d;
    if (!waiting[endpoint])
        return ABI_ECLOSED;
    waiting[endpoint] = false;
    state[endpoint] =
        contract_step(contract_at(0), state[endpoint], sent_type, endpoint == SERVER_END);
    cr_assert_neq(state[endpoint], PLAN_CONTRACT_REFUSED);
    return (int64_t)(BLOCK | sent_type << 32);
}

static const abi_function table[ABI_CALL_COUNT] = {[ABI_send] = call_send, [ABI_recv] = call_recv};
const abi_function *sip_calls = table;

Test(contract_typed, every_field_arrives) {
    cr_assert_eq(sample_send_hello(CLIENT_END, BLOCK, 0x89abcdef, 0xfedc), ABI_OK);
    struct sip_message got = sample_recv_hello(SERVER_END);
    cr_assert_eq(got.error, 0);
    cr_assert_eq(got.handle, BLOCK);
    cr_assert_eq(sample_hello_get_peer(got.handle), 0x89abcdef);
    cr_assert_eq(sample_hello_get_version(got.handle), 0xfedc);

    char text[100], back[100];
    memset(text, 'x', sizeof text);
    memcpy(text, "some bytes", 10);
    sample_part_write_data(BLOCK, 0, text, 50);
    sample_part_write_data(BLOCK, 50, text + 50, 50);
    cr_assert_eq(sample_send_part(CLIENT_END, BLOCK, 0xab, INT64_MIN + 5, 0xdeadbeef, 100), ABI_OK);
    got = sample_recv_part(SERVER_END);
    cr_assert_eq(got.error, 0);
    cr_assert_eq(sample_part_get_kind(got.handle), 0xab);
    cr_assert_eq(sample_part_get_delta(got.handle), INT64_MIN + 5);
    cr_assert_eq(sample_part_get_at(got.handle), 0xdeadbeef);
    cr_assert_eq(sample_part_get_data_bytes(got.handle), 100);
    sample_part_read_data(got.handle, 0, back, 30);
    sample_part_read_data(got.handle, 30, back + 30, 70);
    cr_assert_arr_eq(back, text, 100);

    cr_assert_eq(sample_send_last(CLIENT_END, BLOCK, UINT64_MAX - 1), ABI_OK);
    cr_assert_eq(sample_last_get_sum(sample_recv_last(SERVER_END).handle), UINT64_MAX - 1);
    cr_assert_eq(sample_send_taken(SERVER_END, BLOCK), ABI_OK);
    cr_assert_eq(sample_recv_taken(CLIENT_END).error, 0);
}

Test(contract_typed, too_much_is_refused) {
    cr_assert_eq(sample_send_hello(CLIENT_END, BLOCK, 1, 1), ABI_OK);
    cr_assert_eq(sample_send_part(CLIENT_END, BLOCK, 0, 0, 0, 101), ABI_EPERM);
    cr_assert_eq(sample_send_part(CLIENT_END, BLOCK, 0, 0, 0, 0), ABI_OK, "an empty one is not");
}

Test(contract_typed, other_messages_and_errors_are_told) {
    cr_assert_eq(sample_recv_hello(SERVER_END).error, ABI_ECLOSED);
    cr_assert_eq(sample_send_taken(SERVER_END, BLOCK), ABI_EPERM, "not the server's turn");
    cr_assert_eq(sample_send_hello(CLIENT_END, BLOCK, 1, 1), ABI_OK);
    struct sip_message got = sample_recv_part(SERVER_END);
    cr_assert_eq(got.error, ABI_EINVAL);
    cr_assert_eq(got.type, SAMPLE_HELLO);
    cr_assert_eq(got.handle, BLOCK, "it is the receiver's all the same");
}
