/* See segment.h. */
#include "segment.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#define XXH_FORCE_MEMORY_ACCESS 1 /* reads words without a call of memcpy() */
#include <xxhash.h>

static uint32_t record_bytes(uint32_t data_bytes) {
    return (uint32_t)sizeof(struct segment_record) + (data_bytes + 7) / 8 * 8;
}

static uint32_t record_checksum(const struct segment_record *record) {
    uint32_t skip = sizeof record->checksum;
    return XXH32((const uint8_t *)record + skip, record_bytes(record->data_bytes) - skip, 0);
}

struct segment_record *segment_room(const struct segment *segment, uint32_t data_bytes) {
    if (data_bytes > UINT16_MAX || record_bytes(data_bytes) > segment->size - segment->used)
        return NULL;
    return (struct segment_record *)(segment->bytes + segment->used);
}

void segment_append(struct segment *segment, struct segment_record *record, uint64_t sequence,
                    uint32_t key_bytes, uint32_t data_bytes) {
    uint32_t bytes = record_bytes(data_bytes);
    record->key_bytes = (uint16_t)key_bytes;
    record->data_bytes = (uint16_t)data_bytes;
    record->sequence = sequence;
    memset(record->data + data_bytes, 0, bytes - sizeof *record - data_bytes);
    record->checksum = record_checksum(record);
    segment->used += bytes;
}

enum segment_found segment_read(const struct segment *segment, uint64_t position,
                                const struct segment_record **record, uint64_t *next) {
    if (position == segment->used)
        return SEGMENT_END;
    if (position > segment->used || position % 8 ||
        segment->used - position < sizeof(struct segment_record))
        return SEGMENT_DAMAGED;
    *record = (const struct segment_record *)(segment->bytes + position);
    uint32_t bytes = record_bytes((*record)->data_bytes);
    if (bytes > segment->used - position || (*record)->key_bytes > (*record)->data_bytes ||
        (*record)->checksum != record_checksum(*record))
        return SEGMENT_DAMAGED;
    *next = position + bytes;
    return SEGMENT_RECORD;
}
