/*
 * One run from start to end: builds every plan before the first boot, has a backend chosen, opens
 * the result set, and turns what came of it into an exit status. The boots are batch.c's.
 */
#include "run.h"
#include "batch.h"
#include "cancel.h"
#include "command.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Adds those of `from` that are not yet in `to`: cells of one pair share their problems. */
static void diags_merge(struct config_diags *to, const struct config_diags *from) {
    for (size_t i = 0; i < from->count; i++) {
        const struct config_diag *diag = &from->item[i];
        size_t known = 0;
        while (known < to->count && (strcmp(to->item[known].text, diag->text) ||
                                     strcmp(to->item[known].file, diag->file)))
            known++;
        if (known == to->count)
            config_diag_add(to, diag->file, diag->line, diag->column, "%s", diag->text);
    }
}

static int plans_build(struct run *run) {
    size_t cells = experiment_cell_count(run->experiment);
    struct config_diags all = {0};
    struct plan_options options = {.memory_bytes = run->settings.memory_bytes,
                                   .seed = run->settings.seed,
                                   .warmup = run->settings.warmup,
                                   .batch = run->settings.batch,
                                   .samples = run->settings.samples,
                                   .preempt = run->settings.preempt,
                                   .self_test = run->options->self_test,
                                   .simulate = run->options->simulate};
    run->plan = calloc(cells + 1, sizeof(void *));
    int failed = !run->plan;
    for (size_t i = 0; run->plan && i < cells; i++) {
        const struct experiment_cell *cell = experiment_cell_at(run->experiment, i);
        struct config_diags own = {0};
        if (plan_build(run->paths, cell->layout, cell->workload, &cell->params, &options,
                       &run->plan[i], &own))
            failed = 1;
        diags_merge(&all, &own);
        config_diags_free(&own);
    }
    config_diags_print(&all, stderr);
    config_diags_free(&all);
    return failed ? STATUS_INPUT : STATUS_DONE;
}

static void plans_free(struct run *run) {
    for (size_t i = 0; run->plan && i < experiment_cell_count(run->experiment); i++)
        free(run->plan[i]);
    free(run->plan);
}

/* results/EXPERIMENT-BACKEND-TIME, with a number behind it when that is taken. */
static void out_name(const struct run *run, char *dir, size_t bytes) {
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    int length =
        snprintf(dir, bytes, "results/%s-%s-%s", run->settings.name, run->backend->name, stamp);
    for (int i = 2; !access(dir, F_OK) && length < (int)bytes; i++)
        snprintf(dir + length, bytes - (size_t)length, "-%d", i);
}

/* Holds the kernel of each plan, before the probes: what is missing is missing on any host. */
static int kernels_take(struct run *run) {
    struct error error = {""};
    for (size_t i = 0; i < experiment_cell_count(run->experiment); i++)
        if (!kernels_hold(&run->kernels, run->paths, run->plan[i], &error)) {
            fprintf(stderr, "bulkhead: %s\n", error.text);
            return STATUS_INPUT;
        }
    return STATUS_DONE;
}

/* `dir` becomes empty where no set could be opened. */
static int run_batch(struct run *run, char *dir) {
    struct error error = {""};
    struct result_set *set = NULL;
    struct result_data *earlier = NULL;
    int status = result_set_create(&set, dir, run->options->resume, run_manifest(run), &error);
    if (!status && run->options->resume && (status = result_set_load(dir, &earlier, &error)))
        result_set_finish(set, 0, &(struct error){""});
    if (status) {
        fprintf(stderr, "bulkhead: %s\n", error.text);
        dir[0] = '\0';
        return STATUS_INPUT;
    }
    struct batch_totals totals;
    cancel_listen();
    status = batch_run(run, set, earlier, &cancel_signal, &totals, &error);
    result_data_free(earlier);
    struct error finish_error = {""};
    int finished = result_set_finish(set, !status, &finish_error);
    if (totals.skipped)
        fprintf(stderr, "bulkhead: %zu boots were already in %s\n", totals.skipped, dir);
    if (status == -EINTR) {
        fprintf(stderr, "bulkhead: interrupted; %s is incomplete, --resume --out %s goes on\n", dir,
                dir);
        return 128 + cancel_signal;
    }
    if (status || finished) {
        fprintf(stderr, "bulkhead: %s\n", status ? error.text : finish_error.text);
        return STATUS_HOST;
    }
    fprintf(stderr, "bulkhead: %zu boots ok, ", totals.ok);
    if (totals.simulated)
        fprintf(stderr, "%zu simulated, ", totals.simulated);
    fprintf(stderr, "%zu unavailable, %zu failed\n", totals.unavailable, totals.failed);
    return totals.failed ? STATUS_GUEST : STATUS_DONE;
}

int run_experiment(const struct config_paths *paths, const struct experiment *experiment,
                   const struct experiment_settings *settings, const struct run_options *options,
                   char *dir, size_t dir_bytes) {
    struct run run = {
        .paths = paths, .experiment = experiment, .settings = *settings, .options = options};
    dir[0] = '\0';
    int status = plans_build(&run); /* before the probes: bad input is bad on any host */
    if (!status)
        status = kernels_take(&run);
    if (!status)
        status =
            backend_choose(&options->backend, &options->backend_options, &run.backend, &run.info);
    if (!status) {
        run.boots = run.info.count_exact ? 1 : settings->repeats;
        if (options->out)
            snprintf(dir, dir_bytes, "%s", options->out);
        else
            out_name(&run, dir, dir_bytes);
        status = run_batch(&run, dir);
        if (dir[0])
            puts(dir);
        fflush(stdout);
    }
    plans_free(&run);
    kernels_close(&run.kernels);
    return status;
}
