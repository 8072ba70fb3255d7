/*
 * A log in memory: records one after the other, each with a checksum over all of it. Whoever reads
 * believes nothing that is in it.
 */
#ifndef BULKHEAD_KV_SEGMENT_H
#define BULKHEAD_KV_SEGMENT_H

#include <stdint.h>

struct segment_record {
    uint32_t checksum; /* XXH32 of what follows, padding included */
    uint16_t key_bytes;
    uint16_t data_bytes; /* key and value; zeros up to the next multiple of 8 */
    uint64_t sequence;
    uint8_t data[];
};

struct segment {
    uint8_t *bytes; /* 8-aligned */
    uint32_t size, used;
};

/* Room for a record, NULL if there is none. The caller fills `data` and appends it. */
struct segment_record *segment_room(const struct segment *segment, uint32_t data_bytes);
void segment_append(struct segment *segment, struct segment_record *record, uint64_t sequence,
                    uint32_t key_bytes, uint32_t data_bytes);

enum segment_found {
    SEGMENT_RECORD,
    SEGMENT_END,
    SEGMENT_DAMAGED /* no such position, or a record that is not what was written */
};
/* The record at a position, and the position behind it. */
enum segment_found segment_read(const struct segment *segment, uint64_t position,
                                const struct segment_record **record, uint64_t *next);

#endif
