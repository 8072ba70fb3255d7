/*
 * What the manifest says about a run: which backend, which settings, which images and which files,
 * as they were. What it says about the machine comes from manifest_host().
 */
#include "run.h"
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds VARIANT/NAME.SAFETY.elf -> hash for each image in the plan: the bytes that were in fact booted. */
static void images_add(json_t *images, const struct plan_header *plan) {
    static const char *const safety[] = {"unchecked", "checked", "masked"};
    const struct plan_image *image = plan_at(plan, plan->images);
    for (uint32_t i = 0; i < plan->images.count; i++) {
        char name[160], hash[SHA256_DIGEST_STRING_LENGTH];
        snprintf(name, sizeof(name), "%s%s.%s.elf", plan_image_variant(plan), image[i].name,
                 image[i].safety < 3 ? safety[image[i].safety] : "unknown");
        if (!json_object_get(images, name))
            json_object_set_new(images, name,
                                json_string(SHA256Data((const uint8_t *)plan + image[i].offset,
                                                       image[i].bytes, hash)));
    }
}

static json_t *images_hash(const struct run *run, size_t cells) {
    json_t *images = json_object();
    char hash[SHA256_DIGEST_STRING_LENGTH];
    for (size_t i = 0; i < run->kernels.count; i++) {
        const char *path = run->kernels.item[i].path;
        char name[64];
        snprintf(name, sizeof(name), "%skernel.elf", run->kernels.item[i].variant);
        json_object_set_new(images, name,
                            json_string(SHA256File(path, hash) ? hash : "unreadable"));
    }
    for (size_t i = 0; i < cells; i++)
        images_add(images, run->plan[i]);
    return images;
}

static void name_add_once(json_t *names, const char *name) {
    json_t *known;
    size_t i;
    json_array_foreach(names, i, known) {
        if (!strcmp(json_string_value(known), name))
            return;
    }
    json_array_append_new(names, json_string(name));
}

/* The resolved picture of each pair of layout and workload, as `explain` prints it. */
static json_t *pairs_resolve(const struct run *run, size_t cells) {
    json_t *pairs = json_object();
    for (size_t i = 0; i < cells; i++) {
        const struct experiment_cell *cell = experiment_cell_at(run->experiment, i);
        char name[2 * CONFIG_NAME_BYTES + 2], *text = NULL;
        size_t length = 0;
        snprintf(name, sizeof(name), "%s %s", layout_name(cell->layout),
                 workload_name(cell->workload));
        FILE *to = json_object_get(pairs, name) ? NULL : open_memstream(&text, &length);
        if (!to)
            continue;
        plan_explain(run->plan[i], to);
        fclose(to);
        json_object_set_new(pairs, name, json_stringn(text, length));
        free(text);
    }
    return pairs;
}

/* Adds the file's text under its path, which for a file of the data folder is relative to that. */
static void file_add(json_t *files, const struct config_paths *paths,
                     const struct config_file *file) {
    size_t root = strlen(paths->data_dir);
    const char *path = file->path;
    if (!strncmp(path, paths->data_dir, root) && path[root] == '/')
        path += root + strspn(path + root, "/");
    if (!json_object_get(files, path))
        json_object_set_new(files, path, json_string(file->text));
}

/* Every YAML file that the run was read from, as it was then. */
static json_t *files_list(const struct run *run, size_t cells) {
    json_t *files = json_object();
    if (experiment_file(run->experiment))
        file_add(files, run->paths, experiment_file(run->experiment));
    for (size_t i = 0; i < cells; i++) {
        const struct experiment_cell *cell = experiment_cell_at(run->experiment, i);
        size_t count;
        const struct config_file *file = layout_files(cell->layout, &count);
        for (size_t j = 0; j < count; j++)
            file_add(files, run->paths, &file[j]);
        file_add(files, run->paths, workload_file(cell->workload));
    }
    return files;
}

json_t *run_manifest(const struct run *run) {
    static const char *const preempt[] = {
        [PREEMPT_AS_LAYOUT] = "as the layout", [PREEMPT_ON] = "on", [PREEMPT_OFF] = "off"};
    const struct experiment_settings *settings = &run->settings;
    json_int_t cells = (json_int_t)experiment_cell_count(run->experiment);
    json_t *layouts = json_array(), *workloads = json_array();
    for (json_int_t i = 0; i < cells; i++) {
        const struct experiment_cell *cell = experiment_cell_at(run->experiment, (size_t)i);
        name_add_once(layouts, layout_name(cell->layout));
        name_add_once(workloads, workload_name(cell->workload));
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:I, s:I, s:i, s:i, s:i, s:I, s:s, s:i, s:b, s:b,"
        " s:b, s:o, s:o, s:o, s:o, s:o, s:{s:s, s:s, s:s}, s:o}",
        "experiment", settings->name, "backend", run->backend->name, "backend_version",
        run->info.version, "unit", run->info.unit, "trust", backend_trust_name(run->info.trust),
        "commit", BULKHEAD_COMMIT, "seed", (json_int_t)settings->seed, "repeats", (int)run->boots,
        "cells", cells * run->boots, "excluded", (json_int_t)experiment_excluded(run->experiment),
        "warmup", (int)settings->warmup, "batch", (int)settings->batch, "samples",
        (int)settings->samples, "memory_bytes", (json_int_t)settings->memory_bytes, "preempt",
        preempt[settings->preempt], "timeout_s", (int)settings->timeout_s, "self_test",
        run->options->self_test, "verified_by_second_boot", run->info.count_exact, "simulate",
        run->options->simulate, "layouts", layouts, "workloads", workloads, "images",
        images_hash(run, (size_t)cells), "files", files_list(run, (size_t)cells), "resolved",
        pairs_resolve(run, (size_t)cells), "build", "version", BULKHEAD_VERSION, "compiler",
        BULKHEAD_COMPILER, "flags", BULKHEAD_FLAGS, "host", manifest_host());
}
