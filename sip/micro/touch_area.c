/* Areas to walk. A place is a word with the name of the next place, and a word with a value. */
#include "touch_area.h"

#define PAGE_BYTES 4096u
#define LINE_BYTES 64u
#define VALUE_OFFSET 8

/* The generator splitmix64. */
static uint64_t random_next(uint64_t *state) {
    uint64_t word = *state += 0x9e3779b97f4a7c15;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
    word = (word ^ word >> 27) * 0x94d049bb133111eb;
    return word ^ word >> 31;
}

/*
 * Places a page or more apart are each a cache line further into their page than the one before: at
 * one offset in all pages they would share a few sets of the first-level cache.
 */
static uint64_t place_name(const struct area *area, uint32_t place) {
    uint64_t offset = (uint64_t)place * area->stride;
    if (area->stride >= PAGE_BYTES)
        offset += place * LINE_BYTES % PAGE_BYTES;
    return (uint64_t)area->part[offset / AREA_PART_BYTES] << 32 | offset % AREA_PART_BYTES;
}

static inline uint64_t load(uint64_t name) {
    return sip_msg_ld64((sip_handle)(name >> 32), (uint32_t)name);
}
static void store(uint64_t name, uint64_t value) {
    sip_msg_st64((sip_handle)(name >> 32), (uint32_t)name, value);
}

/* One cycle through all places, drawn at random (Sattolo's algorithm). */
static void shuffle(struct area *area, uint64_t random) {
    for (uint32_t place = 0; place < area->places; place++) {
        uint64_t name = place_name(area, place);
        store(name, name);
        store(name + VALUE_OFFSET, random_next(&random));
    }
    for (uint32_t place = area->places; place-- > 1;) {
        uint64_t one = place_name(area, place);
        uint64_t other = place_name(area, (uint32_t)(random_next(&random) % place));
        uint64_t next = load(one);
        store(one, load(other));
        store(other, next);
    }
}

static void area_create(struct area *area, uint64_t bytes, uint64_t order) {
    uint64_t seed = (uint64_t)sip_param("seed", 1);
    for (uint32_t i = 0; i * (uint64_t)AREA_PART_BYTES < bytes; i++) {
        uint64_t left = bytes - i * (uint64_t)AREA_PART_BYTES;
        if (left > AREA_PART_BYTES)
            left = AREA_PART_BYTES;
        area->part[i] = sip_pages((uint32_t)((left + PAGE_BYTES - 1) / PAGE_BYTES));
        if (!area->part[i])
            sip_fail(
                "there is not enough memory for the pages to walk: fewer, or more by --memory");
    }
    area->places = (uint32_t)(bytes / area->stride);
    area->start = area->at = place_name(area, 0);
    shuffle(area, seed * 2 + order);
}

static void read_stride(struct area *area, int64_t fallback) {
    int64_t stride = sip_param("stride", fallback);
    if (stride < LINE_BYTES || stride > AREA_PART_BYTES || (stride & (stride - 1)))
        sip_fail("param 'stride' must be a power of two from 64 to 2M");
    area->stride = (uint32_t)stride;
}

void area_of_pages(struct area *area, uint64_t order) {
    int64_t pages = sip_param("pages", 64);
    _Static_assert(AREA_MAX_PAGES == 32768, "as the sentences below say");
    if (pages < 1 || pages > AREA_MAX_PAGES)
        sip_fail("param 'pages' must be from 1 to 32768");
    read_stride(area, PAGE_BYTES);
    if ((uint64_t)pages * PAGE_BYTES < area->stride)
        sip_fail("param 'stride' must not exceed 'pages' of 4096 bytes each");
    area_create(area, (uint64_t)pages * PAGE_BYTES, order);
}

void area_of_bytes(struct area *area, uint64_t order) {
    int64_t bytes = sip_param("bytes", 0);
    read_stride(area, LINE_BYTES);
    if (bytes < 0 || bytes > (int64_t)AREA_MAX_PAGES * PAGE_BYTES)
        sip_fail("param 'bytes' must be from 0 to 128M");
    if (bytes % area->stride)
        sip_fail("param 'bytes' must be a multiple of 'stride'");
    if (bytes == 0)
        area_of_nothing(area);
    else
        area_create(area, (uint64_t)bytes, order);
}

void area_of_nothing(struct area *area) {
    area->places = area->stride = 0;
    area->start = area->at = 0;
}

void area_walk(struct area *area) {
    uint64_t at = area->at;
    for (uint32_t left = area->places; left; left--)
        at = load(at);
    area->at = at;
}

uint64_t area_checksum(struct area *area) {
    uint64_t sum = (uint64_t)area->places * area->stride + 1, met = 0, there = 0;
    uint64_t at = area->start;
    for (uint32_t place = 0; place < area->places; place++) {
        uint64_t value = load(at + VALUE_OFFSET);
        sum = sum * 31 + value;
        met += value;
        there += load(place_name(area, place) + VALUE_OFFSET);
        at = load(at);
    }
    if (at != area->start || met != there || !area_is_whole(area))
        sip_fail("a walk does not meet each place once");
    return sum;
}

void area_serve(struct area *area, uint64_t turns) {
    sip_endpoint first = sip_channel("sum");
    sip_yield();
    while (turns--) {
        area_walk(area);
        sip_yield();
    }
    sip_handle block = sip_block_for(first, sizeof(uint64_t));
    if (!block)
        sip_fail("no memory for a checksum");
    sip_msg_st64(block, 0, area_checksum(area));
    if (sip_send(first, block, 0, sizeof(uint64_t)))
        sip_fail("a checksum could not be sent");
}

uint64_t area_checksum_both(struct area *area) {
    struct sip_message message = sip_recv(sip_channel("sum"));
    if (message.error)
        sip_fail("the second SIP sent no checksum");
    uint64_t sum = area_checksum(area) * 31 + sip_msg_ld64(message.handle, 0);
    sip_block_free(message.handle);
    return sum;
}
