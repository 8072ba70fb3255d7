/* What a backend puts on the disk that it makes for a run: read by the host, and by the SIP that checks. */
#ifndef BULKHEAD_DISK_CONTENT_H
#define BULKHEAD_DISK_CONTENT_H

#include <stdint.h>

#define DISK_CONTENT_BYTES (1u << 20)

/* The 64-bit little-endian word at byte 8 * index: splitmix64 (Steele and others, OOPSLA 2014). */
static inline uint64_t disk_content_word(uint64_t seed, uint64_t index) {
    uint64_t word = seed + (index + 1) * 0x9e3779b97f4a7c15ull;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9ull;
    word = (word ^ word >> 27) * 0x94d049bb133111ebull;
    return word ^ word >> 31;
}

#endif
