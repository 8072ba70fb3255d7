/*
 * Contracts for the tests, listed in place of those that the channel library has compiled in, which
 * are still found: shipped workloads name them.
 */
#include "channel-dev/contract.h"
#include "channel-dev/contract_table.h"

#include <string.h>

static const struct plan_contract contracts[] = {
    {.name = "echo",
     .states = 2,
     .types = 2,
     .in_flight = 1,
     .min_bytes = {0, 8},
     .max_bytes = {4096, 4096},
     .from_client = {1, 0},
     .next = {{1, PLAN_CONTRACT_REFUSED}, {PLAN_CONTRACT_REFUSED, 0}}},
    {.name = "flood",
     .states = 1,
     .types = 1,
     .in_flight = 8,
     .max_bytes = {65536},
     .from_client = {1},
     .next = {{0}}},
};

const struct plan_contract *contract_at(size_t index) {
    return index < sizeof(contracts) / sizeof(contracts[0]) ? &contracts[index] : NULL;
}

size_t contract_count(void) { return sizeof(contracts) / sizeof(contracts[0]); }

const struct plan_contract *contract_find(const char *name) {
    for (size_t i = 0; i < contract_count(); i++)
        if (strcmp(contracts[i].name, name) == 0)
            return &contracts[i];
    for (size_t i = 0; i < contract_table_count; i++)
        if (strcmp(contract_table[i].name, name) == 0)
            return &contract_table[i];
    return NULL;
}
