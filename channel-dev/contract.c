/*
 * Looks contracts up in the table that contractc.py generates.
 */
#include "contract.h"
#include "contract_table.h"
#include <string.h>

const struct plan_contract *contract_at(size_t index) {
    return index < contract_table_count ? &contract_table[index] : NULL;
}

size_t contract_count(void) { return contract_table_count; }

const struct plan_contract *contract_find(const char *name) {
    for (size_t i = 0; i < contract_table_count; i++)
        if (strcmp(contract_table[i].name, name) == 0)
            return &contract_table[i];
    return NULL;
}
