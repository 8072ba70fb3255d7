/*
 * The server's table of keys and values, in memory from malloc(); and a second one that is built from
 * the log alone, to compare the two.
 */
#ifndef BULKHEAD_KV_TABLE_H
#define BULKHEAD_KV_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define TABLE_MAX_KEY 32u
#define TABLE_MAX_VALUE 1024u

struct table_text {
    const uint8_t *bytes;
    uint32_t count;
};

/* ---- keys and values, at most as long as the above ---- */

/* The value of a key, NULL if there is none. */
const uint8_t *table_get(const void *key, uint32_t key_bytes, uint32_t *bytes);
/* False: there is no memory for it, and nothing changed. */
bool table_set(const void *key, uint32_t key_bytes, const void *value, uint32_t value_bytes,
               uint64_t sequence);
uint32_t table_count(void);
/* The sum of digest_of() over all keys, which their order does not change. */
uint64_t table_digest(void);
/* Calls with each key, the oldest first, until that returns false, which is then returned. */
bool table_each(bool (*call)(uint64_t sequence, struct table_text key, struct table_text value));

/* ---- what the log says ---- */

/* False: no memory. */
bool replayed_set(const void *key, uint32_t key_bytes, const void *value, uint32_t value_bytes);
/* True if both have the same keys with the same values. Empties the replayed one. */
bool replayed_end(void);

#endif
