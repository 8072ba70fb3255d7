/*
 * Checking one file of any kind for `bulkhead check`, with everything that a run would find out later:
 * for an experiment that is every pair of its grid.
 */
#include "plan_draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void check_layout(const struct config_paths *paths, const char *path,
                         struct config_diags *diags) {
    struct layout *layout;

    if (layout_load_at(paths, path, (struct mark){0}, &layout, diags) == 0)
        layout_free(layout);
}

static void check_workload(const struct config_paths *paths, const char *path,
                           struct config_diags *diags) {
    struct workload *workload;

    if (workload_load_at(paths, path, (struct mark){0}, &workload, diags) < 0)
        return;
    if (images_present(paths))
        for (size_t i = 0; i < workload->sip_count; i++)
            image_check(paths, "", workload->sips[i].image.text, -1, workload->sips[i].image.at,
                        diags);
    workload_free(workload);
}

static void check_cell(const struct config_paths *paths, const struct experiment *experiment,
                       const struct experiment_cell *cell, bool images,
                       struct config_diags *diags) {
    const struct experiment_settings *settings = &experiment->settings;
    const struct plan_options options = {
        .memory_bytes = settings->memory_bytes,
        .seed = settings->seed,
        .warmup = settings->warmup,
        .batch = settings->batch,
        .samples = settings->samples,
        .preempt = settings->preempt,
    };
    struct plan_header *plan;

    if (!images) {
        draft_free(draft_resolve(cell->layout, cell->workload, &cell->params, diags));
        return;
    }
    if (plan_build(paths, cell->layout, cell->workload, &cell->params, &options, &plan, diags) == 0)
        free(plan);
}

static void check_experiment(const struct config_paths *paths, const char *path,
                             struct config_diags *diags) {
    bool images = images_present(paths);
    struct experiment *experiment;

    if (experiment_load(paths, path, &experiment, diags) < 0)
        return;
    for (size_t i = 0; i < experiment->cell_count; i++)
        check_cell(paths, experiment, &experiment->cells[i], images, diags);
    experiment_free(experiment);
}

static const struct {
    const char *key; /* the first of the file */
    void (*check)(const struct config_paths *paths, const char *path, struct config_diags *diags);
} kinds[] = {
    {"layout", check_layout},
    {"workload", check_workload},
    {"experiment", check_experiment},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The index into kinds, or KINDS with a diagnostic. */
static size_t kind_of(struct reader *r) {
    const yaml_node_t *root = reader_root(r), *key = root;
    char found[FOUND_TEXT_BYTES], nearest[NEAREST_TEXT_BYTES] = "";
    const char *names[KINDS];

    if (root->type == YAML_MAPPING_NODE &&
        root->data.mapping.pairs.top > root->data.mapping.pairs.start)
        key = yaml_document_get_node(&r->document, root->data.mapping.pairs.start->key);
    for (size_t i = 0; i < KINDS; i++) {
        names[i] = kinds[i].key;
        if (key->type == YAML_SCALAR_NODE &&
            strcmp((char *)key->data.scalar.value, names[i]) == 0 && key != root)
            return i;
    }
    if (key->type == YAML_SCALAR_NODE)
        nearest_text((char *)key->data.scalar.value, names, KINDS, nearest);
    reader_error(r, key,
                 "the file begins with %s, expected the key layout, workload or experiment, "
                 "which tells its kind%s",
                 reader_found(key, found), nearest);
    return KINDS;
}

int config_check_file(const struct config_paths *paths, const char *path,
                      struct config_diags *diags) {
    struct reader r = {.path = path, .paths = paths, .diags = diags};
    size_t before = diags->count, kind = KINDS;
    bool failed;
    char *local = NULL;

    if (reader_open(&r) == 0) {
        kind = kind_of(&r);
        reader_close(&r);
    }
    /* The loaders take a bare word for a name in data_dir; this is a path in any case. */
    if (kind < KINDS && !reader_is_path(path)) {
        if (asprintf(&local, "./%s", path) < 0)
            local = NULL;
        path = local ? local : path;
    }
    if (kind < KINDS)
        kinds[kind].check(paths, path, diags);
    free(local);
    failed = diags->count > before;
    diag_tidy(diags);
    return failed ? -EINVAL : 0;
}
