/*
 * Both tables are uthash's, unchanged; see table.h. Every entry has room for the largest key and value,
 * so that a value is always replaced in place.
 */
#include "table.h"
#include "digest.h"
#include <stdlib.h>
#include <string.h>
#define HASH_FUNCTION HASH_JEN
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) (added = false)
#include <uthash.h>

struct entry {
    UT_hash_handle hh;
    uint64_t sequence; /* of the log record with this value */
    uint32_t key_bytes, value_bytes;
    uint8_t key[TABLE_MAX_KEY], value[TABLE_MAX_VALUE];
};

struct replayed {
    UT_hash_handle hh;
    uint64_t digest;
    uint8_t key[TABLE_MAX_KEY];
};

static struct entry *entries;
static struct replayed *replays;

static uint64_t entry_digest(const struct entry *entry) {
    return digest_of(entry->key, entry->key_bytes, entry->value, entry->value_bytes);
}

/* ---- keys and values ---- */

const uint8_t *table_get(const void *key, uint32_t key_bytes, uint32_t *bytes) {
    struct entry *entry;
    HASH_FIND(hh, entries, key, key_bytes, entry);
    if (!entry)
        return NULL;
    *bytes = entry->value_bytes;
    return entry->value;
}

static struct entry *entry_add(const void *key, uint32_t key_bytes) {
    bool added = true;
    struct entry *entry = malloc(sizeof *entry);
    if (!entry)
        return NULL;
    memcpy(entry->key, key, key_bytes);
    entry->key_bytes = key_bytes;
    HASH_ADD(hh, entries, key, key_bytes, entry);
    if (added)
        return entry;
    free(entry);
    return NULL;
}

bool table_set(const void *key, uint32_t key_bytes, const void *value, uint32_t value_bytes,
               uint64_t sequence) {
    struct entry *entry;
    HASH_FIND(hh, entries, key, key_bytes, entry);
    if (!entry)
        entry = entry_add(key, key_bytes);
    if (!entry)
        return false;
    memcpy(entry->value, value, value_bytes);
    entry->value_bytes = value_bytes;
    entry->sequence = sequence;
    return true;
}

uint32_t table_count(void) { return HASH_COUNT(entries); }

uint64_t table_digest(void) {
    uint64_t sum = 0;
    for (const struct entry *entry = entries; entry; entry = entry->hh.next)
        sum += entry_digest(entry);
    return sum;
}

bool table_each(bool (*call)(uint64_t sequence, struct table_text key, struct table_text value)) {
    for (const struct entry *entry = entries; entry; entry = entry->hh.next)
        if (!call(entry->sequence, (struct table_text){entry->key, entry->key_bytes},
                  (struct table_text){entry->value, entry->value_bytes}))
            return false;
    return true;
}

/* ---- what the log says ---- */

static struct replayed *replayed_add(const void *key, uint32_t key_bytes) {
    bool added = true;
    struct replayed *replayed = malloc(sizeof *replayed);
    if (!replayed)
        return NULL;
    memcpy(replayed->key, key, key_bytes);
    HASH_ADD(hh, replays, key, key_bytes, replayed);
    if (added)
        return replayed;
    free(replayed);
    return NULL;
}

bool replayed_set(const void *key, uint32_t key_bytes, const void *value, uint32_t value_bytes) {
    struct replayed *replayed;
    HASH_FIND(hh, replays, key, key_bytes, replayed);
    if (!replayed)
        replayed = replayed_add(key, key_bytes);
    if (!replayed)
        return false;
    replayed->digest = digest_of(key, key_bytes, value, value_bytes);
    return true;
}

bool replayed_end(void) {
    bool equal = HASH_COUNT(replays) == HASH_COUNT(entries);
    struct replayed *replayed, *next;
    for (const struct entry *entry = entries; entry; entry = entry->hh.next) {
        HASH_FIND(hh, replays, entry->key, entry->key_bytes, replayed);
        equal &= replayed && replayed->digest == entry_digest(entry);
    }
    HASH_ITER(hh, replays, replayed, next) {
        HASH_DEL(replays, replayed);
        free(replayed);
    }
    return equal;
}
