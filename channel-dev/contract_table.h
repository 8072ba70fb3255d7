/*
 * What contractc.py generates and contract.c reads: all compiled contracts, sorted by name.
 */
#ifndef BULKHEAD_CONTRACT_TABLE_H
#define BULKHEAD_CONTRACT_TABLE_H

#include "domain-config/plan.h"
#include <stddef.h>

extern const struct plan_contract contract_table[];
extern const size_t contract_table_count;

#endif
