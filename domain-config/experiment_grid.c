/*
 * The grid of an experiment: layouts x workloads x param values, less what `where` removes.
 */
#include "model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- axes ---- */

struct axis_list { /* the names of all axes: layout, workload and every param in use */
    const char **name;
    size_t count;
};

static void axis_list_add(struct axis_list *axes, const char *name) {
    for (size_t i = 0; i < axes->count; i++)
        if (strcmp(axes->name[i], name) == 0)
            return;
    axes->name = array_grow(axes->name, axes->count, sizeof(*axes->name));
    axes->name[axes->count++] = name;
}

static struct axis_list axis_list_of(const struct experiment *experiment) {
    struct axis_list axes = {0};

    axis_list_add(&axes, "layout");
    axis_list_add(&axes, "workload");
    for (size_t i = 0; i < experiment->workload_count; i++) {
        const struct config_params *params = workload_params(experiment->workloads[i].workload);

        for (size_t j = 0; j < params->count; j++)
            axis_list_add(&axes, params->item[j].name);
    }
    return axes;
}

/* ---- conditions ---- */

static bool value_matches(const struct experiment_cell *cell, const char *axis, const char *value) {
    const int64_t *param;
    int64_t number;

    if (strcmp(axis, "layout") == 0)
        return strcmp(layout_name(cell->layout), value) == 0;
    if (strcmp(axis, "workload") == 0)
        return strcmp(workload_name(cell->workload), value) == 0;
    param = params_find(&cell->params, axis);
    return param && integer_parse(value, &number) == 0 && *param == number;
}

static bool condition_matches(const struct experiment_cell *cell,
                              const struct condition *condition) {
    for (size_t i = 0; i < condition->axis_count; i++) {
        const struct condition_axis *axis = &condition->axes[i];
        bool matches = false;

        for (size_t j = 0; j < axis->count; j++)
            matches = matches || value_matches(cell, axis->name.text, axis->values[j].text);
        if (!matches)
            return false;
    }
    return true;
}

/* Adds what the cells hold on an axis, as text, for the message that names the choices. */
static struct axis_list values_on_axis(const struct experiment *experiment, const char *axis) {
    struct axis_list values = {0};

    for (size_t i = 0; i < experiment->cell_count; i++) {
        const struct experiment_cell *cell = &experiment->cells[i];

        if (strcmp(axis, "layout") == 0)
            axis_list_add(&values, layout_name(cell->layout));
        else if (strcmp(axis, "workload") == 0)
            axis_list_add(&values, workload_name(cell->workload));
    }
    return values;
}

static void check_value(const struct experiment *experiment, const struct condition_axis *axis,
                        const struct name *value, struct config_diags *diags) {
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];
    struct axis_list values;

    for (size_t i = 0; i < experiment->cell_count; i++)
        if (value_matches(&experiment->cells[i], axis->name.text, value->text))
            return;
    values = values_on_axis(experiment, axis->name.text);
    diag_at(diags, value->at, "no cell of the grid has %s %s%s%s%s", axis->name.text, value->text,
            values.count ? "; expected " : ", so the condition does nothing; leave it out",
            values.count ? choices_text(values.name, values.count, choices) : "",
            nearest_text(value->text, values.name, values.count, nearest));
    free(values.name);
}

static void check_conditions(const struct experiment *experiment, struct config_diags *diags) {
    struct axis_list axes = axis_list_of(experiment);
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];

    for (size_t i = 0; i < experiment->condition_count; i++) {
        for (size_t j = 0; j < experiment->conditions[i].axis_count; j++) {
            const struct condition_axis *axis = &experiment->conditions[i].axes[j];
            bool known = false;

            for (size_t k = 0; k < axes.count; k++)
                known = known || strcmp(axes.name[k], axis->name.text) == 0;
            if (!known)
                diag_at(diags, axis->name.at, "'where' names the axis '%s'; expected %s%s",
                        axis->name.text, choices_text(axes.name, axes.count, choices),
                        nearest_text(axis->name.text, axes.name, axes.count, nearest));
            for (size_t k = 0; known && k < axis->count; k++)
                check_value(experiment, axis, &axis->values[k], diags);
        }
    }
    free(axes.name);
}

/* Removes cells by the conditions, each in its turn. */
static void apply_conditions(struct experiment *experiment, struct config_diags *diags) {
    size_t kept = 0;

    for (size_t i = 0; i < experiment->cell_count; i++) {
        bool keep = true;

        for (size_t j = 0; j < experiment->condition_count; j++)
            keep = keep && condition_matches(&experiment->cells[i], &experiment->conditions[j]) ==
                               experiment->conditions[j].only;
        if (keep)
            experiment->cells[kept++] = experiment->cells[i];
    }
    experiment->excluded = experiment->cell_count - kept;
    experiment->cell_count = kept;
    if (kept == 0 && experiment->excluded)
        diag_at(diags, experiment->conditions[experiment->condition_count - 1].at,
                "'where' leaves none of the %zu cells; loosen a condition", experiment->excluded);
}

/* ---- cells ---- */

static bool cells_equal(const struct experiment_cell *a, const struct experiment_cell *b) {
    if (a->layout != b->layout || a->params.count != b->params.count ||
        strcmp(workload_name(a->workload), workload_name(b->workload)) != 0)
        return false;
    for (size_t i = 0; i < a->params.count; i++)
        if (strcmp(a->params.item[i].name, b->params.item[i].name) != 0 ||
            a->params.item[i].value != b->params.item[i].value)
            return false;
    return true;
}

/* One cell; the choice of a value on each axis is `which`, counted as a mixed-radix number. */
static void add_cell(struct experiment *experiment, struct layout *layout,
                     const struct experiment_workload *entry, size_t which,
                     struct config_diags *diags) {
    struct experiment_cell *cell;

    experiment->cells =
        array_grow(experiment->cells, experiment->cell_count, sizeof(*experiment->cells));
    cell = &experiment->cells[experiment->cell_count];
    *cell = (struct experiment_cell){layout, entry->workload, *workload_params(entry->workload)};
    const struct config_params *preset =
        entry->preset.at.file ? workload_preset(entry->workload, entry->preset.text) : NULL;
    if (preset)
        params_put(&cell->params, preset);
    for (size_t i = entry->axis_count; i-- > 0;) {
        const struct param_axis *axis = &entry->axes[i];

        if (axis->count == 0)
            continue; /* its values were wrong and are reported */
        if (params_find(&cell->params, axis->name.text))
            params_set(&cell->params, axis->name.text, axis->values[which % axis->count].value);
        which /= axis->count;
    }
    for (size_t i = 0; i < experiment->cell_count; i++) {
        if (!cells_equal(&experiment->cells[i], cell))
            continue;
        diag_at(diags, entry->at,
                "workload '%s' with these params is in the grid already; leave one out",
                workload_name(entry->workload));
        return;
    }
    experiment->cell_count++;
}

static size_t combinations(const struct experiment_workload *entry) {
    size_t count = 1;

    for (size_t i = 0; i < entry->axis_count && count <= EXPERIMENT_MAX_CELLS; i++)
        count *= entry->axes[i].count ? entry->axes[i].count : 1;
    return count;
}

void experiment_expand(struct experiment *experiment, struct config_diags *diags) {
    size_t cells = 0, before;

    for (size_t i = 0; i < experiment->workload_count; i++)
        cells += combinations(&experiment->workloads[i]) * experiment->layout_count;
    if (cells > EXPERIMENT_MAX_CELLS) {
        diag_at(diags, experiment->workloads[0].at,
                "the grid has more than %d cells; split the experiment", EXPERIMENT_MAX_CELLS);
        return;
    }
    for (size_t i = 0; i < experiment->layout_count; i++)
        for (size_t j = 0; j < experiment->workload_count; j++)
            for (size_t k = 0; k < combinations(&experiment->workloads[j]); k++)
                add_cell(experiment, experiment->layouts[i].layout, &experiment->workloads[j], k,
                         diags);
    if (experiment->incomplete)
        return;
    before = diags->count;
    check_conditions(experiment, diags);
    if (diags->count == before)
        apply_conditions(experiment, diags);
}

/* ---- values from the command line ---- */

int experiment_override(struct experiment *experiment, const struct config_params *set, char *why,
                        size_t bytes) {
    bool preset_known = !set->preset[0], known[PLAN_MAX_PARAMS] = {false};

    for (size_t i = 0; i < experiment->cell_count; i++) {
        struct experiment_cell *cell = &experiment->cells[i];
        const struct config_params *preset =
            set->preset[0] ? workload_preset(cell->workload, set->preset) : NULL;

        if (preset) {
            preset_known = true;
            params_put(&cell->params, preset);
        }
        for (size_t k = 0; k < set->count; k++)
            known[k] = known[k] || params_find(&cell->params, set->item[k].name);
        params_put(&cell->params, set);
    }
    if (!preset_known) {
        snprintf(why, bytes, "no workload of the experiment has a preset %s", set->preset);
        return -EINVAL;
    }
    for (size_t k = 0; k < set->count; k++)
        if (!known[k]) {
            snprintf(why, bytes, "no workload of the experiment has a parameter %s",
                     set->item[k].name);
            return -EINVAL;
        }
    for (size_t i = 0; i < experiment->cell_count; i++)
        for (size_t j = 0; j < i; j++)
            if (cells_equal(&experiment->cells[i], &experiment->cells[j])) {
                snprintf(why, bytes,
                         "--set makes cells of workload %s equal that differ in the experiment; "
                         "leave out what is an axis there",
                         workload_name(experiment->cells[i].workload));
                return -EINVAL;
            }
    return 0;
}
