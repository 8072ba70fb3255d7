/*
 * Which stretches of a run a sample is made of. All readings of the clock are known with their values; a
 * sample is the time between two of them, or a sum of such times, so it is found by its length.
 */
#ifndef BULKHEAD_PROFILE_MATCH_H
#define BULKHEAD_PROFILE_MATCH_H

#include "backend.h"
#include "guest-kernel/result.h"

struct profile_reading {
    uint64_t clock;
    uint32_t owner; /* whose code read it; only readings of one owner make up a sample */
};
struct profile_readings {
    struct profile_reading *item; /* in the order of the run */
    size_t count, room;
};
int profile_readings_add(struct profile_readings *readings, struct profile_reading reading);

struct profile_stretch {
    size_t first, last; /* readings */
    double weight;      /* what one instruction in it counts, per operation */
};
struct profile_stretches {
    struct profile_stretch *item;
    size_t count;
};

/*
 * The stretches whose weighted lengths add up to the operation's median: of the samples in the middle,
 * less the overhead. `values` are the samples, then the overheads; `sums` is the number of stretches
 * that one sample may be the sum of. Several operations of one owner follow one another: *from is where
 * the last one ended, and becomes where this one does. Returns 0, -ENOMEM, or -ESRCH and a sentence when
 * there are no such stretches.
 */
int profile_match(const struct profile_readings *readings, const struct result_op *op,
                  const uint64_t *values, uint32_t sums, size_t *from,
                  struct profile_stretches *stretches, struct error *error);

#endif
