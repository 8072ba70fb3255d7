/* Finds samples among the readings of the clock. See profile_match.h. */
#include "profile_match.h"
#include <errno.h>
#include <stdlib.h>

#define SCALES_MOST 64 /* by which a workload may multiply an overhead */

int profile_readings_add(struct profile_readings *readings, struct profile_reading reading) {
    if (readings->count == readings->room) {
        size_t room = readings->room ? readings->room * 2 : 256;
        struct profile_reading *more = realloc(readings->item, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        readings->item = more;
        readings->room = room;
    }
    readings->item[readings->count++] = reading;
    return 0;
}

/* The readings of one owner, and how a sample is made of them. */
struct search {
    const struct profile_reading *reading;
    const size_t *own; /* indices of its readings */
    size_t count;
    uint32_t sums; /* stretches in one sample */
};
struct place {
    size_t first, last; /* of own[] */
};

static uint64_t clock_at(const struct search *search, size_t at) {
    return search->reading[search->own[at]].clock;
}

/* The first sum of stretches, each between neighbours, of that length. */
static int sum_find(const struct search *search, size_t from, uint64_t value, struct place *place) {
    size_t span = 2 * (size_t)search->sums - 1;
    for (size_t first = from; first + span < search->count; first++) {
        uint64_t sum = 0;
        for (size_t i = 0; i <= span; i += 2)
            sum += clock_at(search, first + i + 1) - clock_at(search, first + i);
        *place = (struct place){first, first + span};
        if (sum == value)
            return 1;
    }
    return 0;
}

static int stretch_find(const struct search *search, size_t from, uint64_t value,
                        struct place *place) {
    if (search->sums > 1)
        return sum_find(search, from, value, place);
    for (size_t first = from; first < search->count; first++) {
        uint64_t until = clock_at(search, first) + value;
        for (size_t last = first + 1; last < search->count; last++) {
            *place = (struct place){first, last};
            if (clock_at(search, last) == until)
                return 1;
            if (clock_at(search, last) > until)
                break;
        }
    }
    return 0;
}

/* Every value in its order, from `from` on; with `after` each behind the place of the same number. */
static int values_find(const struct search *search, size_t from, const struct place *after,
                       const uint64_t *values, uint32_t count, uint32_t scale,
                       struct place *places) {
    for (uint32_t i = 0; i < count; i++) {
        if (after && after[i].last > from)
            from = after[i].last;
        if (values[i] % scale || !stretch_find(search, from, values[i] / scale, &places[i]))
            return 0;
        from = places[i].last;
    }
    return 1;
}

/* Overheads are measured after all samples, or each after its sample; returns their scale, or 0. */
static uint32_t overheads_find(const struct search *search, const struct result_op *op,
                               const uint64_t *values, const struct place *samples,
                               struct place *overheads) {
    size_t end = samples[op->samples - 1].last;
    for (uint32_t scale = 1; scale <= SCALES_MOST; scale++) {
        if (values_find(search, end, NULL, values, op->overheads, scale, overheads))
            return scale;
        if (op->overheads == op->samples &&
            values_find(search, samples[0].last, samples, values, op->overheads, scale, overheads))
            return scale;
    }
    return 0;
}

struct ranked {
    uint64_t value;
    uint32_t index;
};

static int ranked_compare(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    return (a->value > b->value) - (a->value < b->value);
}

/* The numbers of the two values in the middle: of the same one where they are equal. */
static int middle_find(const uint64_t *values, uint32_t count, uint32_t middle[2]) {
    struct ranked *ranked = calloc(count, sizeof(*ranked));
    if (!ranked)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        ranked[i] = (struct ranked){values[i], i};
    qsort(ranked, count, sizeof(*ranked), ranked_compare);
    const struct ranked *low = &ranked[(count - 1) / 2], *high = &ranked[count / 2];
    middle[0] = low->index;
    middle[1] = low->value == high->value ? low->index : high->index;
    free(ranked);
    return 0;
}

static void stretches_add(const struct search *search, struct place place, double weight,
                          struct profile_stretches *stretches) {
    size_t step = search->sums > 1 ? 1 : place.last - place.first;
    for (size_t at = place.first; at<place.last; at += search->sums> 1 ? 2 : step)
        stretches->item[stretches->count++] =
            (struct profile_stretch){search->own[at], search->own[at + step], weight};
}

static int stretches_fill(const struct search *search, const struct result_op *op,
                          const uint64_t *values, const struct place *samples,
                          const struct place *overheads, uint32_t scale,
                          struct profile_stretches *stretches) {
    uint32_t sample[2], overhead[2];
    if (middle_find(values, op->samples, sample) ||
        (op->overheads && middle_find(values + op->samples, op->overheads, overhead)))
        return -ENOMEM;
    *stretches = (struct profile_stretches){0};
    stretches->item = calloc((size_t)search->sums * 4, sizeof(*stretches->item));
    if (!stretches->item)
        return -ENOMEM;
    double whole = 1.0 / op->batch;
    for (int i = 0; i < 2; i++) {
        int once = sample[0] == sample[1], once_over = op->overheads && overhead[0] == overhead[1];
        if (!i || !once)
            stretches_add(search, samples[sample[i]], once ? whole : whole / 2, stretches);
        if (op->overheads && (!i || !once_over))
            stretches_add(search, overheads[overhead[i]], -(once_over ? whole : whole / 2) * scale,
                          stretches);
    }
    return 0;
}

/* One owner's readings, one way of making samples: 1 when all is found, 0 when not, or -ENOMEM. */
static int search_try(const struct search *search, const struct result_op *op,
                      const uint64_t *values, size_t from, size_t *end,
                      struct profile_stretches *stretches) {
    struct place *samples = calloc(op->samples + op->overheads, sizeof(*samples));
    if (!samples)
        return -ENOMEM;
    struct place *overheads = samples + op->samples;
    uint32_t scale = 1;
    int found = values_find(search, from, NULL, values, op->samples, 1, samples);
    if (found && op->overheads)
        scale = overheads_find(search, op, values + op->samples, samples, overheads);
    found = found && scale;
    if (found) {
        found =
            stretches_fill(search, op, values, samples, overheads, scale, stretches) ? -ENOMEM : 1;
        *end = search->own[samples[op->samples - 1].last];
        if (op->overheads && search->own[overheads[op->overheads - 1].last] > *end)
            *end = search->own[overheads[op->overheads - 1].last];
    }
    free(samples);
    return found;
}

/* Tries each owner; samples that are one stretch before those that are sums. */
static int owners_try(const struct profile_readings *readings, const struct result_op *op,
                      const uint64_t *values, uint32_t sums, size_t *from,
                      struct profile_stretches *stretches) {
    size_t *own = calloc(readings->count + 1, sizeof(*own));
    int found = own ? 0 : -ENOMEM;
    uint32_t owners = 0;
    for (size_t i = 0; i < readings->count; i++)
        if (readings->item[i].owner >= owners)
            owners = readings->item[i].owner + 1;
    for (uint32_t owner = 0; !found && owner < owners; owner++) {
        struct search search = {.reading = readings->item, .own = own};
        size_t start = 0;
        for (size_t i = 0; i < readings->count; i++) {
            if (readings->item[i].owner != owner)
                continue;
            start += i < *from;
            own[search.count++] = i;
        }
        for (int again = 0; !found && again < (start ? 2 : 1); again++) {
            search.sums = 1;
            found = search_try(&search, op, values, again ? 0 : start, from, stretches);
            search.sums = sums;
            if (!found && sums > 1)
                found = search_try(&search, op, values, again ? 0 : start, from, stretches);
        }
    }
    free(own);
    return found;
}

int profile_match(const struct profile_readings *readings, const struct result_op *op,
                  const uint64_t *values, uint32_t sums, size_t *from,
                  struct profile_stretches *stretches, struct error *error) {
    *stretches = (struct profile_stretches){0};
    int found = owners_try(readings, op, values, sums, from, stretches);
    if (found < 0)
        return error_set(error, found, "out of memory for the profile");
    return found ? 0
                 : error_set(error, -ESRCH,
                             "no stretch between two readings of the clock is as long as the "
                             "samples of %s: the workload computes them in a way that is not known",
                             op->name);
}
