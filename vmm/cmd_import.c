/* bulkhead import: a result set of what machines without a host printed. metal_log.c reads that. */
#include "cell.h"
#include "command.h"
#include "metal.h"
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_HOST = 256
};

struct arguments {
    char **log;
    size_t logs;
    const char *out, *host;
};

struct import {
    const struct arguments *arguments;
    struct metal_log log;
    struct cell_outcome *outcome; /* one for each boot */
    json_t *manifest;
    const char *experiment; /* of all cells, when they have one in common */
};

static error_t parse(int key, char *text, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case 'o':
        arguments->out = text;
        return 0;
    case KEY_HOST:
        if (strlen(text) >= sizeof(((struct record *)NULL)->host))
            argp_error(state, "--host takes a name of at most %zu characters",
                       sizeof(((struct record *)NULL)->host) - 1);
        arguments->host = text;
        return 0;
    case ARGP_KEY_ARGS:
        arguments->log = state->argv + state->next;
        arguments->logs = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (!arguments->logs)
            argp_error(state, "name a log of a machine's serial port");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define WRONG(boot, format, ...)                                                                   \
    error_set(error, -EINVAL, "%s:%zu: " format, (boot)->name, (boot)->line, ##__VA_ARGS__)

/* ---- one boot ---- */

static const char *text_of(const json_t *about, const char *key) {
    return json_string_value(json_object_get(about, key));
}

static int params_take(const json_t *cell, struct config_params *params) {
    json_t *from = json_object_get(cell, "params"), *value;
    const char *name;
    if (!json_is_object(from) || json_object_size(from) > PLAN_MAX_PARAMS)
        return -EINVAL;
    json_object_foreach(from, name, value) {
        char text[128];
        snprintf(text, sizeof(text), "%s=%" JSON_INTEGER_FORMAT, name, json_integer_value(value));
        if (!json_is_integer(value) || command_set(params, text))
            return -EINVAL;
    }
    return 0;
}

static int same_cell(const struct record *a, const struct record *b) {
    return !strcmp(a->layout, b->layout) && !strcmp(a->workload, b->workload) &&
           record_params_equal(&a->params, &b->params);
}

/* What the records of the boot have in common. */
static int record_start(const struct import *import, size_t index, struct record *record,
                        struct error *error) {
    const struct metal_boot *boot = &import->log.boot[index];
    const json_t *cell = json_object_get(boot->about, METAL_CELL);
    const char *safety = text_of(cell, "safety");
    if (!boot->about)
        return WRONG(boot,
                     "this run never got as far as its plan, so that there is nothing to import: "
                     "%.200s",
                     ((struct result_header *)boot->region)->message);
    *record = (struct record){.experiment = import->experiment,
                              .layout = text_of(cell, "layout"),
                              .workload = text_of(cell, "workload"),
                              .kind = "",
                              .unit = metal_unit(&boot->machine),
                              .backend = METAL_BACKEND,
                              .status = "failed",
                              .reason = "-"};
    snprintf(record->trust, sizeof(record->trust), "%s",
             backend_trust_name(metal_trust(&boot->machine, record->note, sizeof(record->note))));
    snprintf(record->safety, sizeof(record->safety), "%s", safety ? safety : "");
    snprintf(record->host, sizeof(record->host), "%s", import->arguments->host);
    char why[128] = "it does not tell its layout, workload and parameters";
    if (!record->experiment || !record->layout || !record->workload ||
        params_take(cell, &record->params) || record_check(record, why, sizeof(why)))
        return WRONG(boot, "what this run says about itself is wrong: %s", why);
    record->status = "ok";
    record->reason[0] = '\0';
    for (size_t i = 0; i < index; i++)
        if (same_cell(&import->outcome[i].record[0], record))
            record->boot++;
    return 0;
}

static int boot_conclude(struct import *import, size_t index, struct error *error) {
    static char nothing[] = "";
    const struct metal_boot *boot = &import->log.boot[index];
    const json_t *cell = json_object_get(boot->about, METAL_CELL);
    const struct boot_result ended = {.console = nothing, .how_ended = "the run ended"};
    const struct cell_rules rules = {.may_simulate =
                                         json_is_true(json_object_get(cell, "simulate"))};
    struct cell_outcome *outcome = &import->outcome[index];
    struct record start;
    int status = record_start(import, index, &start, error);
    if (!status)
        status = cell_conclude(&start, &ended, boot->region, boot->bytes, &rules, outcome, error);
    for (size_t i = 0; !status && i < outcome->count; i++)
        if (record_measured(&outcome->record[i]) && !outcome->record[i].oracle &&
            json_is_true(json_object_get(cell, "oracle"))) {
            cell_outcome_fail(outcome, "no answer: the workload says oracle: checksum");
            break;
        }
    return status;
}

/* ---- the manifest ---- */

/* Figures of two machines, or of two makes of the kernel, do not belong into one set. */
static int boots_agree(const struct import *import, struct error *error) {
    static const char *const alike[] = {"commit",  "seed",         "warmup",  "batch",
                                        "samples", "memory_bytes", "preempt", "build"};
    const struct metal_boot *first = &import->log.boot[0];
    json_t *host = metal_host(&first->machine, "");
    int status = 0;
    for (size_t i = 1; !status && i < import->log.count; i++) {
        const struct metal_boot *boot = &import->log.boot[i];
        json_t *other = metal_host(&boot->machine, "");
        if (!json_equal(host, other) ||
            first->machine.counts_instructions != boot->machine.counts_instructions)
            status = WRONG(boot, "another machine than at %s:%zu; import its log apart",
                           first->name, first->line);
        json_decref(other);
        for (size_t k = 0; !status && k < sizeof(alike) / sizeof(alike[0]); k++)
            if (!json_equal(json_object_get(first->about, alike[k]),
                            json_object_get(boot->about, alike[k])))
                status = WRONG(boot,
                               "another %s than at %s:%zu: figures of both would mix; import "
                               "the logs apart",
                               alike[k], first->name, first->line);
    }
    json_decref(host);
    return status;
}

/* Adds to the array or object under the key what the other has and it lacks. */
static void member_merge(json_t *to, const json_t *from, const char *key) {
    json_t *mine = json_object_get(to, key), *other = json_object_get(from, key), *value, *known;
    size_t i, k;
    if (json_is_object(mine) && json_is_object(other))
        json_object_update_missing(mine, other);
    if (!json_is_array(mine) || !json_is_array(other))
        return;
    json_array_foreach(other, i, value) {
        json_array_foreach(mine, k, known) {
            if (json_equal(known, value))
                break;
        }
        if (k == json_array_size(mine))
            json_array_append(mine, value);
    }
}

static void manifest_make(struct import *import) {
    static const char *const merged[] = {"layouts", "workloads", "images", "files", "resolved"};
    const struct metal_boot *first = &import->log.boot[0];
    json_t *manifest = json_deep_copy(first->about);
    uint32_t repeats = 1;
    for (size_t i = 0; i < import->log.count; i++) {
        uint32_t boots = import->outcome[i].record[0].boot + 1;
        repeats = boots > repeats ? boots : repeats;
        for (size_t k = 0; k < sizeof(merged) / sizeof(merged[0]); k++)
            member_merge(manifest, import->log.boot[i].about, merged[k]);
    }
    char note[sizeof(((struct record *)NULL)->note)], version[METAL_TEXT_BYTES + 16];
    enum backend_trust trust = metal_trust(&first->machine, note, sizeof(note));
    snprintf(version, sizeof(version), "multiboot2, %s", first->machine.loader);
    json_object_del(manifest, METAL_CELL);
    json_object_set_new(manifest, "experiment", json_string(import->experiment));
    json_object_set_new(manifest, "backend", json_string(METAL_BACKEND));
    json_object_set_new(manifest, "backend_version", json_string(version));
    json_object_set_new(manifest, "unit", json_string(metal_unit(&first->machine)));
    json_object_set_new(manifest, "trust", json_string(backend_trust_name(trust)));
    json_object_set_new(manifest, "note", json_string(note));
    json_object_set_new(manifest, "repeats", json_integer(repeats));
    json_object_set_new(manifest, "cells", json_integer((json_int_t)import->log.count));
    json_object_set_new(manifest, "host", metal_host(&first->machine, import->arguments->host));
    import->manifest = manifest;
}

/* ---- the set ---- */

static int set_write(struct import *import, const char *dir, struct error *error) {
    struct result_set *set;
    json_t *manifest = import->manifest;
    import->manifest = NULL; /* the set takes it, whatever comes */
    int status = result_set_create(&set, dir, 0, manifest, error);
    if (status)
        return status;
    for (size_t i = 0; i < import->log.count && !status; i++)
        for (size_t k = 0; k < import->outcome[i].count && !status; k++)
            status = result_set_append(set, &import->outcome[i].record[k], error);
    struct error finish_error;
    int finished = result_set_finish(set, !status, status ? &finish_error : error);
    return status ? status : finished;
}

/* All that can be wrong is found before anything is written. */
static int import_prepare(struct import *import, struct error *error) {
    import->outcome = calloc(import->log.count, sizeof(*import->outcome));
    if (!import->outcome)
        return error_set(error, -ENOMEM, "out of memory for records");
    import->experiment = text_of(import->log.boot[0].about, "experiment");
    for (size_t i = 1; i < import->log.count; i++) {
        const char *other = text_of(import->log.boot[i].about, "experiment");
        if (import->experiment && other && strcmp(import->experiment, other))
            import->experiment = METAL_BACKEND;
    }
    int status = 0;
    for (size_t i = 0; i < import->log.count && !status; i++)
        status = boot_conclude(import, i, error);
    if (!status)
        status = boots_agree(import, error);
    if (!status)
        manifest_make(import);
    return status;
}

/* Counts the boots that ended so. */
static size_t boots_with(const struct import *import, const char *status) {
    size_t count = 0;
    for (size_t i = 0; i < import->log.count; i++)
        count += !strcmp(import->outcome[i].record[0].status, status);
    return count;
}

static void outcomes_tell(const struct import *import) {
    for (size_t i = 0; i < import->log.count; i++) {
        const struct record *record = &import->outcome[i].record[0];
        if (strcmp(record->status, "ok"))
            fprintf(stderr, "bulkhead: %s %s: %s: %s\n", record->layout, record->workload,
                    record->status, record->reason);
    }
    char note[sizeof(((struct record *)NULL)->note)];
    enum backend_trust trust = metal_trust(&import->log.boot[0].machine, note, sizeof(note));
    if (trust != TRUST_REAL)
        fprintf(stderr, "bulkhead: the clock is %s: %s\n", backend_trust_name(trust), note);
    fprintf(stderr, "bulkhead: %zu boots ok, ", boots_with(import, "ok"));
    if (boots_with(import, "simulated"))
        fprintf(stderr, "%zu simulated, ", boots_with(import, "simulated"));
    fprintf(stderr, "%zu unavailable, %zu failed\n", boots_with(import, "unavailable"),
            boots_with(import, "failed"));
}

static void out_name(const struct import *import, char *dir, size_t bytes) {
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    if (import->arguments->out) {
        snprintf(dir, bytes, "%s", import->arguments->out);
        return;
    }
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    int length = snprintf(dir, bytes, "results/%s-" METAL_BACKEND "-%s", import->experiment, stamp);
    for (int i = 2; !access(dir, F_OK) && length < (int)bytes; i++)
        snprintf(dir + length, bytes - (size_t)length, "-%d", i);
}

static int import_logs(const struct arguments *arguments) {
    struct import import = {.arguments = arguments};
    struct error error = {""};
    char dir[PATH_MAX];
    int status = metal_log_read(arguments->log, arguments->logs, &import.log, &error);
    if (!status)
        status = import_prepare(&import, &error);
    if (!status) {
        out_name(&import, dir, sizeof(dir));
        status = set_write(&import, dir, &error);
    }
    int failed = 0;
    if (status) {
        fprintf(stderr, "bulkhead: %s\n", error.text);
    } else {
        outcomes_tell(&import);
        puts(dir);
        failed = boots_with(&import, "failed") != 0;
    }
    for (size_t i = 0; import.outcome && i < import.log.count; i++)
        cell_outcome_free(&import.outcome[i]);
    free(import.outcome);
    json_decref(import.manifest);
    metal_log_free(&import.log);
    if (status == -ENOMEM || status == -ENOSPC || status == -EIO)
        return STATUS_HOST;
    return status ? STATUS_INPUT : failed ? STATUS_GUEST : STATUS_DONE;
}

static const struct argp_option options[] = {
    {"host", KEY_HOST, "NAME", 0, "What the machine is called; default: " METAL_BACKEND, 0},
    {"out", 'o', "DIR", 0, "Result folder; default: results/EXPERIMENT-metal-TIME", 0},
    {0},
};

int cmd_import(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "LOG...",
        "Makes a result set of logs of the serial port of a machine that ran images of bulkhead "
        "iso: each boot in them is a boot of its cell.",
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {.host = METAL_BACKEND};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    return import_logs(&arguments);
}
