/* Working through the boots of a run, several at a time where figures do not suffer from it. */
#ifndef BULKHEAD_BATCH_H
#define BULKHEAD_BATCH_H

#include "run.h"

struct batch_totals { /* boots by how they ended */
    size_t ok, simulated, unavailable, failed, skipped;
};

/*
 * Boots every cell run->boots times, round by round, each round in an order of its own, and appends
 * the records to the set in that order. Stops when *cancel becomes non-zero (-EINTR) or when a
 * record cannot be written. Guests that fail do not stop it; one whose workload has an oracle fails
 * when its answer is missing or another than before. `earlier` holds what the set held when the run
 * was resumed, or is NULL. Returns 0 or a negative errno.
 */
int batch_run(const struct run *run, struct result_set *set, const struct result_data *earlier,
              const volatile int *cancel, struct batch_totals *totals, struct error *error);

#endif
