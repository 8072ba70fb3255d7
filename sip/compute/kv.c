/*
 * A key-value store: chained hash table, entries from an arena with free lists, a mix of get, put and
 * delete. Dependent loads and short byte loops.
 */
#include "compute.h"

#define BUCKETS 2048
#define KEYS 4000
#define VALUE_BYTES 20
#define ENTRIES KEYS
#define OPERATIONS 4096 /* a round */

struct entry {
    struct entry *next;
    uint32_t hash;
    uint8_t key_bytes;
    char key[11];
    uint8_t value[VALUE_BYTES];
};

static struct entry *buckets[BUCKETS], *unused, arena[ENTRIES];

static uint32_t write_key(char key[11], uint32_t number) {
    uint32_t bytes = 0;
    key[bytes++] = 'k';
    do {
        key[bytes++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return bytes;
}

static uint32_t hash_key(const char *key, uint32_t bytes) {
    uint32_t hash = COMPUTE_HASH_START;
    while (bytes--)
        hash = compute_hash(hash, (uint8_t)*key++);
    return hash;
}

static bool is_key(const struct entry *entry, const char *key, uint32_t bytes, uint32_t hash) {
    if (entry->hash != hash || entry->key_bytes != bytes)
        return false;
    for (uint32_t i = 0; i < bytes; i++)
        if (entry->key[i] != key[i])
            return false;
    return true;
}

/* The link that points to the entry of that key, or the null link where it belongs. */
static struct entry **find(const char *key, uint32_t bytes, uint32_t hash) {
    struct entry **link = &buckets[hash % BUCKETS];
    while (*link && !is_key(*link, key, bytes, hash))
        link = &(*link)->next;
    return link;
}

static void put(struct entry **link, const char *key, uint32_t bytes, uint32_t hash,
                uint32_t value) {
    struct entry *entry = *link;
    if (!entry) {
        entry = unused;
        unused = entry->next;
        entry->next = 0;
        entry->hash = hash;
        entry->key_bytes = (uint8_t)bytes;
        for (uint32_t i = 0; i < bytes; i++)
            entry->key[i] = key[i];
        *link = entry;
    }
    for (uint32_t i = 0; i < VALUE_BYTES; i++)
        entry->value[i] = (uint8_t)(value >> (i & 7));
}

static void remove_entry(struct entry **link) {
    struct entry *entry = *link;
    *link = entry->next;
    entry->next = unused;
    unused = entry;
}

static uint32_t operate(uint32_t random) {
    char key[11];
    uint32_t bytes = write_key(key, random % KEYS), hash = hash_key(key, bytes);
    struct entry **link = find(key, bytes, hash);
    switch (random >> 29) {
    case 0:
    case 1:
        put(link, key, bytes, hash, random);
        return 1;
    case 2:
        if (*link)
            remove_entry(link);
        return 2;
    default:
        return *link ? (*link)->value[random >> 16 & 15] : 3u;
    }
}

uint32_t compute_kv(uint32_t rounds) {
    uint32_t random = 4242, checksum = 0;
    unused = 0;
    for (uint32_t i = 0; i < BUCKETS; i++)
        buckets[i] = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        arena[i].next = unused;
        unused = &arena[i];
    }
    for (uint32_t i = 0; i < rounds * OPERATIONS; i++)
        checksum = checksum * 31 + operate(compute_random(&random));
    return checksum;
}
