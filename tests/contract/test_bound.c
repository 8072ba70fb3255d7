/*
 * What the compiler promises of every contract in the table, tried out by two ends that send and
 * receive at random: they never disagree, never block each other, and in_flight is exactly the most
 * that a direction ever holds.
 */
#include "channel-dev/contract.h"
#include <criterion/criterion.h>

struct end {
    bool client;
    uint8_t state;
    uint32_t queue[PLAN_MAX_DEPTH]; /* messages on their way to this end */
    uint32_t waiting;
};

static uint64_t random_state = 88172645463325252ull;
static uint32_t draw(uint32_t below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % below;
}

/* A random message that the end may send now, or PLAN_NONE. */
static uint32_t choose(const struct plan_contract *contract, const struct end *end) {
    uint32_t found = PLAN_NONE, count = 0;
    for (uint32_t type = 0; type < contract->types; type++)
        if (contract_step(contract, end->state, type, end->client) != PLAN_CONTRACT_REFUSED)
            if (draw(++count) == 0)
                found = type;
    return found;
}

static bool try_send(const struct plan_contract *contract, struct end *from, struct end *to) {
    uint32_t type = choose(contract, from);
    if (type == PLAN_NONE)
        return false;
    from->state = contract_step(contract, from->state, type, from->client);
    cr_assert_lt(to->waiting, contract->in_flight, "%s holds more than in_flight", contract->name);
    to->queue[to->waiting++] = type;
    return true;
}

static bool try_receive(const struct plan_contract *contract, struct end *to, bool from_client) {
    if (!to->waiting)
        return false;
    uint8_t next = contract_step(contract, to->state, to->queue[0], from_client);
    cr_assert_neq(next, PLAN_CONTRACT_REFUSED, "%s: the ends disagree", contract->name);
    cr_assert_lt(next, contract->states);
    to->state = next;
    to->waiting--;
    for (uint32_t i = 0; i < to->waiting; i++)
        to->queue[i] = to->queue[i + 1];
    return true;
}

static bool is_end(const struct plan_contract *contract, uint8_t state) {
    for (uint32_t type = 0; type < contract->types; type++)
        if (contract->next[state][type] != PLAN_CONTRACT_REFUSED)
            return false;
    return true;
}

Test(contract_bound, random_conversations) {
    cr_assert_gt(contract_count(), 0);
    for (size_t index = 0; index < contract_count(); index++) {
        const struct plan_contract *contract = contract_at(index);
        uint32_t most = 0;
        for (int conversation = 0; conversation < 2000; conversation++) {
            struct end client = {.client = true, .state = (uint8_t)contract->start};
            struct end server = {.client = false, .state = (uint8_t)contract->start};
            for (int step = 0; step < 200; step++) {
                bool moved = false;
                for (uint32_t first = draw(4), k = 0; k < 4 && !moved; k++) {
                    switch ((first + k) % 4) {
                    case 0:
                        moved = try_send(contract, &client, &server);
                        break;
                    case 1:
                        moved = try_send(contract, &server, &client);
                        break;
                    case 2:
                        moved = try_receive(contract, &server, true);
                        break;
                    default:
                        moved = try_receive(contract, &client, false);
                        break;
                    }
                }
                if (client.waiting > most)
                    most = client.waiting;
                if (server.waiting > most)
                    most = server.waiting;
                if (!moved) { /* only a conversation that is over stands still */
                    cr_assert_eq(client.state, server.state);
                    cr_assert(is_end(contract, client.state), "%s stands still", contract->name);
                    break;
                }
            }
        }
        cr_assert_eq(most, contract->in_flight, "%s: in_flight is %u, seen %u", contract->name,
                     contract->in_flight, most);
    }
}

Test(contract_bound, tables_are_whole) {
    for (size_t index = 0; index < contract_count(); index++) {
        const struct plan_contract *contract = contract_at(index);
        cr_assert(contract->states && contract->states <= PLAN_CONTRACT_STATES);
        cr_assert(contract->types && contract->types <= PLAN_CONTRACT_TYPES);
        cr_assert_lt(contract->start, contract->states);
        for (uint32_t state = 0; state < PLAN_CONTRACT_STATES; state++)
            for (uint32_t type = 0; type < PLAN_CONTRACT_TYPES; type++) {
                uint8_t next = contract->next[state][type];
                bool inside = state < contract->states && type < contract->types;
                cr_assert(next == PLAN_CONTRACT_REFUSED || (inside && next < contract->states));
            }
        for (uint32_t type = 0; type < contract->types; type++) {
            cr_assert_leq(contract->min_bytes[type], contract->max_bytes[type]);
            cr_assert_leq(contract->max_bytes[type], PLAN_MAX_MESSAGE_BYTES);
        }
    }
}
