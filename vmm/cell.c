/*
 * One boot of one cell: runs the backend, judges what the guest left behind, makes records. The
 * order of cells, and writing records, are for run.c.
 */
#include "cell.h"
#include "mechanism.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kind_name[] = {
    [RESULT_SINGLE] = "single", [RESULT_ONE_WAY] = "one-way", [RESULT_ROUND_TRIP] = "round-trip"};

const char *cell_safety(const struct plan_header *plan) {
    static const char *const word[] = {[PLAN_SAFETY_UNCHECKED] = "unchecked",
                                       [PLAN_SAFETY_CHECKED] = "checked",
                                       [PLAN_SAFETY_MASKED] = "masked"};
    const struct plan_sip *sip = plan_at(plan, plan->sips);
    const struct plan_image *image = plan_at(plan, plan->images);
    for (uint32_t i = 1; i < plan->sips.count; i++)
        if (image[sip[i].image].safety != image[sip[0].image].safety)
            return "mixed";
    return plan->sips.count ? word[image[sip[0].image].safety] : "";
}

static void record_start(const struct cell *cell, uint32_t boot, struct record *record) {
    *record = (struct record){.experiment = cell->experiment,
                              .layout = layout_name(cell->config->layout),
                              .workload = workload_name(cell->config->workload),
                              .params = cell->config->params,
                              .kind = "",
                              .unit = cell->info->unit,
                              .backend = cell->backend->name,
                              .boot = boot,
                              .status = "ok"};
    snprintf(record->trust, sizeof(record->trust), "%s", backend_trust_name(cell->info->trust));
    snprintf(record->safety, sizeof(record->safety), "%s", cell_safety(cell->plan));
    if (gethostname(record->host, sizeof(record->host)))
        record->host[0] = '\0';
    record->host[sizeof(record->host) - 1] = '\0';
}

static void records_free(struct cell_outcome *outcome) {
    for (size_t i = 0; i < outcome->count; i++)
        free(outcome->record[i].samples);
    outcome->count = 0;
}

void cell_outcome_free(struct cell_outcome *outcome) {
    records_free(outcome);
    free(outcome->record);
    free(outcome->log);
    *outcome = (struct cell_outcome){0};
}

static void outcome_refuse(struct cell_outcome *outcome, const char *status, const char *reason) {
    records_free(outcome);
    struct record *record = &outcome->record[0];
    record->op[0] = record->note[0] = '\0';
    record->kind = "";
    record->status = status;
    record->samples = NULL;
    record->n = 0;
    record->has_events = 0;
    record->oracle = 0;
    record->overhead = 0;
    snprintf(record->reason, sizeof(record->reason), "%s", reason);
    outcome->count = 1;
}

void cell_outcome_fail(struct cell_outcome *outcome, const char *reason) {
    outcome_refuse(outcome, "failed", reason);
}

static void note_add(struct record *record, const char *text) {
    size_t length = strlen(record->note);
    snprintf(record->note + length, sizeof(record->note) - length, "%s%s", length ? "; " : "",
             text);
}

/* An operation that the guest did not measure, because the CPU lacks what it needs. */
static void record_lacking(const struct record *start, const struct result_op *op,
                           struct record *record) {
    char names[256];
    *record = *start;
    snprintf(record->op, sizeof(record->op), "%s", op->name);
    record->kind = kind_name[op->kind & ~RESULT_OUTSIDE];
    record->status = "unavailable";
    mechanism_features_text((uint32_t)op->oracle, names, sizeof(names));
    snprintf(record->reason, sizeof(record->reason), "needs %s", names);
}

/* Turns the operations of a finished guest into records. */
static int records_fill(const struct record *start, const struct result *result, int count_exact,
                        struct cell_outcome *outcome, struct error *error) {
    for (uint32_t i = 0; i < result->header.ops; i++) {
        const struct result_op *op = &result->header.op[i];
        struct record *record = &outcome->record[outcome->count];
        struct cell_figures figures;
        if (count_exact && op->kind & RESULT_OUTSIDE)
            continue;
        if (!op->samples) {
            record_lacking(start, op, record);
            outcome->count++;
            continue;
        }
        int status = cell_figures(op, result->values[i], count_exact, &figures, error);
        if (status)
            return status;
        *record = *start;
        snprintf(record->op, sizeof(record->op), "%s", op->name);
        record->kind = kind_name[op->kind & ~RESULT_OUTSIDE];
        record->samples = figures.sample;
        record->n = op->samples;
        record->overhead = figures.overhead;
        record->oracle = op->oracle;
        record->has_events = 1;
        for (size_t event = 0; event < RESULT_EVENTS_NAMED; event++)
            record->events[event] = (double)op->events[event] / (double)op->operations;
        if (!op->overheads)
            note_add(record, "no overhead was measured");
        else if (figures.noisy)
            note_add(record, "the overhead's quartiles are more than 5 % of its median apart");
        if (result->header.simulated) {
            record->status = "simulated";
            mechanism_set_text(result->header.simulated, result->header.cpu_features,
                               record->reason, sizeof(record->reason));
        }
        outcome->count++;
    }
    return 0;
}

/* The first SIP that ended badly, as a sentence; empty when there is none. */
static void sip_report_describe(const struct result_header *header, char *text, size_t bytes) {
    const struct result_sip *sip = &header->sip[0];
    text[0] = '\0';
    if (!header->sip_reports)
        return;
    snprintf(text, bytes, "%s; SIP %s: %s at %#llx, rip +%#llx%s%s", header->message, sip->sip,
             sip->kind, (unsigned long long)sip->address, (unsigned long long)sip->rip,
             sip->function[0] ? " in " : "", sip->function);
}

/* The last line of the console that says something: where a guest tells why it gave up. */
static void last_line(const char *log, char *text, size_t bytes) {
    const char *end = log + strlen(log);
    while (end > log && end[-1] == '\n')
        end--;
    const char *start = end;
    while (start > log && start[-1] != '\n')
        start--;
    snprintf(text, bytes, "%.*s", (int)(end - start), start);
}

/*
 * The verdict on a guest that ended. Returns 0 when its figures count; else `reason` says why not
 * and *status_word is the record's status.
 */
static int guest_judge(int may_simulate, const struct boot_result *boot,
                       const struct result *result, int read_status, const struct error *error,
                       const char **status_word, char *reason, size_t bytes) {
    const struct result_header *header = &result->header;
    char names[256];
    *status_word = "failed";
    if (read_status) {
        char said[128];
        last_line(boot->console, said, sizeof(said));
        snprintf(reason, bytes, "%.200s; %.150s%s%s", boot->how_ended, error->text,
                 said[0] ? "; its last line: " : "", said);
    } else if (header->state == RESULT_UNAVAILABLE) {
        *status_word = "unavailable";
        snprintf(reason, bytes, "%s", header->message[0] ? header->message : "no reason given");
    } else if (header->state == RESULT_FAILED) {
        sip_report_describe(header, reason, bytes);
        if (!reason[0])
            snprintf(reason, bytes, "%s", header->message[0] ? header->message : "no reason given");
    } else if (boot->crashed || header->state != RESULT_DONE)
        snprintf(reason, bytes, "%s, while the guest was %s", boot->how_ended,
                 header->state == RESULT_NONE      ? "reading its plan"
                 : header->state == RESULT_RUNNING ? "running its SIPs"
                                                   : "done");
    else if (header->tests_failed)
        snprintf(reason, bytes, "%u of %u self-tests failed", header->tests_failed,
                 header->tests_run);
    else if (!header->ops)
        snprintf(reason, bytes, "the guest reported no measurement");
    else if (header->simulated && !may_simulate)
        snprintf(reason, bytes, "the guest simulated what it was not told to: %s",
                 mechanism_set_text(header->simulated, header->cpu_features, names, sizeof(names)));
    else
        return 0;
    return -1;
}

/* A guest may print anything; a terminal should not obey it. */
static void log_clean(char *log) {
    for (; log && *log; log++)
        if (!isprint((unsigned char)*log) && *log != '\n' && *log != '\t')
            *log = '?';
}

int cell_conclude(const struct record *start, const struct boot_result *boot, const void *region,
                  uint64_t bytes, const struct cell_rules *rules, struct cell_outcome *outcome,
                  struct error *error) {
    struct result result;
    const char *word;
    char reason[sizeof(start->reason)];
    *outcome = (struct cell_outcome){.record = calloc(RESULT_MAX_OPS, sizeof(struct record))};
    if (!outcome->record)
        return error_set(error, -ENOMEM, "out of memory for records");
    outcome->record[0] = *start;
    int status = result_read(region, bytes, &result, error);
    if (status != -ENOMEM && guest_judge(rules->may_simulate, boot, &result, status, error, &word,
                                         reason, sizeof(reason))) {
        outcome_refuse(outcome, word, reason);
        status = 0;
    } else if (!status) {
        status = records_fill(start, &result, rules->count_exact, outcome, error);
        if (status == -ERANGE) {
            cell_outcome_fail(outcome, error->text);
            status = 0;
        }
    }
    result_free(&result);
    return status;
}

static int boot_once(const struct cell *cell, uint32_t boot, struct cell_outcome *outcome,
                     struct error *error) {
    struct boot with = {.kernel_path = cell->kernel_path,
                        .plan = cell->plan,
                        .plan_bytes = cell->plan->total_bytes,
                        .memory_bytes = cell->memory_bytes,
                        .timeout_ms = cell->timeout_ms,
                        .verbose = cell->verbose,
                        .options = *cell->options,
                        .cancel = cell->cancel};
    struct cell_rules rules = {.count_exact = cell->info->count_exact,
                               .may_simulate = (cell->plan->flags & PLAN_SIMULATE) != 0};
    struct record start;
    struct boot_result ended;
    *outcome = (struct cell_outcome){0};
    record_start(cell, boot, &start);
    int status = cell->backend->run(&with, &ended, error);
    if (status == -EINTR || status == -ENOMEM)
        return status;
    if (status) {
        *outcome = (struct cell_outcome){.record = calloc(1, sizeof(struct record))};
        if (!outcome->record)
            return error_set(error, -ENOMEM, "out of memory for records");
        outcome->record[0] = start;
        cell_outcome_fail(outcome, error->text);
        return 0;
    }
    log_clean(ended.console);
    status = cell_conclude(
        &start, &ended,
        guest_memory_at(&ended.memory, cell->plan->result_pa, cell->plan->result_bytes),
        cell->plan->result_bytes, &rules, outcome, error);
    outcome->log = ended.console;
    ended.console = NULL; /* the outcome has it */
    boot_result_free(&ended);
    return status;
}

static int records_differ(const struct record *a, const struct record *b) {
    if (strcmp(a->op, b->op) || a->n != b->n || a->oracle != b->oracle ||
        a->overhead != b->overhead)
        return 1;
    for (size_t i = 0; i < RESULT_EVENTS_NAMED; i++)
        if (a->events[i] != b->events[i])
            return 1;
    return 0;
}

/* Says in `reason` where two boots differ. Returns 1 when they do. */
static int outcomes_differ(const struct cell_outcome *a, const struct cell_outcome *b, char *reason,
                           size_t bytes) {
    if (a->count != b->count || strcmp(a->record[0].status, b->record[0].status)) {
        snprintf(reason, bytes, "the second boot was %s%s%.300s, the first %s", b->record[0].status,
                 b->record[0].reason[0] ? ": " : "", b->record[0].reason, a->record[0].status);
        return 1;
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct record *first = &a->record[i], *second = &b->record[i];
        if (records_differ(first, second)) {
            snprintf(reason, bytes, "not exact: the second boot differs in %.32s", first->op);
            return 1;
        }
        for (uint32_t n = 0; n < first->n; n++)
            if (first->samples[n] != second->samples[n]) {
                snprintf(reason, bytes,
                         "not exact: sample %u of %.32s is %g in the first boot, %g in the second",
                         n, first->op, first->samples[n], second->samples[n]);
                return 1;
            }
    }
    return 0;
}

int cell_boot(const struct cell *cell, uint32_t boot, struct cell_outcome *outcome,
              struct error *error) {
    int status = boot_once(cell, boot, outcome, error);
    if (!status && cell->info->count_exact && record_measured(&outcome->record[0])) {
        struct cell_outcome again;
        char reason[sizeof(outcome->record->reason)];
        status = boot_once(cell, boot, &again, error);
        if (!status && outcomes_differ(outcome, &again, reason, sizeof(reason)))
            cell_outcome_fail(outcome, reason);
        cell_outcome_free(&again);
    }
    if (status)
        cell_outcome_free(outcome);
    return status;
}
