/*
 * Where the instructions of each operation go, by SIP or kernel and function. The same cell is booted three
 * times in QEMU: to find the SIPs, to find the samples, and to trace those that are the median,
 * instruction by instruction.
 */
#ifndef BULKHEAD_PROFILE_H
#define BULKHEAD_PROFILE_H

#include "backend.h"
#include "domain-config/plan.h"
#include <stdio.h>

#define PROFILE_ROUNDING 1e-6 /* of sums of parts of instructions: less is no difference */

struct profile_cell {
    const struct plan_header *plan;
    const char *kernel_path;
    const char *op; /* the only one to profile; NULL: all */
    uint64_t memory_bytes;
    uint32_t timeout_ms; /* of a boot */
    int verbose;
    const volatile int *cancel;
};

struct profile_row {
    char where[PLAN_NAME_BYTES], domain[PLAN_NAME_BYTES], function[64];
    double count; /* instructions per operation */
};
struct profile_op {
    char name[32];
    const char *kind;
    double measured; /* the median of its samples, as `run` gives it */
    double total;    /* of the rows: another number only where the trace missed something */
    struct profile_row *row;
    size_t rows;
};
struct profile {
    struct profile_op op[64];
    size_t ops;
};

/*
 * Fills *profile, which the caller frees. Returns 0; -ENOEXEC when the guest failed or left nothing to
 * profile, -ENOTSUP when it lacks what the layout needs, -ESRCH when it has no such operation, -EINTR,
 * or another negative errno when this host is at fault; each but -EINTR with a sentence.
 */
int profile_take(const struct profile_cell *cell, struct profile *profile, struct error *error);
void profile_free(struct profile *profile);

enum profile_by {
    PROFILE_BY_FUNCTION, /* and SIP */
    PROFILE_BY_SIP,
    PROFILE_BY_DOMAIN
};
struct profile_view { /* how it is printed, and what it is of */
    const char *layout, *workload, *safety;
    enum profile_by by;
    size_t top; /* rows of an operation, the rest in one more; 0: all */
};
/* Each puts rows of one name together first. 0, or -ENOMEM. */
int profile_print_text(struct profile *profile, const struct profile_view *view, FILE *to);
int profile_print_json(struct profile *profile, const struct profile_view *view, FILE *to);
int profile_print_csv(struct profile *profile, const struct profile_view *view, FILE *to);

#endif
