/* The digest of a key and its value, which server and clients compare. */
#ifndef BULKHEAD_KV_DIGEST_H
#define BULKHEAD_KV_DIGEST_H

#include <stddef.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#define XXH_FORCE_MEMORY_ACCESS 1 /* reads words without a call of memcpy() */
#include <xxhash.h>

static inline uint64_t digest_of(const void *key, uint32_t key_bytes, const void *value,
                                 uint32_t value_bytes) {
    return XXH64(value, value_bytes, XXH64(key, key_bytes, 1));
}

#endif
