/*
 * The order of boots, the threads that wait for guests, and the check that every layout gave the
 * same answer where the workload says so. A record is written when all before it are, so that the same seed gives the same
 * file.
 */
#include "batch.h"
#include "cell.h"
#include "progress.h"
#include "shuffle.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAIL_LINES 16

struct task { /* one boot of one cell */
    size_t cell;
    uint32_t boot;
    int done;
    struct cell_outcome outcome;
};

struct batch {
    const struct run *run;
    struct result_set *set;
    const volatile int *cancel;
    struct batch_totals *totals;
    struct progress progress;
    struct error *error;

    pthread_mutex_t lock; /* guards all below */
    struct task *task;
    size_t count;
    size_t next;           /* first task that nobody has taken */
    size_t written;        /* tasks whose records are in the set */
    int status;            /* the first error; no task is taken after it */
    struct record *answer; /* the first record of each operation, for its oracle; without samples */
    size_t answers, answers_room;
};

static void task_name(const struct record *record, char *text, size_t bytes) {
    int length = snprintf(text, bytes, "%s %s", record->layout, record->workload);
    for (size_t i = 0; i < record->params.count && length < (int)bytes; i++)
        length += snprintf(text + length, bytes - (size_t)length, " %s=%lld",
                           record->params.item[i].name, (long long)record->params.item[i].value);
}

/* Keeps the record as the answer that later ones are compared with. */
static int answer_keep(struct batch *batch, const struct record *record) {
    if (batch->answers == batch->answers_room) {
        size_t room = batch->answers_room ? batch->answers_room * 2 : 64;
        struct record *grown = realloc(batch->answer, room * sizeof(*grown));
        if (!grown)
            return error_set(batch->error, -ENOMEM, "out of memory");
        batch->answer = grown;
        batch->answers_room = room;
    }
    struct record *kept = &batch->answer[batch->answers++];
    *kept = *record;
    kept->samples = NULL;
    return 0;
}

/*
 * Compares with the answer to the same work in another layout, or keeps this one as the first.
 * Returns -EBADMSG and the reason when it is none or another.
 */
static int answer_check(struct batch *batch, const struct record *record, char *reason,
                        size_t bytes) {
    if (!record->oracle) {
        snprintf(reason, bytes,
                 "no answer: workload %.32s says oracle: checksum, but %.32s reported none",
                 record->workload, record->op);
        return -EBADMSG;
    }
    for (size_t i = 0; i < batch->answers; i++) {
        const struct record *first = &batch->answer[i];
        if (strcmp(first->workload, record->workload) || strcmp(first->op, record->op) ||
            !record_params_equal(&first->params, &record->params))
            continue;
        if (first->oracle == record->oracle)
            return 0;
        snprintf(reason, bytes, "wrong answer: %.32s gave %#llx, and %#llx in layout %.32s",
                 record->op, (unsigned long long)record->oracle, (unsigned long long)first->oracle,
                 first->layout);
        return -EBADMSG;
    }
    return answer_keep(batch, record);
}

/* The answers that an earlier part of the run gave. */
static int answers_resume(struct batch *batch, const struct result_data *earlier) {
    int status = 0;
    for (size_t i = 0; earlier && !status && i < earlier->count; i++)
        if (record_measured(&earlier->record[i]) && earlier->record[i].oracle)
            status = answer_keep(batch, &earlier->record[i]);
    return status;
}

/* The end of a failed guest's console on stderr: a panic, or the state of the CPU. */
static void log_tail_print(const char *log) {
    const char *at = log + strlen(log);
    for (int lines = 0; at > log && lines <= TAIL_LINES; at--)
        lines += at[-1] == '\n';
    while (*at == '\n')
        at++;
    while (*at) {
        int length = (int)strcspn(at, "\n");
        fprintf(stderr, "    guest: %.*s\n", length, at);
        at += length + (at[length] == '\n');
    }
}

/* Writes one finished task's records. Under the lock. */
static int task_write(struct batch *batch, struct task *task) {
    struct cell_outcome *outcome = &task->outcome;
    char reason[sizeof(outcome->record->reason)], name[256];
    int compared =
        workload_oracle(experiment_cell_at(batch->run->experiment, task->cell)->workload);
    for (size_t i = 0; compared && i < outcome->count; i++) {
        if (!record_measured(&outcome->record[i]))
            continue;
        int status = answer_check(batch, &outcome->record[i], reason, sizeof(reason));
        if (status == -ENOMEM)
            return status;
        if (status)
            cell_outcome_fail(outcome, reason);
    }
    const struct record *record = &outcome->record[0];
    task_name(record, name, sizeof(name));
    if (batch->run->options->self_test && outcome->log) {
        progress_clear(&batch->progress);
        printf("# %s, boot %u\n%s", name, task->boot, outcome->log);
        fflush(stdout);
    }
    if (!strcmp(record->status, "ok")) {
        batch->totals->ok++;
    } else if (!strcmp(record->status, "simulated")) {
        batch->totals->simulated++;
    } else {
        if (!strcmp(record->status, "failed"))
            batch->totals->failed++;
        else
            batch->totals->unavailable++;
        progress_clear(&batch->progress);
        fprintf(stderr, "bulkhead: %s: %s: %s\n", name, record->status, record->reason);
        if (!strcmp(record->status, "failed") && outcome->log && !batch->run->options->verbose)
            log_tail_print(outcome->log);
    }
    for (size_t i = 0; i < outcome->count; i++) {
        int status = result_set_append(batch->set, &outcome->record[i], batch->error);
        if (status)
            return status;
    }
    progress_step(&batch->progress, name, record->status);
    return 0;
}

static struct cell cell_of(const struct batch *batch, const struct task *task) {
    const struct run *run = batch->run;
    return (struct cell){.experiment = run->settings.name,
                         .config = experiment_cell_at(run->experiment, task->cell),
                         .plan = run->plan[task->cell],
                         .kernel_path = kernels_path(&run->kernels, run->plan[task->cell]),
                         .backend = run->backend,
                         .info = &run->info,
                         .options = &run->options->backend_options,
                         .memory_bytes = run->settings.memory_bytes,
                         .timeout_ms = run->settings.timeout_s * 1000u,
                         .verbose = run->options->verbose,
                         .cancel = batch->cancel};
}

static void *batch_work(void *argument) {
    struct batch *batch = argument;
    pthread_mutex_lock(&batch->lock);
    while (!batch->status && batch->next < batch->count) {
        struct task *task = &batch->task[batch->next++];
        struct cell cell = cell_of(batch, task);
        struct error error = {""};
        pthread_mutex_unlock(&batch->lock);
        int status = *batch->cancel ? -EINTR : cell_boot(&cell, task->boot, &task->outcome, &error);
        pthread_mutex_lock(&batch->lock);
        task->done = !status;
        if (status && !batch->status) {
            batch->status = status;
            *batch->error = error;
        }
        while (batch->written < batch->count && batch->task[batch->written].done) {
            struct task *ready = &batch->task[batch->written++];
            status = batch->status && batch->status != -EINTR ? 0 : task_write(batch, ready);
            if (status)
                batch->status = status;
            cell_outcome_free(&ready->outcome);
        }
    }
    pthread_mutex_unlock(&batch->lock);
    return NULL;
}

/* Lays out the tasks of all rounds, less those that the set already holds. */
static int tasks_fill(struct batch *batch) {
    const struct run *run = batch->run;
    size_t cells = experiment_cell_count(run->experiment);
    size_t *order = calloc(cells ? cells : 1, sizeof(*order));
    batch->task = calloc(cells * run->boots + 1, sizeof(*batch->task));
    if (!order || !batch->task) {
        free(order);
        return error_set(batch->error, -ENOMEM, "out of memory for the list of boots");
    }
    uint64_t random = run->settings.seed;
    for (uint32_t boot = 0; boot < run->boots; boot++) {
        shuffle_order(order, cells, &random);
        for (size_t i = 0; i < cells; i++) {
            const struct experiment_cell *cell = experiment_cell_at(run->experiment, order[i]);
            if (result_set_has(batch->set, layout_name(cell->layout), workload_name(cell->workload),
                               &cell->params, boot))
                batch->totals->skipped++;
            else
                batch->task[batch->count++] = (struct task){.cell = order[i], .boot = boot};
        }
    }
    free(order);
    return 0;
}

static unsigned jobs_find(const struct run *run) {
    if (!run->info.count_exact)
        return 1; /* guests that run beside each other would spoil each other's time */
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return run->options->jobs ? run->options->jobs : processors > 0 ? (unsigned)processors : 1;
}

/* Works through the tasks with that many threads, this one among them. */
static int tasks_work(struct batch *batch, unsigned jobs) {
    pthread_t *thread = calloc(jobs, sizeof(*thread));
    unsigned started = 0;
    if (!thread)
        return error_set(batch->error, -ENOMEM, "out of memory for %u jobs", jobs);
    while (started + 1 < jobs && started + 1 < batch->count &&
           !pthread_create(&thread[started], NULL, batch_work, batch))
        started++;
    batch_work(batch); /* so a run goes on even where no other thread can be had */
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    return batch->status;
}

int batch_run(const struct run *run, struct result_set *set, const struct result_data *earlier,
              const volatile int *cancel, struct batch_totals *totals, struct error *error) {
    struct batch batch = {.run = run,
                          .set = set,
                          .cancel = cancel,
                          .totals = totals,
                          .error = error,
                          .lock = PTHREAD_MUTEX_INITIALIZER};
    *totals = (struct batch_totals){0};
    int status = tasks_fill(&batch);
    if (!status)
        status = answers_resume(&batch, earlier);
    progress_start(&batch.progress, batch.count);
    if (!status)
        status = tasks_work(&batch, jobs_find(run));
    progress_clear(&batch.progress);
    for (size_t i = 0; i < batch.count; i++)
        cell_outcome_free(&batch.task[i].outcome);
    free(batch.task);
    free(batch.answer);
    return status;
}
