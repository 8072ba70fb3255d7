/*
 * Matching the cells of several sets, their ratios, and the differences of their manifests.
 */
#include "compare.h"
#include "stats.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLING_SEED 1

/* ---- units ---- */

static const struct report_cell *find_unit(const struct report *report, const char *unit) {
    for (size_t i = 0; i < report->count; i++)
        if (!strcmp(report->cell[i].unit, unit))
            return &report->cell[i];
    return NULL;
}

static int check_units(struct report *const *report, size_t sets, struct error *error) {
    for (size_t a = 0; a < sets; a++)
        for (size_t b = 0; b < sets; b++)
            for (size_t i = 0; i < report[a]->count; i++) {
                const struct report_cell *mine = &report[a]->cell[i];
                if (find_unit(report[b], mine->unit))
                    continue;
                return error_set(error, -EINVAL,
                                 "%s has figures in %s (%s), %s only in %s (%s): one is time, the "
                                 "other a count of instructions, and no ratio between them means "
                                 "anything. Compare sets in the same unit.",
                                 report[a]->data->dir, mine->unit, mine->backend,
                                 report[b]->data->dir, report[b]->cell[0].unit,
                                 report[b]->cell[0].backend);
            }
    return 0;
}

/* ---- cells ---- */

static int same_cell(const struct report_cell *a, const struct report_cell *b) {
    return !strcmp(a->layout, b->layout) && report_cell_same_row(a, b);
}

/* The cell of `report` that is the same operation; of the same backend when there is one. */
static const struct report_cell *find_cell(const struct report *report,
                                           const struct report_cell *wanted) {
    const struct report_cell *found = NULL;
    for (size_t i = 0; i < report->count; i++) {
        const struct report_cell *cell = &report->cell[i];
        if (same_cell(cell, wanted) && (!found || !strcmp(cell->backend, wanted->backend)))
            found = cell;
    }
    return found;
}

static const char *verdict(const struct report_cell *a, const struct report_cell *b,
                           const struct compare_ratio *ratio) {
    if (!isfinite(ratio->lo) || !isfinite(ratio->hi))
        return "unknown";
    int exact = a->lo == a->hi && b->lo == b->hi;
    if (exact && ratio->value == 1)
        return "same";
    if (ratio->lo <= 1 && ratio->hi >= 1)
        return "unclear";
    return ratio->value > 1 ? "more" : "less";
}

static int compare_pair(const struct report_cell *a, const struct report_cell *b,
                        struct compare_ratio *out) {
    struct stats_bootstrap ratio;
    *out = (struct compare_ratio){NAN, NAN, NAN, "unknown"};
    if (!a || !b || !report_cell_measured(a) || !report_cell_measured(b))
        return 0;
    int code = stats_ratio_interval(b->boot_median, b->boots, a->boot_median, a->boots,
                                    RESAMPLING_SEED, &ratio);
    if (code)
        return code;
    out->value = ratio.value;
    if (isfinite(a->lo) && isfinite(b->lo)) {
        out->lo = ratio.bca.lo;
        out->hi = ratio.bca.hi;
    }
    out->verdict = verdict(a, b, out);
    return 0;
}

static int add_row(struct compare *compare, const struct report_cell *cell, size_t set) {
    struct compare_row *more = realloc(compare->row, (compare->rows + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    compare->row = more;
    struct compare_row *row = &more[compare->rows++];
    *row = (struct compare_row){0};
    for (size_t s = set; s < compare->sets; s++) {
        row->cell[s] = s == set ? cell : find_cell(compare->report[s], cell);
        int code = s ? compare_pair(row->cell[0], row->cell[s], &row->ratio[s]) : 0;
        if (code)
            return code;
    }
    return 0;
}

static int make_rows(struct compare *compare) {
    int code = 0;
    for (size_t s = 0; s < compare->sets; s++)
        for (size_t i = 0; !code && i < compare->report[s]->count; i++) {
            const struct report_cell *cell = &compare->report[s]->cell[i];
            int seen = 0;
            for (size_t before = 0; before < s && !seen; before++)
                seen = find_cell(compare->report[before], cell) != NULL;
            if (!seen)
                code = add_row(compare, cell, s);
        }
    return code;
}

int compare_events_differ(const struct report_cell *a, const struct report_cell *b, size_t event) {
    return report_cell_measured(a) && report_cell_measured(b) && a->has_events && b->has_events &&
           isfinite(a->events[event]) && isfinite(b->events[event]) &&
           a->events[event] != b->events[event];
}

/* ---- manifests ---- */

static char *leaf_text(const json_t *value) {
    return json_is_string(value) ? strdup(json_string_value(value))
                                 : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static int add_leaf(struct compare *compare, size_t set, const char *key, const json_t *value) {
    size_t i = 0;
    while (i < compare->differences && strcmp(compare->difference[i].key, key))
        i++;
    if (i == compare->differences) {
        struct compare_difference *more =
            realloc(compare->difference, (i + 1) * sizeof(*compare->difference));
        if (!more)
            return -ENOMEM;
        compare->difference = more;
        more[i] = (struct compare_difference){.key = strdup(key)};
        if (!more[i].key)
            return -ENOMEM;
        compare->differences++;
    }
    char **text = &compare->difference[i].value[set];
    free(*text);
    *text = leaf_text(value);
    return *text ? 0 : -ENOMEM;
}

static int add_leaves(struct compare *compare, size_t set, const char *prefix, json_t *value) {
    static const char *const own[] = {"schema", "complete", "started", "ended"};
    const char *name;
    json_t *member;
    int code = 0;
    if (!json_is_object(value))
        return add_leaf(compare, set, prefix, value);
    json_object_foreach(value, name, member) {
        char key[512];
        int skip = 0;
        for (size_t i = 0; !*prefix && i < sizeof(own) / sizeof(own[0]); i++)
            skip |= !strcmp(name, own[i]);
        if (skip)
            continue;
        snprintf(key, sizeof(key), "%s%s%s", prefix, *prefix ? "." : "", name);
        if ((code = add_leaves(compare, set, key, member)))
            return code;
    }
    return 0;
}

static void difference_free(struct compare_difference *difference) {
    for (size_t s = 0; s < COMPARE_MAX_SETS; s++)
        free(difference->value[s]);
    free(difference->key);
}

static int differs(const struct compare_difference *difference, size_t sets) {
    const char *first = difference->value[0];
    for (size_t s = 1; s < sets; s++) {
        const char *other = difference->value[s];
        if (!first != !other || (first && strcmp(first, other)))
            return 1;
    }
    return 0;
}

/* Collects every leaf of every manifest, what explains figures most first; keeps those that differ. */
static int find_differences(struct compare *compare) {
    static const char *const first[] = {"host", "build", "commit", "images", "backend"};
    size_t kept = 0;
    int code = 0;
    for (size_t k = 0; k <= sizeof(first) / sizeof(first[0]); k++)
        for (size_t s = 0; !code && s < compare->sets; s++) {
            json_t *manifest = compare->report[s]->data->manifest;
            if (k == sizeof(first) / sizeof(first[0]))
                code = add_leaves(compare, s, "", manifest);
            else if (json_object_get(manifest, first[k]))
                code = add_leaves(compare, s, first[k], json_object_get(manifest, first[k]));
        }
    for (size_t i = 0; i < compare->differences; i++) {
        if (differs(&compare->difference[i], compare->sets))
            compare->difference[kept++] = compare->difference[i];
        else
            difference_free(&compare->difference[i]);
    }
    compare->differences = kept;
    return code;
}

/* ---- the whole ---- */

static int warn(struct compare *compare, const char *text) {
    compare->warning[compare->warnings] = strdup(text);
    return compare->warning[compare->warnings++] ? 0 : -ENOMEM;
}

static int warn_all(struct compare *compare) {
    int backends = 0, trusts = 0, gaps = 0, oracles = 0, simulated = 0, events = 0, code = 0;
    for (size_t i = 0; i < compare->rows; i++) {
        const struct report_cell *const *cell = compare->row[i].cell;
        for (size_t s = 0; s < compare->sets; s++) {
            gaps |= !cell[s];
            if (!cell[s] || !cell[0])
                continue;
            backends |= strcmp(cell[s]->backend, cell[0]->backend) != 0;
            trusts |= strcmp(cell[s]->trust, cell[0]->trust) != 0;
            oracles |= cell[s]->oracle && cell[0]->oracle && cell[s]->oracle != cell[0]->oracle;
            simulated |= report_cell_measured(cell[s]) && report_cell_measured(cell[0]) &&
                         strcmp(cell[s]->status, cell[0]->status) != 0;
            for (size_t k = 0; k < RESULT_EVENTS_NAMED; k++)
                events |= compare_events_differ(cell[0], cell[s], k);
        }
    }
    if (backends)
        code = warn(compare, "the sets come from different backends");
    if (!code && trusts)
        code = warn(compare, "the clocks of the sets are not equally trustworthy");
    if (!code && oracles)
        code = warn(compare, "the work's checksum differs: the sets did not do the same work");
    if (!code && simulated)
        code =
            warn(compare, "some cells are simulated in one set and not in the other: without what "
                          "a mechanism does, their ratio says little");
    if (!code && events)
        code = warn(compare, "some cells count other events");
    if (!code && gaps)
        code = warn(compare, "some cells are not in every set; they are listed, not compared");
    return code;
}

int compare_create(struct report *const *report, size_t sets, struct compare **out,
                   struct error *error) {
    int code = check_units(report, sets, error);
    if (code)
        return code;
    struct compare *compare = calloc(1, sizeof(*compare));
    if (!compare)
        return error_set(error, -ENOMEM, "out of memory");
    compare->report = report;
    compare->sets = sets;
    code = make_rows(compare);
    if (!code)
        code = find_differences(compare);
    if (!code)
        code = warn_all(compare);
    if (code) {
        compare_free(compare);
        return error_set(error, code, "out of memory");
    }
    *out = compare;
    return 0;
}

void compare_free(struct compare *compare) {
    if (!compare)
        return;
    for (size_t i = 0; i < compare->differences; i++)
        difference_free(&compare->difference[i]);
    for (size_t i = 0; i < compare->warnings; i++)
        free(compare->warning[i]);
    free(compare->difference);
    free(compare->row);
    free(compare);
}
