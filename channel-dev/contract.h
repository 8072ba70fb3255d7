/*
 * The contracts that were compiled in, as tables (struct plan_contract), and the one step that a
 * checker of messages takes. The text form and its compiler: docs/contracts.md, contractc.py.
 */
#ifndef BULKHEAD_CONTRACT_H
#define BULKHEAD_CONTRACT_H

#include "domain-config/plan.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorted by name. Each lives as long as the program. */
const struct plan_contract *contract_find(const char *name); /* NULL: no contract of that name */
const struct plan_contract *contract_at(size_t index);       /* NULL: past the end */
size_t contract_count(void);

/*
 * A payload that carries an endpoint starts with it: a 64-bit word at offset 0, which is the sender's
 * endpoint on the way in and the receiver's on the way out.
 */
#define CONTRACT_ENDPOINT_OFFSET 0u

/*
 * The state after one message, or PLAN_CONTRACT_REFUSED. Each end of a channel has a state of its own,
 * contract->start at first, and steps it when it sends and when it receives: a server that has not yet
 * received a request is not yet in the state that allows the reply. That is what makes `in_flight` a
 * bound. `state` is a result of this function, `type` may be anything.
 */
static inline uint8_t contract_step(const struct plan_contract *contract, uint8_t state,
                                    uint64_t type, bool from_client) {
    if (type >= contract->types || contract->from_client[type] != from_client)
        return PLAN_CONTRACT_REFUSED;
    return contract->next[state][type];
}

/* Whether a payload of this size may travel as a message of this type, which contract_step allowed. */
static inline bool contract_fits(const struct plan_contract *contract, uint64_t type,
                                 uint64_t bytes) {
    return bytes >= contract->min_bytes[type] && bytes <= contract->max_bytes[type];
}

#endif
