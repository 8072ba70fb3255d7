/*
 * From records to cells: which records belong together, their statistics, ratios and warnings.
 * Order and grouping are decided here once; the printers only walk.
 */
#include "report.h"
#include "stats.h"
#include "table.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLING_SEED 1 /* fixed: the same records give the same report */

/* For sets whose manifest does not tell the order: the ladder, from no boundary to all of them. */
static const char *const ladder[] = {"unchecked",   "sip-phys", "sip-page", "hip-r0",
                                     "hip-r0-s",    "hip-r3",   "hip-r3-s", "monolithic",
                                     "microkernel", NULL};

const char *report_flag_text(enum report_flag flag) {
    static const char *const text[REPORT_FLAGS] = {
        [CELL_FEW_BOOTS] = "fewer than 5 boots: the interval is missing or too narrow",
        [CELL_INEXACT] = "boots differ, though a count should be exact",
        [CELL_DRIFT] = "drift: first and last boot are the extremes, more than 2 % apart",
        [CELL_BOOT_FAILED] = "some boots gave no figures; those that did are not to be trusted",
        [CELL_ORACLE] = "the work's checksum differs from that of other boots or layouts",
        [CELL_UNTRUSTED] = "the clock is not real: cycles hold the work of what is underneath",
        [CELL_UNIT_MIX] = "measured in more than one unit; the units are kept apart",
        [CELL_FAR_BASE] = "the ratio is to the baseline's figure on another backend",
        [CELL_SIMULATED] = "simulated: what the CPU lacks for a mechanism was left out",
    };
    return text[flag];
}

int report_cell_measured(const struct report_cell *cell) {
    return !strcmp(cell->status, "ok") || !strcmp(cell->status, "simulated");
}

int report_cell_simulated(const struct report_cell *cell) {
    return !strcmp(cell->status, "simulated");
}

char *report_param_text(const struct config_param *param, char text[static 64]) {
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB"};
    int64_t value = param->value;
    char number[32];
    size_t at = 0;
    if (strcmp(param->name, "bytes")) {
        snprintf(text, 64, "%s=%" PRId64, param->name, value);
        return text;
    }
    for (; at < 3 && value && value % 1024 == 0; at++)
        value /= 1024;
    snprintf(text, 64, "%s %s", table_number(number, (double)value), unit[at]);
    return text;
}

char *report_cell_label(const struct report_cell *cell, char *text, size_t bytes) {
    int other = cell->op[0] && strcmp(cell->op, cell->workload);
    int used =
        snprintf(text, bytes, "%s%s%s", cell->workload, other ? " " : "", other ? cell->op : "");
    char param[64];
    for (size_t i = 0; i < cell->params->count && used > 0 && (size_t)used < bytes; i++)
        used += snprintf(text + used, bytes - (size_t)used, " %s",
                         report_param_text(&cell->params->item[i], param));
    return text;
}

/* ---- order ---- */

struct order { /* of names: those of the manifest, then those of a fixed list, then by name */
    const json_t *first;
    const char *const *then;
};

static size_t rank_of(const struct order *order, const char *name) {
    size_t i;
    for (i = 0; i < json_array_size(order->first); i++) {
        const char *other = json_string_value(json_array_get(order->first, i));
        if (other && !strcmp(other, name))
            return i;
    }
    for (size_t k = 0; order->then && order->then[k]; k++, i++)
        if (!strcmp(order->then[k], name))
            return i;
    return SIZE_MAX;
}

static int compare_names(const struct order *order, const char *a, const char *b) {
    if (a == b)
        return 0;
    size_t x = rank_of(order, a), y = rank_of(order, b);
    return x != y ? (x > y) - (x < y) : strcmp(a, b);
}

static int compare_params(const struct config_params *a, const struct config_params *b) {
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int names = strcmp(a->item[i].name, b->item[i].name);
        if (names)
            return names;
        if (a->item[i].value != b->item[i].value)
            return a->item[i].value < b->item[i].value ? -1 : 1;
    }
    return (a->count > b->count) - (a->count < b->count);
}

struct orders {
    struct order layouts, workloads;
};

static int compare_rows(const struct orders *orders, const struct report_cell *a,
                        const struct report_cell *b) {
    int by = compare_names(&orders->workloads, a->workload, b->workload);
    by = by ? by : compare_params(a->params, b->params);
    by = by ? by : strcmp(a->op, b->op);
    by = by ? by : strcmp(a->kind, b->kind);
    by = by ? by : strcmp(a->unit, b->unit);
    return by ? by : strcmp(a->backend, b->backend);
}

static int compare_cells(const void *one, const void *two, void *orders) {
    const struct report_cell *a = one, *b = two;
    int by = compare_rows(orders, a, b);
    return by ? by : compare_names(&((struct orders *)orders)->layouts, a->layout, b->layout);
}

int report_cell_same_row(const struct report_cell *a, const struct report_cell *b) {
    return !strcmp(a->workload, b->workload) && record_params_equal(a->params, b->params) &&
           !strcmp(a->op, b->op) && !strcmp(a->kind, b->kind) && !strcmp(a->unit, b->unit);
}

/* ---- one cell ---- */

struct entry { /* a record and the cell that it names, so that records sort like cells */
    struct report_cell key;
    const struct record *record;
};

static void fill_key(struct report_cell *cell, const struct record *record) {
    *cell = (struct report_cell){
        .layout = record->layout,
        .workload = record->workload,
        .op = record->op,
        .kind = record->kind,
        .unit = record->unit,
        .backend = record->backend,
        .params = &record->params,
        .status = record->status,
        .reason = record->reason,
        .trust = record->trust,
        .note = record->note,
        .safety = record->safety,
        .host = record->host,
        .floor = NAN,
        .over_floor = NAN,
        .tax = {.software = NAN, .hardware = NAN, .part = {NAN, NAN, NAN}},
        .median = NAN,
        .lo = NAN,
        .hi = NAN,
        .min = NAN,
        .q1 = NAN,
        .q3 = NAN,
        .mad = NAN,
        .ratio = NAN,
        .ratio_lo = NAN,
        .ratio_hi = NAN,
        .events = {[0 ... RESULT_EVENTS_NAMED - 1] = NAN},
    };
}

static int compare_entries(const void *one, const void *two, void *orders) {
    const struct entry *a = one, *b = two;
    int by = compare_cells(&a->key, &b->key, orders);
    return by ? by : (a->record->boot > b->record->boot) - (a->record->boot < b->record->boot);
}

static int severity(const char *status) {
    return !strcmp(status, "failed")        ? 3
           : !strcmp(status, "unavailable") ? 2
           : !strcmp(status, "simulated")   ? 1
                                            : 0;
}

static int same_samples(const struct record *a, const struct record *b) {
    if (a->n != b->n)
        return 0;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->samples[i] != b->samples[i])
            return 0;
    return 1;
}

/* What the first boot cannot tell alone: worst status, a note, what differs between boots. */
static void gather(struct report_cell *cell, const struct entry *entry, size_t count) {
    int exact = !strcmp(cell->unit, "instructions");
    const struct record *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct record *record = entry[i].record;
        if (severity(record->status) > severity(cell->status)) {
            cell->status = record->status;
            cell->reason = record->reason;
        }
        if (strcmp(record->safety, cell->safety))
            cell->safety = "mixed";
        if (!record_measured(record))
            continue;
        if (record->note[0] && !cell->note[0])
            cell->note = record->note;
        if (!exact && strcmp(record->trust, "real"))
            cell->flags |= 1u << CELL_UNTRUSTED;
        if (first && exact && !same_samples(first, record))
            cell->flags |= 1u << CELL_INEXACT;
        if (first && first->oracle != record->oracle)
            cell->flags |= 1u << CELL_ORACLE;
        first = first ? first : record;
        cell->oracle = first->oracle;
        cell->n += record->n;
        cell->boots++;
    }
    if (!exact && cell->boots && cell->boots < STATS_FEW_BOOTS)
        cell->flags |= 1u << CELL_FEW_BOOTS;
    if (cell->boots && cell->boots < count)
        cell->flags |= 1u << CELL_BOOT_FAILED;
    if (report_cell_simulated(cell))
        cell->flags |= 1u << CELL_SIMULATED;
}

/* Events of the cell: the median over its boots; of those boots that counted it, each. */
static void gather_events(struct report_cell *cell, const struct entry *entry, size_t count,
                          double *scratch) {
    for (size_t k = 0; k < RESULT_EVENTS_NAMED; k++) {
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
            if (record_measured(entry[i].record) && entry[i].record->has_events &&
                isfinite(entry[i].record->events[k]))
                scratch[n++] = entry[i].record->events[k];
        cell->events[k] = NAN;
        if (!n)
            continue;
        stats_sort(scratch, n);
        cell->events[k] = stats_quantile(scratch, n, 0.5);
        cell->has_events = 1;
    }
}

static int measure(struct report_cell *cell, const struct entry *entry, size_t count) {
    struct stats_summary summary;
    struct stats_bootstrap interval;
    double *samples = malloc(cell->n * sizeof(*samples));
    cell->boot_median = malloc(cell->boots * sizeof(*cell->boot_median));
    int code = samples && cell->boot_median ? 0 : -ENOMEM;
    size_t at = 0, boot = 0;
    for (size_t i = 0; !code && i < count; i++) {
        const struct record *record = entry[i].record;
        if (!record_measured(record))
            continue;
        memcpy(samples + at, record->samples, record->n * sizeof(*samples));
        at += record->n;
        code = stats_summarise(record->samples, record->n, &summary);
        cell->boot_median[boot++] = summary.median;
    }
    if (!code)
        code = stats_summarise(samples, cell->n, &summary);
    if (!code)
        code = stats_median_interval(cell->boot_median, cell->boots, RESAMPLING_SEED, &interval);
    if (!code) {
        cell->min = summary.min;
        cell->q1 = summary.q1;
        cell->q3 = summary.q3;
        cell->mad = summary.mad;
        cell->median = interval.value;
        if (cell->boots > 1 || !strcmp(cell->unit, "instructions")) {
            cell->lo = interval.bca.lo;
            cell->hi = interval.bca.hi;
        }
        if (strcmp(cell->unit, "instructions") && stats_drift(cell->boot_median, cell->boots))
            cell->flags |= 1u << CELL_DRIFT;
        gather_events(cell, entry, count, samples); /* n is at least the number of boots */
    }
    free(samples);
    return code;
}

static int make_cells(struct report *report, struct orders *orders) {
    const struct result_data *data = report->data;
    struct entry *entry = calloc(data->count + 1, sizeof(*entry));
    report->cell = calloc(data->count + 1, sizeof(*report->cell));
    int code = entry && report->cell ? 0 : -ENOMEM;
    report->count = 0;
    for (size_t i = 0; !code && i < data->count; i++) {
        fill_key(&entry[i].key, &data->record[i]);
        entry[i].record = &data->record[i];
    }
    if (!code)
        qsort_r(entry, data->count, sizeof(*entry), compare_entries, orders);
    for (size_t i = 0, next; !code && i < data->count; i = next) {
        for (next = i + 1; next < data->count; next++)
            if (compare_cells(&entry[i].key, &entry[next].key, orders))
                break;
        struct report_cell *cell = &report->cell[report->count++];
        *cell = entry[i].key;
        gather(cell, entry + i, next - i);
        if (cell->boots)
            code = measure(cell, entry + i, next - i);
    }
    free(entry);
    return code;
}

/* ---- cells that never got as far as an operation ---- */

static int same_work(const struct report_cell *a, const struct report_cell *b) {
    return !strcmp(a->workload, b->workload) && record_params_equal(a->params, b->params) &&
           !strcmp(a->unit, b->unit) && !strcmp(a->backend, b->backend);
}

/*
 * Such a cell stands for every operation of its work: it taints those that other boots measured, or
 * takes a place beside each that other layouts measured. Cells at and after `known` are those added.
 */
static int spread_one(struct report *report, struct report_cell none, size_t known) {
    int tainted = 0;
    size_t before = report->count;
    for (size_t i = 0; i < known; i++) {
        struct report_cell *cell = &report->cell[i];
        if (!cell->op[0] || !same_work(cell, &none) || strcmp(cell->layout, none.layout))
            continue;
        tainted = 1;
        cell->flags |= 1u << CELL_BOOT_FAILED;
        if (severity(none.status) > severity(cell->status)) {
            cell->status = none.status;
            cell->reason = none.reason;
        }
    }
    for (size_t i = 0; !tainted && i < known; i++) {
        int have = !report->cell[i].op[0] || !same_work(&report->cell[i], &none);
        for (size_t k = before; !have && k < report->count; k++)
            have = report_cell_same_row(&report->cell[i], &report->cell[k]);
        if (have)
            continue;
        struct report_cell *more =
            realloc(report->cell, (report->count + 1) * sizeof(*report->cell));
        if (!more)
            return -ENOMEM;
        report->cell = more;
        struct report_cell *cell = &report->cell[report->count++];
        *cell = none;
        cell->op = report->cell[i].op;
        cell->kind = report->cell[i].kind;
    }
    return tainted || report->count > before;
}

static int spread_cells(struct report *report, struct orders *orders) {
    size_t known = report->count, kept = 0;
    for (size_t i = 0; i < known; i++) {
        if (report->cell[i].op[0])
            continue;
        int done = spread_one(report, report->cell[i], known);
        if (done < 0)
            return done;
        if (done)
            report->cell[i].layout = ""; /* no layout has this name: its place is taken */
    }
    for (size_t i = 0; i < report->count; i++)
        if (report->cell[i].layout[0])
            report->cell[kept++] = report->cell[i];
    report->count = kept;
    qsort_r(report->cell, report->count, sizeof(*report->cell), compare_cells, orders);
    return 0;
}

/* ---- rows: ratios and what only neighbours show ---- */

/* The baseline's figure of the row: on the same backend, else on another one in the same unit. */
static const struct report_cell *find_base(const struct report *report,
                                           const struct report_cell *wanted) {
    const struct report_cell *base = NULL;
    for (size_t i = 0; i < report->count; i++) {
        const struct report_cell *cell = &report->cell[i];
        if (!strcmp(cell->layout, report->baseline) && !strcmp(cell->status, "ok") &&
            report_cell_same_row(cell, wanted) &&
            (!base || !strcmp(cell->backend, wanted->backend)))
            base = cell;
    }
    return base;
}

static int compare_row(const struct report *report, struct report_cell *cell, size_t count) {
    const struct report_cell *base = find_base(report, cell), *oracle = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!report_cell_measured(&cell[i]))
            continue;
        if (oracle && cell[i].oracle && cell[i].oracle != oracle->oracle)
            cell[i].flags |= 1u << CELL_ORACLE;
        if (!oracle && cell[i].oracle)
            oracle = &cell[i];
        if (!base)
            continue;
        struct stats_bootstrap ratio;
        int code = stats_ratio_interval(cell[i].boot_median, cell[i].boots, base->boot_median,
                                        base->boots, RESAMPLING_SEED, &ratio);
        if (code)
            return code;
        cell[i].ratio = ratio.value;
        if (strcmp(cell[i].backend, base->backend))
            cell[i].flags |= 1u << CELL_FAR_BASE;
        if (&cell[i] == base && isfinite(ratio.value)) { /* itself: no sampling error */
            cell[i].ratio_lo = cell[i].ratio_hi = ratio.value;
        } else if (isfinite(cell[i].lo) && isfinite(base->lo)) {
            cell[i].ratio_lo = ratio.bca.lo;
            cell[i].ratio_hi = ratio.bca.hi;
        }
    }
    report_tax_fill(cell, count, report->baseline);
    return 0;
}

static void flag_unit_mix(struct report *report) {
    for (size_t i = 0; i < report->count; i++) {
        struct report_cell *a = &report->cell[i];
        for (size_t k = i + 1; k < report->count; k++) {
            struct report_cell *b = &report->cell[k];
            if (strcmp(a->workload, b->workload) || !record_params_equal(a->params, b->params) ||
                strcmp(a->op, b->op) || strcmp(a->kind, b->kind))
                break;
            if (!strcmp(a->layout, b->layout) && strcmp(a->unit, b->unit)) {
                a->flags |= 1u << CELL_UNIT_MIX;
                b->flags |= 1u << CELL_UNIT_MIX;
            }
        }
    }
}

static int compare_all(struct report *report, struct orders *orders) {
    int code = 0;
    for (size_t i = 0, next; !code && i < report->count; i = next) {
        for (next = i + 1; next < report->count; next++)
            if (compare_rows(orders, &report->cell[i], &report->cell[next]))
                break;
        code = compare_row(report, report->cell + i, next - i);
    }
    flag_unit_mix(report);
    return code;
}

/* ---- the set ---- */

static int compare_layout_names(const void *a, const void *b, void *order) {
    return compare_names(order, *(const char *const *)a, *(const char *const *)b);
}

static int find_layouts(struct report *report, struct orders *orders) {
    const struct result_data *data = report->data;
    report->layout = calloc(data->count + 1, sizeof(*report->layout));
    if (!report->layout)
        return -ENOMEM;
    for (size_t i = 0; i < data->count; i++) {
        size_t k = 0;
        while (k < report->layouts && strcmp(report->layout[k], data->record[i].layout))
            k++;
        if (k == report->layouts)
            report->layout[report->layouts++] = data->record[i].layout;
    }
    qsort_r(report->layout, report->layouts, sizeof(*report->layout), compare_layout_names,
            &orders->layouts);
    return 0;
}

static int find_baseline(struct report *report, const char *wanted, struct error *error) {
    static const char *const usual[] = {"unchecked", "sip-phys", "sip-page"};
    for (size_t u = 0; !wanted && u < sizeof(usual) / sizeof(usual[0]); u++)
        for (size_t i = 0; i < report->layouts; i++)
            if (!strcmp(report->layout[i], usual[u]))
                wanted = usual[u];
    if (!wanted)
        wanted = report->layout[0];
    char names[256] = "";
    for (size_t i = 0, used = 0; i < report->layouts; i++) {
        if (!strcmp(report->layout[i], wanted)) {
            report->baseline = report->layout[i];
            return 0;
        }
        if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
                                     report->layout[i]);
    }
    const char *near = config_nearest(wanted, report->layout, report->layouts);
    return error_set(error, -EINVAL,
                     "baseline \"%.64s\" is not a layout of this set%s%s%s It has: %s", wanted,
                     near ? "; did you mean \"" : ".", near ? near : "", near ? "\"?" : "", names);
}

int report_create(const struct result_data *data, const char *baseline, struct report **out,
                  struct error *error) {
    struct orders orders = {
        .layouts = {json_object_get(data->manifest, "layouts"), ladder},
        .workloads = {json_object_get(data->manifest, "workloads"), NULL},
    };
    if (!data->count)
        return error_set(error, -EINVAL, "%s: holds no records%s", data->dir ? data->dir : "set",
                         data->complete ? "" : "; the run was ended before its first one");
    struct report *report = calloc(1, sizeof(*report));
    if (!report)
        return error_set(error, -ENOMEM, "out of memory");
    report->data = data;
    int code = find_layouts(report, &orders);
    if (!code && (code = find_baseline(report, baseline, error))) {
        report_free(report);
        return code;
    }
    if (!code)
        code = make_cells(report, &orders);
    if (!code)
        code = spread_cells(report, &orders);
    if (!code)
        code = compare_all(report, &orders);
    if (!code)
        code = report_warn_all(report);
    if (code) {
        report_free(report);
        return error_set(error, code, "out of memory");
    }
    *out = report;
    return 0;
}

void report_free(struct report *report) {
    if (!report)
        return;
    for (size_t i = 0; i < report->count; i++)
        free(report->cell[i].boot_median);
    for (size_t i = 0; i < report->primitives; i++)
        free(report->primitive[i].boot_median);
    for (size_t i = 0; i < report->warnings; i++)
        free(report->warning[i]);
    free(report->primitive);
    free(report->cell);
    free(report->layout);
    free(report->warning);
    free(report);
}
