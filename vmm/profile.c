/*
 * Profiles: which stretches of the run belong to which operation, and the rows of what ran there.
 */
#include "profile.h"
#include "cell.h"
#include "profile_boots.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

_Static_assert(sizeof(((struct profile *)0)->op) / sizeof(struct profile_op) == RESULT_MAX_OPS,
               "one for each operation of a result");

struct work { /* the operations of one run, and what each is made of */
    const struct profile_cell *cell;
    struct profile *profile;
    struct profile_boots boots;
    struct profile_map map;
    struct profile_stretches stretches[RESULT_MAX_OPS]; /* by operation of the profile */
    unsigned char *wanted;
};

/* ---- rows ---- */

static struct profile_row *row_find(struct profile_op *op, const struct profile_name *name) {
    for (size_t i = 0; i < op->rows; i++)
        if (!strcmp(op->row[i].function, name->function) && !strcmp(op->row[i].where, name->where))
            return &op->row[i];
    if (op->rows % 64 == 0) {
        struct profile_row *more = realloc(op->row, (op->rows + 64) * sizeof(*more));
        if (!more)
            return NULL;
        op->row = more;
    }
    struct profile_row *row = &op->row[op->rows++];
    *row = (struct profile_row){.count = 0};
    snprintf(row->where, sizeof(row->where), "%s", name->where);
    snprintf(row->domain, sizeof(row->domain), "%s", name->domain);
    snprintf(row->function, sizeof(row->function), "%s", name->function);
    return row;
}

/* What one instruction behind that reading counts in the operation. */
static double weight_at(const struct profile_stretches *stretches, size_t reading) {
    double weight = 0;
    for (size_t i = 0; i < stretches->count; i++)
        if (reading >= stretches->item[i].first && reading < stretches->item[i].last)
            weight += stretches->item[i].weight;
    return weight;
}

static int trace_take(void *context, size_t reading, const struct profile_trace *trace) {
    struct work *work = context;
    for (size_t i = 0; i < trace->room; i++) {
        struct profile_name name;
        if (!trace->slot[i].count)
            continue;
        profile_map_name(&work->map, trace->slot[i].address, &name);
        for (size_t k = 0; k < work->profile->ops; k++) {
            double weight = weight_at(&work->stretches[k], reading);
            struct profile_row *row = weight != 0 ? row_find(&work->profile->op[k], &name) : NULL;
            if (row)
                row->count += weight * (double)trace->slot[i].count;
            else if (weight != 0)
                return -ENOMEM;
        }
    }
    return 0;
}

/* ---- the first boot's result ---- */

/* What came of the first boot, as `run` would judge it. */
static int result_take(struct work *work, struct result *result, struct error *error) {
    const struct plan_header *plan = work->cell->plan;
    struct boot_result *boot = &work->boots.result;
    const void *region = guest_memory_at(&boot->memory, plan->result_pa, plan->result_bytes);
    struct cell_rules rules = {.count_exact = 1, .may_simulate = !!(plan->flags & PLAN_SIMULATE)};
    struct record start = {.status = "ok"};
    struct cell_outcome outcome;
    int status = cell_conclude(&start, boot, region, plan->result_bytes, &rules, &outcome, error);
    const struct record *record = outcome.count ? &outcome.record[0] : NULL;
    if (!status && record && !record_measured(record) && !record->op[0])
        status = error_set(error, strcmp(record->status, "unavailable") ? -ENOEXEC : -ENOTSUP, "%s",
                           record->reason);
    cell_outcome_free(&outcome);
    return status ? status : result_read(region, plan->result_bytes, result, error);
}

static double length_of(const struct work *work, const struct profile_stretches *stretches) {
    const struct profile_reading *reading = work->boots.readings.item;
    double length = 0;
    for (size_t i = 0; i < stretches->count; i++)
        length += stretches->item[i].weight * (double)(reading[stretches->item[i].last].clock -
                                                       reading[stretches->item[i].first].clock);
    return length;
}

/* Adds the operation to the profile, unless it cannot be profiled: that is a message on stderr. */
static int op_take(struct work *work, const struct result_op *op, const uint64_t *values,
                   size_t *from, struct error *error) {
    static const char *const kinds[] = {"single", "one-way", "round-trip"};
    struct profile *profile = work->profile;
    struct profile_stretches *stretches = &work->stretches[profile->ops];
    struct error why = {""};
    int status = op->samples ? profile_match(&work->boots.readings, op, values,
                                             work->cell->plan->batch, from, stretches, &why)
                             : error_set(&why, -ESRCH, "%s was not measured", op->name);
    if (status == -ESRCH) {
        fprintf(stderr, "bulkhead: %s\n", why.text);
        return 0;
    }
    if (status)
        return error_set(error, status, "%s", why.text);
    struct profile_op *to = &profile->op[profile->ops++];
    *to = (struct profile_op){.kind = kinds[op->kind], .measured = length_of(work, stretches)};
    memcpy(to->name, op->name, sizeof(to->name));
    return 0;
}

/* Keeps only the readings of owners whose samples are profiled, and marks what is to be traced. */
static int wanted_fill(struct work *work, struct error *error) {
    struct profile_boots *boots = &work->boots;
    struct profile_reading *reading = boots->readings.item;
    size_t *place = calloc(boots->readings.count + 1, sizeof(*place)), kept = 0;
    unsigned char used[PROFILE_OWNERS] = {0};
    work->wanted = calloc(boots->readings.count + 1, 1);
    if (!work->wanted || !place) {
        free(place);
        return error_set(error, -ENOMEM, "out of memory for the profile");
    }
    for (size_t i = 0; i < work->profile->ops; i++)
        for (size_t k = 0; k < work->stretches[i].count; k++)
            used[reading[work->stretches[i].item[k].first].owner] = 1;
    for (size_t i = 0; i < boots->readings.count; i++) {
        place[i] = kept;
        if (used[reading[i].owner])
            reading[kept++] = reading[i];
    }
    boots->readings.count = kept;
    for (size_t i = 0; i < work->profile->ops; i++)
        for (size_t k = 0; k < work->stretches[i].count; k++) {
            struct profile_stretch *stretch = &work->stretches[i].item[k];
            stretch->first = place[stretch->first];
            stretch->last = place[stretch->last];
            memset(work->wanted + stretch->first, 1, stretch->last - stretch->first);
        }
    free(place);
    for (size_t i = 0; i + 1 < kept; i++) {
        if (!work->wanted[i])
            continue;
        boots->wanted_last = i;
        boots->wanted_length += reading[i + 1].clock - reading[i].clock;
    }
    boots->wanted = work->wanted;
    return 0;
}

static int ops_take(struct work *work, struct error *error) {
    struct result result;
    size_t from = 0;
    int named = 0, status = result_take(work, &result, error);
    if (status)
        return status;
    for (uint32_t i = 0; !status && i < result.header.ops; i++) {
        const struct result_op *op = &result.header.op[i];
        if (work->cell->op && strcmp(work->cell->op, op->name))
            continue;
        named = 1;
        if (op->kind & RESULT_OUTSIDE)
            continue; /* it waits for what has no instructions */
        status = op_take(work, op, result.values[i], &from, error);
    }
    if (!status && !named)
        status = error_set(error, -ESRCH, "the workload has no operation %s", work->cell->op);
    else if (!status && !work->profile->ops)
        status = error_set(error, -ENOEXEC, "nothing to profile");
    result_free(&result);
    return status;
}

/* ---- the whole ---- */

static void total_fill(struct profile_op *op) {
    for (size_t i = 0; i < op->rows; i++)
        op->total += op->row[i].count;
    if (fabs(op->total - op->measured) < PROFILE_ROUNDING)
        op->total = op->measured;
}

/* The boots, and in between what they have found. */
static int boots_run(struct work *work, struct error *error) {
    struct profile_boots *boots = &work->boots;
    int status = profile_boots_locate(boots, error);
    struct result result;
    if (status == -EPIPE && !(status = result_take(work, &result, error))) { /* it tells why */
        result_free(&result);
        status = error_set(error, -ENOEXEC, "the guest ended before its SIPs ran");
    }
    boot_result_free(&boots->result);
    if (status)
        return status;
    fprintf(stderr, "bulkhead: looking for the samples\n");
    status = profile_boots_listen(boots, error);
    if (!status)
        status = ops_take(work, error);
    boot_result_free(&boots->result);
    if (!status)
        status = wanted_fill(work, error);
    if (status)
        return status;
    fprintf(stderr, "bulkhead: tracing %llu instructions\n",
            (unsigned long long)boots->wanted_length);
    status = profile_boots_trace(boots, error);
    boot_result_free(&boots->result);
    for (size_t i = 0; i < work->profile->ops; i++)
        total_fill(&work->profile->op[i]);
    return status;
}

/* The whole file, to be unmapped; NULL after a sentence. */
static void *file_map(const char *path, size_t *bytes, struct error *error) {
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *data = MAP_FAILED;
    if (file >= 0 && !fstat(file, &about) && about.st_size > 0)
        data = mmap(NULL, *bytes = (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED)
        error_set(error, -errno, "cannot read the guest kernel %s: %s", path, strerror(errno));
    if (file >= 0)
        close(file);
    return data == MAP_FAILED ? NULL : data;
}

int profile_take(const struct profile_cell *cell, struct profile *profile, struct error *error) {
    struct work *work = calloc(1, sizeof(*work));
    size_t bytes = 0;
    void *kernel = work ? file_map(cell->kernel_path, &bytes, error) : NULL;
    int status = kernel ? 0 : -EIO;
    *profile = (struct profile){.ops = 0};
    if (!work)
        return error_set(error, -ENOMEM, "out of memory for the profile");
    work->cell = cell;
    work->profile = profile;
    work->boots = (struct profile_boots){.cell = cell,
                                         .map = &work->map,
                                         .kernel = kernel,
                                         .kernel_bytes = bytes,
                                         .traced = trace_take,
                                         .context = work};
    if (!status)
        status = profile_map_create(&work->map, cell->plan, kernel, bytes, error);
    if (!status)
        status = boots_run(work, error);
    for (size_t i = 0; i < RESULT_MAX_OPS; i++)
        free(work->stretches[i].item);
    profile_map_free(&work->map);
    profile_boots_free(&work->boots);
    free(work->wanted);
    if (kernel)
        munmap(kernel, bytes);
    free(work);
    if (status)
        profile_free(profile);
    return status;
}

void profile_free(struct profile *profile) {
    for (size_t i = 0; i < profile->ops; i++)
        free(profile->op[i].row);
    profile->ops = 0;
}
