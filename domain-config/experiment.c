/*
 * Reading experiments and loading what they name. The grid of cells is in experiment_grid.c.
 */
#include "model.h"

#include "guest-kernel/result.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- words and keys ---- */

static const struct word preempt_words[] = {{"off", PREEMPT_OFF}, {"on", PREEMPT_ON}, {NULL, 0}};

static void read_layouts(struct reader *r, const yaml_node_t *node, void *into);
static void read_workloads(struct reader *r, const yaml_node_t *node, void *into);
static void read_where(struct reader *r, const yaml_node_t *node, void *into);
static void read_axes(struct reader *r, const yaml_node_t *node, void *into);
static void read_not(struct reader *r, const yaml_node_t *node, void *into);
static void read_only(struct reader *r, const yaml_node_t *node, void *into);

static const struct key experiment_keys[] = {
    KEY_FIELD("experiment", KEY_NAME, KEY_REQUIRED, struct experiment, name,
              "the experiment's name"),
    KEY_FIELD("about", KEY_TEXT, KEY_OPTIONAL, struct experiment, about, "one line about it"),
    KEY_READ("layouts", KEY_REQUIRED, read_layouts, "the layouts of the grid, a list of names"),
    KEY_READ("workloads", KEY_REQUIRED, read_workloads,
             "the workloads of the grid, a list of names or of {workload, params}"),
    KEY_FIELD("repeats", KEY_INTEGER, KEY_OPTIONAL, struct experiment, written.repeats,
              "boots of each cell", .low = 1, .high = 10000),
    KEY_FIELD("seed", KEY_INTEGER, KEY_OPTIONAL, struct experiment, written.seed,
              "fixes the order of cells and what workloads draw", .low = 0, .high = INT64_MAX),
    KEY_FIELD("warmup", KEY_INTEGER, KEY_OPTIONAL, struct experiment, written.warmup,
              "operations before a measurement", .low = 0, .high = 1 << 20),
    KEY_FIELD("batch", KEY_INTEGER, KEY_OPTIONAL, struct experiment, written.batch,
              "operations timed together as one sample", .low = 1, .high = 1 << 20),
    KEY_FIELD("samples", KEY_INTEGER, KEY_OPTIONAL, struct experiment, written.samples,
              "samples of a measurement", .low = 1, .high = RESULT_MAX_SAMPLES),
    KEY_FIELD("memory", KEY_INTEGER, KEY_OPTIONAL, struct experiment, written.memory,
              "bytes of guest memory", .low = 32 << 20, .high = 3ll << 30),
    KEY_FIELD("preempt", KEY_WORD, KEY_OPTIONAL, struct experiment, written.preempt,
              "whether the timer takes the processor from a SIP", .words = preempt_words),
    KEY_FIELD("timeout", KEY_INTEGER, KEY_OPTIONAL, struct experiment, written.timeout,
              "seconds after which a cell has failed", .low = 1, .high = 86400),
    KEY_READ("where", KEY_OPTIONAL, read_where,
             "which cells to drop or to keep, a list of {not: ...} and {only: ...}"),
};
struct workload_entry { /* while it is read: as entry_keys say */
    struct text name;
    struct experiment_workload out;
};
static const struct key entry_keys[] = {
    KEY_FIELD("workload", KEY_TEXT, KEY_REQUIRED, struct workload_entry, name,
              "the workload's name"),
    KEY_FIELD("preset", KEY_NAME, KEY_OPTIONAL, struct workload_entry, out.preset,
              "one of its presets, which 'params' go over"),
    KEY_READ("params", KEY_OPTIONAL, read_axes, "values for its params, one or a list each"),
};
static const struct key condition_keys[] = {
    KEY_READ("not", KEY_OPTIONAL, read_not, "drops the cells that match"),
    KEY_READ("only", KEY_OPTIONAL, read_only, "keeps the cells that match"),
};

static const struct key_table experiment_table[] = {KEY_TABLE(experiment_keys, 0)};
static const struct key_table entry_table[] = {KEY_TABLE(entry_keys, 0)};
static const struct key_table condition_table[] = {KEY_TABLE(condition_keys, 0)};

/* ---- layouts and workloads ---- */

static void read_layout(struct reader *r, const yaml_node_t *item, void *into) {
    struct experiment *experiment = into;
    struct mark at = reader_mark(r, item);
    struct layout *layout;
    const char *name;
    char place[MARK_TEXT_BYTES];

    if (reader_text(r, item, "an item of 'layouts'", &name) < 0 ||
        layout_load_at(r->paths, name, at, &layout, r->diags) < 0) {
        experiment->incomplete = true;
        return;
    }
    for (size_t i = 0; i < experiment->layout_count; i++) {
        if (strcmp(layout_name(experiment->layouts[i].layout), layout_name(layout)) != 0)
            continue;
        reader_error(r, item, "layout '%s' is listed twice, first at %s; keep one",
                     layout_name(layout), mark_text(experiment->layouts[i].at, place));
        layout_free(layout);
        return;
    }
    experiment->layouts =
        array_grow(experiment->layouts, experiment->layout_count, sizeof(*experiment->layouts));
    experiment->layouts[experiment->layout_count++] = (struct experiment_layout){at, layout};
}

static void read_layouts(struct reader *r, const yaml_node_t *node, void *into) {
    reader_list(r, node, "'layouts'", false, read_layout, into);
}

static void read_axis_value(struct reader *r, const yaml_node_t *item, void *into) {
    struct param_axis *axis = into;
    char place[MARK_TEXT_BYTES];
    struct setting value;

    if (reader_integer(r, item, "a value of a param", INT64_MIN, INT64_MAX, &value) < 0)
        return;
    for (size_t i = 0; i < axis->count; i++) {
        if (axis->values[i].value != value.value)
            continue;
        reader_error(r, item, "%lld is listed twice, first at %s; keep one", (long long)value.value,
                     mark_text(axis->values[i].at, place));
        return;
    }
    axis->values = array_grow(axis->values, axis->count, sizeof(*axis->values));
    axis->values[axis->count++] = (struct axis_value){value.value, value.at};
}

static void read_axis(struct reader *r, const struct name *name, const yaml_node_t *value,
                      void *into) {
    struct experiment_workload *entry = into;
    struct param_axis *axis;

    if (entry->axis_count == PLAN_MAX_PARAMS) {
        diag_at(r->diags, name->at, "more than %u params; the guest has room for no more",
                PLAN_MAX_PARAMS);
        return;
    }
    axis = &entry->axes[entry->axis_count++];
    axis->name = *name;
    reader_list(r, value, "'params'", true, read_axis_value, axis);
}

static void read_axes(struct reader *r, const yaml_node_t *node, void *into) {
    struct workload_entry *entry = into;

    reader_names(r, node, "'params'", read_axis, &entry->out);
}

static void check_axes(struct experiment_workload *entry, struct config_diags *diags) {
    const struct config_params *params = workload_params(entry->workload);
    const char *names[PLAN_MAX_PARAMS];
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];

    for (size_t i = 0; i < params->count; i++)
        names[i] = params->item[i].name;
    for (size_t i = 0; i < entry->axis_count; i++) {
        const struct name *name = &entry->axes[i].name;

        if (!params_find(params, name->text))
            diag_at(diags, name->at, "workload '%s' has no param '%s'; it has %s%s",
                    workload_name(entry->workload), name->text,
                    params->count ? choices_text(names, params->count, choices) : "none",
                    nearest_text(name->text, names, params->count, nearest));
    }
}

static void check_preset(const struct experiment_workload *entry, struct config_diags *diags) {
    const char *names[WORKLOAD_MAX_PRESETS + 1];
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];
    size_t count = 0;

    if (!entry->preset.at.file || workload_preset(entry->workload, entry->preset.text))
        return;
    while ((names[count] = workload_preset_at(entry->workload, count)) != NULL)
        count++;
    diag_at(diags, entry->preset.at, "workload '%s' has no preset '%s'; it has %s%s",
            workload_name(entry->workload), entry->preset.text, choices_text(names, count, choices),
            nearest_text(entry->preset.text, names, count, nearest));
}

static void free_entry(struct experiment_workload *entry) {
    for (size_t i = 0; i < entry->axis_count; i++)
        free(entry->axes[i].values);
    workload_free(entry->workload);
}

static void read_workload(struct reader *r, const yaml_node_t *item, void *into) {
    struct experiment *experiment = into;
    struct workload_entry entry = {0};
    const char *name;

    if (item->type == YAML_MAPPING_NODE)
        reader_mapping(r, item, "an item of 'workloads'", entry_table, 1, &entry);
    else if (reader_text(r, item, "an item of 'workloads'", &name) == 0)
        entry.name = (struct text){text_copy(name, strlen(name)), reader_mark(r, item)};
    if (entry.name.text && workload_load_at(r->paths, entry.name.text, entry.name.at,
                                            &entry.out.workload, r->diags) == 0) {
        check_axes(&entry.out, r->diags);
        check_preset(&entry.out, r->diags);
        entry.out.at = entry.name.at;
        experiment->workloads = array_grow(experiment->workloads, experiment->workload_count,
                                           sizeof(*experiment->workloads));
        experiment->workloads[experiment->workload_count++] = entry.out;
    } else {
        experiment->incomplete = true;
        free_entry(&entry.out);
    }
    free(entry.name.text);
}

static void read_workloads(struct reader *r, const yaml_node_t *node, void *into) {
    reader_list(r, node, "'workloads'", false, read_workload, into);
}

/* ---- where ---- */

static void read_condition_value(struct reader *r, const yaml_node_t *item, void *into) {
    struct condition_axis *axis = into;
    struct name value;

    if (reader_name(r, item, "a value in 'where'", &value) < 0)
        return;
    axis->values = array_grow(axis->values, axis->count, sizeof(*axis->values));
    axis->values[axis->count++] = value;
}

static void read_condition_axis(struct reader *r, const struct name *name, const yaml_node_t *value,
                                void *into) {
    struct condition *condition = into;
    struct condition_axis *axis;

    if (condition->axis_count == CONDITION_MAX_AXES) {
        diag_at(r->diags, name->at, "more than %d axes in one condition", CONDITION_MAX_AXES);
        return;
    }
    axis = &condition->axes[condition->axis_count++];
    axis->name = *name;
    reader_list(r, value, "a value in 'where'", true, read_condition_value, axis);
}

static void add_condition(struct reader *r, const yaml_node_t *node, struct experiment *experiment,
                          bool only) {
    struct condition *condition;

    experiment->conditions = array_grow(experiment->conditions, experiment->condition_count,
                                        sizeof(*experiment->conditions));
    condition = &experiment->conditions[experiment->condition_count++];
    condition->at = reader_mark(r, node);
    condition->only = only;
    reader_names(r, node, only ? "'only'" : "'not'", read_condition_axis, condition);
    if (condition->axis_count)
        return;
    experiment->condition_count--; /* it would match every cell */
    if (node->type == YAML_MAPPING_NODE)
        reader_error(r, node,
                     "%s names no axis and would match every cell; write for instance "
                     "{layout: sip-page}",
                     only ? "'only'" : "'not'");
}

static void read_not(struct reader *r, const yaml_node_t *node, void *into) {
    add_condition(r, node, into, false);
}

static void read_only(struct reader *r, const yaml_node_t *node, void *into) {
    add_condition(r, node, into, true);
}

static void read_condition(struct reader *r, const yaml_node_t *item, void *into) {
    reader_mapping(r, item, "an item of 'where'", condition_table, 1, into);
}

static void read_where(struct reader *r, const yaml_node_t *node, void *into) {
    reader_list(r, node, "'where'", false, read_condition, into);
}

/* ---- the file ---- */

static const struct experiment_settings default_settings = {
    .repeats = 5,
    .seed = 1,
    .warmup = 16,
    .batch = 32,
    .samples = 30,
    .memory_bytes = 128u << 20,
    .preempt = PREEMPT_AS_LAYOUT,
    .timeout_s = 60,
};

static void apply_settings(struct experiment *experiment) {
    struct experiment_settings *settings = &experiment->settings;

#define APPLY(field, setting)                                                                      \
    if (experiment->written.setting.at.file)                                                       \
    settings->field = (__typeof__(settings->field))experiment->written.setting.value
    *settings = default_settings;
    memcpy(settings->name, experiment->name.text, sizeof(settings->name));
    APPLY(repeats, repeats);
    APPLY(seed, seed);
    APPLY(warmup, warmup);
    APPLY(batch, batch);
    APPLY(samples, samples);
    APPLY(memory_bytes, memory);
    APPLY(preempt, preempt);
    APPLY(timeout_s, timeout);
#undef APPLY
}

int experiment_load(const struct config_paths *paths, const char *name, struct experiment **out,
                    struct config_diags *diags) {
    struct reader r = {.paths = paths, .diags = diags};
    size_t before = diags->count;
    char *path = reader_find_file(paths, "experiments", name, (struct mark){0}, diags);
    struct experiment *experiment;
    bool failed;

    if (!path)
        return -EINVAL;
    experiment = array_grow(NULL, 0, sizeof(*experiment));
    r.path = experiment->file.path = path;
    r.text = &experiment->file.text;
    if (reader_open(&r) == 0) {
        reader_mapping(&r, reader_root(&r), "an experiment", experiment_table, 1, experiment);
        reader_close(&r);
        apply_settings(experiment);
        experiment_expand(experiment, diags);
        if (!reader_is_path(name))
            reader_check_stem(name, &experiment->name, "experiment", diags);
    }
    failed = diags->count > before;
    diag_tidy(diags);
    if (failed) {
        experiment_free(experiment);
        return -EINVAL;
    }
    *out = experiment;
    return 0;
}

struct experiment *experiment_single(struct layout *layout, struct workload *workload,
                                     const struct config_params *params) {
    struct experiment *experiment = array_grow(NULL, 0, sizeof(*experiment));

    experiment->settings = default_settings;
    snprintf(experiment->settings.name, sizeof(experiment->settings.name), "%.15s-%.15s",
             layout_name(layout), workload_name(workload));
    experiment->layouts = array_grow(NULL, 0, sizeof(*experiment->layouts));
    experiment->layouts[experiment->layout_count++].layout = layout;
    experiment->workloads = array_grow(NULL, 0, sizeof(*experiment->workloads));
    experiment->workloads[experiment->workload_count++].workload = workload;
    experiment->cells = array_grow(NULL, 0, sizeof(*experiment->cells));
    experiment->cells[experiment->cell_count++] =
        (struct experiment_cell){layout, workload, *params};
    return experiment;
}

void experiment_free(struct experiment *experiment) {
    if (!experiment)
        return;
    for (size_t i = 0; i < experiment->layout_count; i++)
        layout_free(experiment->layouts[i].layout);
    for (size_t i = 0; i < experiment->workload_count; i++)
        free_entry(&experiment->workloads[i]);
    for (size_t i = 0; i < experiment->condition_count; i++)
        for (size_t j = 0; j < experiment->conditions[i].axis_count; j++)
            free(experiment->conditions[i].axes[j].values);
    free(experiment->layouts);
    free(experiment->workloads);
    free(experiment->conditions);
    free(experiment->cells);
    free(experiment->about.text);
    free(experiment->file.path);
    free(experiment->file.text);
    free(experiment);
}

const struct experiment_settings *experiment_settings(const struct experiment *experiment) {
    return &experiment->settings;
}

size_t experiment_cell_count(const struct experiment *experiment) { return experiment->cell_count; }

const struct experiment_cell *experiment_cell_at(const struct experiment *experiment,
                                                 size_t index) {
    return index < experiment->cell_count ? &experiment->cells[index] : NULL;
}

size_t experiment_excluded(const struct experiment *experiment) { return experiment->excluded; }

const struct config_file *experiment_file(const struct experiment *experiment) {
    return experiment->file.path ? &experiment->file : NULL;
}
