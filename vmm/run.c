/*
 * One run from start to end: chooses the backend, builds every plan before the first boot, opens
 * the result set, and turns what came of it into an exit status. The boots are batch.c's.
 */
#include "run.h"
#include "batch.h"
#include "command.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile int cancel_signal;

static void cancel_note(int signal) { cancel_signal = signal; }

static void cancel_listen(void) {
    struct sigaction action = {.sa_handler = cancel_note}, before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, &before);
    if (before.sa_handler == SIG_IGN) /* under nohup */
        sigaction(SIGHUP, &before, NULL);
}

static int backend_take(const struct run_options *options, const struct backend *backend,
                        struct backend_info *info) {
    backend->probe(&options->backend_options, info);
    if (info->usable)
        return STATUS_DONE;
    if (!info->boots || !options->allow_untrusted) {
        fprintf(stderr, "bulkhead: %s is not usable here: %s\n", backend->name, info->why);
        return STATUS_HOST;
    }
    fprintf(stderr, "bulkhead: %s is not to be trusted here: %s\n", backend->name, info->why);
    info->trust = TRUST_EMULATED;
    return STATUS_DONE;
}

/* The named backend, or the first that is usable for "auto". Returns an enum command_status. */
static int backend_choose(const struct run_options *options, const struct backend **backend,
                          struct backend_info *info) {
    if (strcmp(options->backend, "auto")) {
        *backend = backend_find(options->backend);
        return backend_take(options, *backend, info);
    }
    char skipped[1024] = "";
    for (size_t i = 0; backend_all[i]; i++) {
        backend_all[i]->probe(&options->backend_options, info);
        if (info->usable) {
            *backend = backend_all[i];
            if (skipped[0])
                fprintf(stderr, "bulkhead: taking %s, since %s\n", (*backend)->name, skipped);
            return STATUS_DONE;
        }
        size_t length = strlen(skipped);
        snprintf(skipped + length, sizeof(skipped) - length, "%s%s is not usable here: %s",
                 length ? "; " : "", backend_all[i]->name, info->why);
    }
    fprintf(stderr, "bulkhead: no backend is usable: %s\n", skipped);
    return STATUS_HOST;
}

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
                                   .self_test = run->options->self_test};
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

/*
 * Copies the guest kernel into an unnamed file, whose path goes to run->kernel_path: a build in the
 * middle of a run changes nothing, and the hash in the manifest is that of what was booted. Returns
 * its descriptor, or -1 after a message.
 */
static int kernel_hold(struct run *run) {
    char path[PATH_MAX];
    struct stat about;
    snprintf(path, sizeof(path), "%s/kernel.elf", run->paths->image_dir);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &about) < 0) {
        fprintf(stderr,
                "bulkhead: there is no guest kernel %s; build the project, or set "
                "BULKHEAD_IMAGES to where its images are\n",
                path);
        if (from >= 0)
            close(from);
        return -1;
    }
    int held = memfd_create("bulkhead-kernel", MFD_CLOEXEC);
    off_t left = about.st_size;
    while (held >= 0 && left > 0) {
        ssize_t moved = sendfile(held, from, NULL, (size_t)left);
        if (moved <= 0)
            break;
        left -= moved;
    }
    close(from);
    if (held < 0 || left) {
        fprintf(stderr, "bulkhead: cannot read %s: %s\n", path, strerror(errno));
        if (held >= 0)
            close(held);
        return -1;
    }
    snprintf(run->kernel_path, sizeof(run->kernel_path), "/proc/%d/fd/%d", (int)getpid(), held);
    return held;
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
    fprintf(stderr, "bulkhead: %zu boots ok, %zu unavailable, %zu failed\n", totals.ok,
            totals.unavailable, totals.failed);
    return totals.failed ? STATUS_GUEST : STATUS_DONE;
}

int run_experiment(const struct config_paths *paths, const struct experiment *experiment,
                   const struct experiment_settings *settings, const struct run_options *options,
                   char *dir, size_t dir_bytes) {
    struct run run = {
        .paths = paths, .experiment = experiment, .settings = *settings, .options = options};
    dir[0] = '\0';
    int kernel = kernel_hold(&run);
    if (kernel < 0)
        return STATUS_INPUT;
    int status = plans_build(&run); /* before the probes: bad input is bad on any host */
    if (!status)
        status = backend_choose(options, &run.backend, &run.info);
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
    close(kernel);
    return status;
}
