/*
 * The tables that were compiled in: found by name, and echo says what its text says.
 */
#include "channel-dev/contract.h"
#include "echo_contract.h"
#include <criterion/criterion.h>
#include <string.h>

const abi_function *sip_calls; /* sip.h wants them; nothing is sent here */
struct abi_slot sip_slots[ABI_SLOTS];

#define CLIENT true
#define SERVER false
#define REFUSED PLAN_CONTRACT_REFUSED

Test(contract_table, shipped_contracts_are_found) {
    static const char *const names[] = {"blocks", "control", "echo",    "files",  "kv",
                                        "log",    "names",   "packets", "service"};
    cr_assert_eq(contract_count(), sizeof names / sizeof *names);
    for (size_t i = 0; i < contract_count(); i++) {
        cr_assert_str_eq(contract_at(i)->name, names[i], "sorted by name");
        cr_assert_eq(contract_find(names[i]), contract_at(i));
    }
    cr_assert_null(contract_at(contract_count()));
    cr_assert_null(contract_at(SIZE_MAX));
    cr_assert_null(contract_find("ech"));
    cr_assert_null(contract_find("echoo"));
    cr_assert_null(contract_find(""));
}

Test(contract_table, echo_walk) {
    const struct plan_contract *echo = contract_find("echo");
    cr_assert_eq(echo->types, 4);
    cr_assert_eq(echo->in_flight, 1);
    uint8_t idle = (uint8_t)echo->start;
    uint8_t serving = contract_step(echo, idle, ECHO_PING, CLIENT);
    uint8_t verifying = contract_step(echo, idle, ECHO_VERIFY, CLIENT);
    cr_assert(serving < echo->states && verifying < echo->states);
    cr_assert(serving != verifying && serving != idle && verifying != idle);
    cr_assert_eq(contract_step(echo, serving, ECHO_PONG, SERVER), idle);
    cr_assert_eq(contract_step(echo, verifying, ECHO_VERIFIED, SERVER), idle);

    unsigned allowed = 0; /* and nothing else, by nobody, in no state */
    for (uint8_t state = 0; state < echo->states; state++)
        for (uint64_t type = 0; type < 300; type++)
            for (int party = 0; party < 2; party++)
                allowed += contract_step(echo, state, type, party) != REFUSED;
    cr_assert_eq(allowed, 4);
    cr_assert_eq(contract_step(echo, idle, UINT64_MAX, CLIENT), REFUSED);
    cr_assert_eq(contract_step(echo, idle, 1ull << 32 | ECHO_PING, CLIENT), REFUSED);
}

Test(contract_table, echo_sizes) {
    const struct plan_contract *echo = contract_find("echo");
    cr_assert(contract_fits(echo, ECHO_PING, 0));
    cr_assert(contract_fits(echo, ECHO_PING, 65536));
    cr_assert_not(contract_fits(echo, ECHO_PING, 65537));
    cr_assert_not(contract_fits(echo, ECHO_PING, 1ull << 32));
    cr_assert(contract_fits(echo, ECHO_VERIFIED, 8));
    cr_assert_not(contract_fits(echo, ECHO_VERIFIED, 7));
    cr_assert_not(contract_fits(echo, ECHO_VERIFIED, 9));
}

Test(contract_table, control_carries_endpoints) {
    const struct plan_contract *control = contract_find("control");
    unsigned carriers = 0;
    for (uint32_t type = 0; type < control->types; type++) {
        carriers += control->carries_endpoint[type];
        if (control->carries_endpoint[type])
            cr_assert_geq(control->min_bytes[type], CONTRACT_ENDPOINT_OFFSET + 8);
    }
    cr_assert_eq(carriers, 2);
}
