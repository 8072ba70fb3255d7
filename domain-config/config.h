/*
 * Reading, checking and resolving the YAML files: layouts, workloads, experiments. The model that the
 * command works with. Every problem goes into a list of diagnostics, so that one run shows them all.
 */
#ifndef BULKHEAD_CONFIG_H
#define BULKHEAD_CONFIG_H

#include "plan.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_NAME_BYTES PLAN_NAME_BYTES

/* ---- diagnostics ---- */

struct config_diag {
    char *file;       /* as the user named it, or the path found */
    int line, column; /* from 1; 0 when the problem is the whole file */
    char *text;       /* what is wrong, what was expected, and a suggestion when there is one */
};
struct config_diags {
    struct config_diag *item;
    size_t count, room;
};
void config_diag_add(struct config_diags *diags, const char *file, int line, int column,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));
void config_diags_print(const struct config_diags *diags, FILE *to); /* FILE:LINE:COL: text */
void config_diags_free(struct config_diags *diags);

/* ---- where things are found ---- */

struct config_paths {
    const char *data_dir; /* holds layouts/, workloads/, experiments/ */
    /* Holds NAME.unchecked.elf, NAME.checked.elf ... and kernel.elf; in retpoline/ and cet/ those of
     * layouts that need images built for it. */
    const char *image_dir;
};

/* ---- the model ---- */

struct config_param {
    char name[CONFIG_NAME_BYTES];
    int64_t value;
};
struct config_params { /* sorted by name, names unique */
    struct config_param item[PLAN_MAX_PARAMS];
    size_t count;
    char preset[CONFIG_NAME_BYTES]; /* of a choice: the preset that the items go over; "": none */
};

struct layout;
struct workload;
struct experiment;

/*
 * Loads by name (looked up in data_dir) or by path (contains '/' or ends in ".yaml"). All errors of
 * the file and of the files it extends go to `diags`. Returns 0 and *out, which the caller frees, or
 * -EINVAL with at least one diagnostic.
 */
int layout_load(const struct config_paths *paths, const char *name, struct layout **out,
                struct config_diags *diags);
int workload_load(const struct config_paths *paths, const char *name, struct workload **out,
                  struct config_diags *diags);
int experiment_load(const struct config_paths *paths, const char *name, struct experiment **out,
                    struct config_diags *diags);
void layout_free(struct layout *layout);
void workload_free(struct workload *workload);
void experiment_free(struct experiment *experiment);

/* A YAML file that a model was read from, as it was then. Owned by the model. */
struct config_file {
    char *path; /* as the user named it, or as found */
    char *text; /* UTF-8 */
};
/* The layout's file, then the one that it extends, and so on: *count of them. */
const struct config_file *layout_files(const struct layout *layout, size_t *count);
const struct config_file *workload_file(const struct workload *workload);
/* NULL for an experiment_single(). */
const struct config_file *experiment_file(const struct experiment *experiment);

const char *layout_name(const struct layout *layout);
const char *layout_about(const struct layout *layout);
const char *workload_name(const struct workload *workload);
const char *workload_about(const struct workload *workload);
const struct config_params *workload_params(const struct workload *workload); /* the defaults */
/* The presets' names; [0] is PRESET_DEFAULT, which is the defaults. NULL past the last. */
#define PRESET_DEFAULT "quick"
const char *workload_preset_at(const struct workload *workload, size_t index);
/* The values that a preset changes; NULL: there is no such preset. */
const struct config_params *workload_preset(const struct workload *workload, const char *name);
/* Puts the values of `over` over those of `params` that have the same names. */
void params_put(struct config_params *params, const struct config_params *over);
/* 1: every operation has a checksum of its work, the same in each layout; 0: there is none. */
int workload_oracle(const struct workload *workload);

/* Tells the kind of a file by its first key and checks it. For `bulkhead check FILE...`. */
int config_check_file(const struct config_paths *paths, const char *path,
                      struct config_diags *diags);

/* ---- experiments ---- */

struct experiment_cell {
    struct layout *layout;       /* owned by the experiment */
    struct workload *workload;   /* owned by the experiment */
    struct config_params params; /* defaults with the cell's values over them */
};
enum preempt_choice {
    PREEMPT_AS_LAYOUT, /* the layout says whether the timer takes the processor from a SIP */
    PREEMPT_ON,
    PREEMPT_OFF,
};
struct experiment_settings {
    char name[CONFIG_NAME_BYTES];
    uint32_t repeats; /* boots of a cell on a backend whose clock is time */
    uint64_t seed;
    uint32_t warmup, batch, samples; /* as in struct plan_header */
    uint64_t memory_bytes;
    enum preempt_choice preempt;
    uint32_t timeout_s; /* a cell that takes longer has failed */
};
const struct experiment_settings *experiment_settings(const struct experiment *experiment);
size_t experiment_cell_count(const struct experiment *experiment);
const struct experiment_cell *experiment_cell_at(const struct experiment *experiment, size_t index);
size_t experiment_excluded(const struct experiment *experiment); /* cells that where: removed */

/*
 * Puts a preset and values over those of every cell whose workload has them. Returns 0, or -EINVAL and a
 * sentence in `why`: no workload has one of them, or cells would become equal.
 */
int experiment_override(struct experiment *experiment, const struct config_params *set, char *why,
                        size_t bytes);

/* An experiment of one layout and one workload, for `run --layout L --workload W`. Takes ownership. */
struct experiment *experiment_single(struct layout *layout, struct workload *workload,
                                     const struct config_params *params);

/* ---- the pair, resolved ---- */

struct plan_options {
    uint64_t memory_bytes;
    uint64_t seed;
    uint32_t warmup, batch, samples;
    enum preempt_choice preempt;
    int self_test;
    bool simulate; /* PLAN_SIMULATE */
};

/*
 * Resolves a layout and a workload into a plan with the SIP images read from paths->image_dir.
 * Impossible pairs (see docs/layouts.md) are diagnostics. Returns 0 and a malloc'ed plan.
 */
int plan_build(const struct config_paths *paths, const struct layout *layout,
               const struct workload *workload, const struct config_params *params,
               const struct plan_options *options, struct plan_header **out,
               struct config_diags *diags);

/*
 * The folder below image_dir, with its slash, whose kernel and SIP images the plan's mechanisms need:
 * "" for the usual ones, "retpoline/" or "cet/".
 */
const char *plan_image_variant(const struct plan_header *plan);

/* Mechanisms as a layout writes them, "tag: pcid, on-switch: [ibpb, rsb-fill]", or "-". Returns `text`. */
#define MECHANISMS_TEXT_BYTES 320
const char *mechanisms_text(uint64_t mechanisms, char text[MECHANISMS_TEXT_BYTES]);

/* The resolved picture of a plan, as text or as Graphviz. */
void plan_explain(const struct plan_header *plan, FILE *to);
void plan_dot(const struct plan_header *plan, FILE *to);

/* The nearest of `count` names to `word` for a did-you-mean, or NULL when none is near. */
const char *config_nearest(const char *word, const char *const *names, size_t count);

/* Names of the files in data_dir/KIND (without .yaml), sorted; free each and the array. */
int config_list(const struct config_paths *paths, const char *kind, char ***names, size_t *count);

#endif
