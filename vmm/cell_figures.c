/*
 * The arithmetic inside one boot: from raw clock differences of batches to values per operation.
 * Statistics over samples and boots are for stats.c.
 */
#include "cell.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_LIMIT 0.05

static int value_compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The value at a fraction of a sorted array, between neighbours where it falls between them. */
static double sorted_at(const uint64_t *sorted, uint32_t count, double fraction) {
    double place = fraction * (count - 1);
    uint32_t low = (uint32_t)place;
    uint32_t high = low + 1 < count ? low + 1 : low;
    double part = place - low;
    return (double)sorted[low] * (1 - part) + (double)sorted[high] * part;
}

static int overhead_find(const struct result_op *op, const uint64_t *values, int count_exact,
                         double *median, int *noisy, struct error *error) {
    uint32_t count = op->overheads;
    uint64_t *sorted = malloc(count * sizeof(*sorted));
    if (!sorted)
        return error_set(error, -ENOMEM, "out of memory for figures");
    memcpy(sorted, values + op->samples, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), value_compare);
    int status = 0;
    *median = sorted_at(sorted, count, 0.5);
    double spread = sorted_at(sorted, count, 0.75) - sorted_at(sorted, count, 0.25);
    if (count_exact && sorted[0] != sorted[count - 1])
        status = error_set(error, -ERANGE, "unstable overhead of %s: %llu to %llu instructions",
                           op->name, (unsigned long long)sorted[0],
                           (unsigned long long)sorted[count - 1]);
    *noisy = !count_exact && spread > NOISE_LIMIT * *median;
    free(sorted);
    return status;
}

int cell_figures(const struct result_op *op, const uint64_t *values, int count_exact,
                 struct cell_figures *figures, struct error *error) {
    double median = 0;
    *figures = (struct cell_figures){0};
    if (op->overheads) {
        int status = overhead_find(op, values, count_exact, &median, &figures->noisy, error);
        if (status)
            return status;
    }
    figures->sample = malloc(op->samples * sizeof(double));
    if (!figures->sample)
        return error_set(error, -ENOMEM, "out of memory for figures");
    for (uint32_t i = 0; i < op->samples; i++)
        figures->sample[i] = ((double)values[i] - median) / op->batch;
    figures->overhead = median / op->batch;
    return 0;
}
