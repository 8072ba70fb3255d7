/*
 * Memory to walk through: pages of this SIP's own with places in them, each of which names the next
 * one. The order is shuffled, so that a processor can neither fetch ahead nor begin a load before the
 * one before it is done. Also the second SIP of a measurement, which walks its own area in turns.
 */
#ifndef BULKHEAD_TOUCH_AREA_H
#define BULKHEAD_TOUCH_AREA_H

#include "sip.h"

#define AREA_PARTS 64           /* handles */
#define AREA_PART_BYTES 2097152 /* behind each of them */
#define AREA_MAX_PAGES (AREA_PARTS * (AREA_PART_BYTES / 4096))

struct area {
    sip_handle part[AREA_PARTS];
    uint32_t places;
    uint32_t stride;    /* bytes from place to place, in order of addresses */
    uint64_t start, at; /* names of places: a handle << 32 | an offset; 0 when there are none */
};

/*
 * Areas as the run's params say: `pages` with a place every `stride` bytes, or `bytes`, likewise.
 * They fail the run when the params are wrong or memory is short. `order` makes the orders of two
 * areas different; 0 pages are for area_of_nothing().
 */
void area_of_pages(struct area *area, uint64_t order);
void area_of_bytes(struct area *area, uint64_t order);
void area_of_nothing(struct area *area);

/* Goes to every place once and ends where it began. */
void area_walk(struct area *area);
/* False: a walk did not end where it began. */
static inline bool area_is_whole(const struct area *area) { return area->at == area->start; }
/* The oracle: fails the run unless a walk meets each place once; the values met, in order. */
uint64_t area_checksum(struct area *area);

/*
 * The second SIP: walks and yields, `turns` times, and then sends the checksum of its area. Before
 * the first turn it yields once, when its area is ready: the first SIP must yield once for that.
 */
void area_serve(struct area *area, uint64_t turns);
/* The first SIP's end of it: what the second one's area adds to the checksum of the first one's. */
uint64_t area_checksum_both(struct area *area);

#endif
