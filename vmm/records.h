/*
 * Result sets: a folder with manifest.json (how the run was made) and samples.jsonl (one record a
 * line). This is the one place that writes and reads them; docs/results.md tells the format to
 * people. What the numbers mean is report.h's and stats.h's business.
 *
 * Keys of the manifest that are read here and by the report; a run gives them all and may add more:
 *   experiment, backend, backend_version, unit ("cycles" | "instructions"), trust, commit: strings
 *   seed, repeats, cells (cells × boots that a whole set has): integers
 *   layouts, workloads: arrays of names, in the experiment's order
 *   images: object of file name -> hash;  build: object (compilers, flags);  files: object (as
 *   resolved);  host: manifest_host()
 * Kept here: schema, complete, started, ended.
 */
#ifndef BULKHEAD_RECORDS_H
#define BULKHEAD_RECORDS_H

#include "backend.h"
#include "domain-config/config.h"
#include "guest-kernel/result.h"
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#define RECORD_SCHEMA 1
#define RECORD_MAX_SAMPLES 16384 /* of one record; more than any guest takes */

/* One operation of one boot of one cell. */
struct record {
    const char *experiment, *layout, *workload;
    struct config_params params;
    char op[32];      /* "" when the cell never got as far as an operation */
    const char *kind; /* "one-way", "round-trip" or "single"; "" only with op "" */
    const char *unit; /* "cycles" or "instructions" */
    const char *backend;
    uint32_t boot;   /* from 0 */
    uint32_t n;      /* elements of samples; 0 when unavailable or failed */
    double *samples; /* per operation, overhead subtracted; the writer only reads them */
    double events[RESULT_EVENTS_NAMED]; /* per operation; NaN: not counted */
    int has_events;                     /* 0: none was counted */
    const char *status;                 /* "ok", "unavailable", "simulated" or "failed" */
    char reason[512];                   /* needed unless ok; of a simulated one what was, and why */
    uint64_t oracle;                    /* checksum of the work; 0: none */
    double overhead;                    /* per operation, subtracted */
    char trust[16]; /* how far the clock can be trusted: "real", "nested", "emulated" */
    char host[64];
    char note[128]; /* what a reader of the figure must know; "" if nothing */
    /* Of the SIPs' code: "unchecked", "checked", "masked" or "mixed"; "none": of a peer; "" not told */
    char safety[16];
};

/* 1 when the record has figures: status ok or simulated. */
int record_measured(const struct record *record);
int record_params_equal(const struct config_params *a, const struct config_params *b);
/*
 * The rules that every record keeps, written or read. Returns 0, or -EINVAL with `why` telling which
 * rule is broken.
 */
int record_check(const struct record *record, char *why, size_t why_bytes);
/* Names what the record is about; no two records of a set have the same. malloc'ed, or NULL. */
char *record_key(const struct record *record);
/* Writes the record as one JSON line with its newline. Records that are equal give equal bytes. */
void record_print(const struct record *record, FILE *to);

/* JSON values as records and reports print them: printable ASCII, the shortest exact number. */
void record_print_string(const char *text, FILE *to);
void record_print_number(double value, FILE *to); /* null when not finite */
void record_print_params(const struct config_params *params, FILE *to);
/* Those that were counted. */
void record_print_events(const double *events, int has_events, FILE *to);

/* ---- writing ---- */

struct result_set;

/*
 * Opens a result set for writing in `dir`, which is made with its parents. Takes `manifest` over, also
 * when it fails, and writes it at once with "complete": false.
 *
 * An existing set is refused with -EEXIST unless `resume`. With `resume` its records are kept, but
 * for a torn last line and, unless the set is complete, the records of the boot written last, which
 * may lack some; -EINVAL names the difference when the set was made by another experiment, seed,
 * backend, images, commit or --simulate (or, where figures are time, on another CPU, microcode or kernel).
 * -EBUSY: another run writes to it.
 */
int result_set_create(struct result_set **set, const char *dir, int resume, json_t *manifest,
                      struct error *error);
/* Adds one line and waits until it is on the disk. The records of a boot MUST follow one another. */
int result_set_append(struct result_set *set, const struct record *record, struct error *error);
/* 1 when the set holds this boot of this cell, whatever its status. */
int result_set_has(const struct result_set *set, const char *layout, const char *workload,
                   const struct config_params *params, uint32_t boot);
/* Writes the end time and "complete" to the manifest. Frees the set, also when it fails. */
int result_set_finish(struct result_set *set, int complete, struct error *error);

/* ---- reading ---- */

struct result_data {
    char *dir;
    json_t *manifest;
    struct record *record;
    uint64_t *end; /* end[i]: offset of the byte after the line of record[i] */
    size_t count;
    int complete;     /* the manifest says so and the last line is whole */
    int torn;         /* the last line had no end and was left out */
    size_t strangers; /* records of another experiment than their manifest's */
    json_t *names;    /* owns the strings that records point to */
    json_t *seen;     /* identities of the records read and where, to find repeats */
};

/*
 * Reads a set; nothing in it is trusted. Returns 0 and *data, or a negative errno and a sentence with
 * file, line and what is wrong.
 */
int result_set_load(const char *dir, struct result_data **data, struct error *error);
/*
 * Adds another set's records, so that one report has the layouts of both, and to the manifest what
 * differs, with "sets", the folders. -EINVAL when their units differ: such figures have no ratio; or
 * when a record is in both: compare.h takes such sets.
 */
int result_set_join(struct result_data *data, const char *dir, struct error *error);
/* Adds the records of one samples file to *data; `name` is for messages. */
int result_data_read(struct result_data *data, FILE *from, const char *name, struct error *error);
struct result_data *result_data_create(void); /* empty; NULL when out of memory */
void result_data_free(struct result_data *data);

/* ---- the manifest ---- */

/*
 * What is known about this machine: hostname, CPU, cores, SMT, frequency policy, mitigations, kernel,
 * KVM module, hypervisor, memory. What cannot be found out is "unknown". NULL when out of memory.
 */
json_t *manifest_host(void);
int manifest_load(const char *dir, json_t **manifest, struct error *error);
/* Replaces DIR/manifest.json in one step. */
int manifest_save(const char *dir, const json_t *manifest, struct error *error);
/* The string at a dotted path ("host.cpu.model"), or "unknown". */
const char *manifest_text(const json_t *manifest, const char *path);

#endif
