/*
 * The server's end of the log, which holds all that was set. When it is full, the table is written anew,
 * which is how its size stays bounded. Without a log the run fails.
 */
#ifndef BULKHEAD_KV_JOURNAL_H
#define BULKHEAD_KV_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

void journal_start(void);
/* The number of the next record. */
uint64_t journal_next(void);
/* What the table has under that number already. */
void journal_append(const void *key, uint32_t key_bytes, const void *value, uint32_t value_bytes);
/* Reads the whole log; true if it leads to what is in the table. */
bool journal_replay(void);

#endif
