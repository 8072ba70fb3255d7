/* From a boot to records: what one cell of an experiment yields. */
#ifndef BULKHEAD_CELL_H
#define BULKHEAD_CELL_H

#include "backend.h"
#include "records.h"
#include "result_read.h"

struct cell { /* what is the same for all boots of a cell; the strings live as long as the run */
    const char *experiment;
    const struct experiment_cell *config;
    const struct plan_header *plan;
    const char *kernel_path;
    const struct backend *backend;
    const struct backend_info *info;
    const struct backend_options *options;
    uint64_t memory_bytes;
    uint32_t timeout_ms;
    int verbose;
    const volatile int *cancel;
};

struct cell_outcome {      /* of one boot, or of one boot and the one that verifies it */
    struct record *record; /* one for each operation, or one without an operation */
    size_t count;
    char *log; /* the guest's console, made printable; or NULL */
};

/*
 * Boots the cell and fills *outcome; a guest that fails in whatever way is a record that says so.
 * On a count-exact backend it boots twice, and a difference is a failure. Returns 0, or -EINTR when
 * the run was cancelled, or another negative errno when memory ran out.
 */
int cell_boot(const struct cell *cell, uint32_t boot, struct cell_outcome *outcome,
              struct error *error);
void cell_outcome_free(struct cell_outcome *outcome);

/* How the SIPs of a plan are compiled, in one word, as a record has it. */
const char *cell_safety(const struct plan_header *plan);

struct cell_rules {
    int count_exact;  /* as of the backend */
    int may_simulate; /* the plan says PLAN_SIMULATE */
};
/*
 * What came of one boot: judges the result region of `bytes` bytes and the end that *boot tells of, and
 * fills *outcome with copies of *start that hold the figures, or with one that tells why there are
 * none. Returns 0, or -ENOMEM.
 */
int cell_conclude(const struct record *start, const struct boot_result *boot, const void *region,
                  uint64_t bytes, const struct cell_rules *rules, struct cell_outcome *outcome,
                  struct error *error);
/* Replaces what is in *outcome by one failed record. */
void cell_outcome_fail(struct cell_outcome *outcome, const char *reason);

struct cell_figures {
    double *sample;  /* per operation, overhead subtracted; malloc'ed */
    double overhead; /* per operation */
    int noisy;       /* 1: the overhead's quartiles are more than 5 % of its median apart */
};

/*
 * Per-operation values of one operation: (raw - median of the overheads) / batch. On a count-exact
 * backend overheads that differ are -ERANGE, "unstable overhead".
 */
int cell_figures(const struct result_op *op, const uint64_t *values, int count_exact,
                 struct cell_figures *figures, struct error *error);

#endif
