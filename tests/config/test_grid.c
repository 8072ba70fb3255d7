/*
 * Experiments: settings, the grid and what `where` removes.
 */
#include "domain-config/config.h"
#include "image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *images;
static struct config_paths paths;
static struct config_diags diags;

static void set_up(void) {
    images = test_folder_make();
    paths = (struct config_paths){SOURCE_DIR "/domain-config", images};
}

static void tear_down(void) {
    config_diags_free(&diags);
    test_folder_remove(images);
}

TestSuite(grid, .init = set_up, .fini = tear_down);

static struct experiment *load(const char *text) {
    struct experiment *experiment = NULL;
    char path[512];

    test_folder_add_text(images, "x.yaml", text);
    snprintf(path, sizeof(path), "%s/x.yaml", images);
    experiment_load(&paths, path, &experiment, &diags);
    config_diags_print(&diags, stderr);
    cr_assert(experiment);
    return experiment;
}

#define LAYOUTS "layouts: [sip-page, hip-r0]\n"
#define WORKLOADS "workloads: [abi-call, {workload: ping-pong, params: {bytes: [1, 64, 1K]}}]\n"

Test(grid, defaults_and_settings) {
    struct experiment *experiment = load("experiment: x\n" LAYOUTS WORKLOADS);
    const struct experiment_settings *settings = experiment_settings(experiment);

    cr_expect_str_eq(settings->name, "x");
    cr_expect(settings->repeats == 5 && settings->warmup == 16 && settings->batch == 32);
    cr_expect(settings->samples == 30 && settings->memory_bytes == 128 << 20);
    cr_expect(settings->preempt == PREEMPT_AS_LAYOUT && settings->timeout_s == 60);
    experiment_free(experiment);
    experiment = load("experiment: x\n" LAYOUTS WORKLOADS
                      "repeats: 2\nseed: 9\nwarmup: 1\nbatch: 2\nsamples: 3\nmemory: 64M\n"
                      "preempt: on\ntimeout: 5\n");
    settings = experiment_settings(experiment);
    cr_expect(settings->repeats == 2 && settings->seed == 9 && settings->warmup == 1);
    cr_expect(settings->batch == 2 && settings->samples == 3 && settings->timeout_s == 5);
    cr_expect(settings->memory_bytes == 64 << 20 && settings->preempt == PREEMPT_ON);
    experiment_free(experiment);
}

Test(grid, product) {
    struct experiment *experiment = load("experiment: x\n" LAYOUTS WORKLOADS);
    const struct experiment_cell *cell;

    cr_assert(experiment_cell_count(experiment) == 8 && experiment_excluded(experiment) == 0);
    cell = experiment_cell_at(experiment, 2);
    cr_expect_str_eq(layout_name(cell->layout), "sip-page");
    cr_expect_str_eq(workload_name(cell->workload), "ping-pong");
    cr_expect(cell->params.count == 1 && cell->params.item[0].value == 64);
    cell = experiment_cell_at(experiment, 7);
    cr_expect_str_eq(layout_name(cell->layout), "hip-r0");
    cr_expect(cell->params.item[0].value == 1024);
    cr_expect(experiment_cell_at(experiment, 8) == NULL);
    experiment_free(experiment);
}

Test(grid, product_of_two_params) {
    struct experiment *experiment;

    test_folder_add_text(images, "w.yaml",
                         "workload: w\nsips: {a: {image: abi-call, role: driver}}\n"
                         "params: {p: 0, q: 0, r: 7}\n");
    experiment = load("experiment: x\nlayouts: [sip-page]\n"
                      "workloads: [{workload: w.yaml, params: {p: [1, 2], q: [3, 4, 5]}}]\n");
    cr_assert(experiment_cell_count(experiment) == 6);
    for (size_t i = 0; i < 6; i++) {
        const struct config_params *params = &experiment_cell_at(experiment, i)->params;

        cr_expect(params->count == 3 && params->item[2].value == 7);
        cr_expect(params->item[0].value == (int64_t)(1 + i / 3));
        cr_expect(params->item[1].value == (int64_t)(3 + i % 3));
    }
    experiment_free(experiment);
}

Test(grid, not_and_only) {
    struct experiment *experiment =
        load("experiment: x\n" LAYOUTS WORKLOADS
             "where: [{not: {layout: sip-page, bytes: [64, 1K]}}, {not: {workload: abi-call}}]\n");

    cr_expect(experiment_cell_count(experiment) == 4 && experiment_excluded(experiment) == 4);
    experiment_free(experiment);
    experiment = load("experiment: x\n" LAYOUTS WORKLOADS
                      "where: [{only: {bytes: [1, 64]}}, {only: {layout: hip-r0}}]\n");
    cr_expect(experiment_cell_count(experiment) == 2 && experiment_excluded(experiment) == 6);
    experiment_free(experiment);
}

Test(grid, too_many_cells) {
    struct experiment *experiment = NULL;
    char *text = malloc(1 << 20), path[512];
    size_t used;

    cr_assert(text);
    test_folder_add_text(images, "w.yaml",
                         "workload: w\nsips: {a: {image: abi-call, role: driver}}\n"
                         "params: {p: 0, q: 0, r: 7}\n");
    used = (size_t)sprintf(text, "experiment: x\nlayouts: [sip-page]\n"
                                 "workloads: [{workload: w.yaml, params: {p: [0");
    for (int axis = 0; axis < 2; axis++) {
        for (int i = 1; i <= 100; i++)
            used += (size_t)sprintf(text + used, ", %d", i);
        used += (size_t)sprintf(text + used, axis ? "]}}]\n" : "], q: [0");
    }
    test_folder_add(images, "x.yaml", text, used);
    free(text);
    snprintf(path, sizeof(path), "%s/x.yaml", images);
    cr_assert(experiment_load(&paths, path, &experiment, &diags) < 0);
    cr_assert(diags.count == 1);
    cr_expect(strstr(diags.item[0].text, "more than 10000 cells"), "%s", diags.item[0].text);
}

Test(grid, ladder_and_quick) {
    struct experiment *experiment;

    cr_assert(experiment_load(&paths, "ladder", &experiment, &diags) == 0);
    cr_expect(experiment_cell_count(experiment) >= 8 * 12);
    experiment_free(experiment);
    cr_assert(experiment_load(&paths, "quick", &experiment, &diags) == 0);
    cr_expect(experiment_cell_count(experiment) >= 8 * 5);
    experiment_free(experiment);
}

Test(grid, single) {
    struct experiment *experiment;
    struct workload *workload;
    struct layout *layout;

    cr_assert(layout_load(&paths, "hip-r3", &layout, &diags) == 0);
    cr_assert(workload_load(&paths, "ping-pong", &workload, &diags) == 0);
    experiment = experiment_single(layout, workload, workload_params(workload));
    cr_expect(experiment_cell_count(experiment) == 1);
    cr_expect_str_eq(experiment_settings(experiment)->name, "hip-r3-ping-pong");
    cr_expect(experiment_cell_at(experiment, 0)->layout == layout);
    experiment_free(experiment);
}

/* An error of a layout does not hide those of the experiment that names it. */
Test(grid, errors_of_all_files) {
    struct experiment *experiment = NULL;
    char path[512];

    test_folder_add_text(images, "l.yaml",
                         "layout: l\npages: 5K\nplace: [{match: {role: '*'}, in: own}]\n");
    test_folder_add_text(images, "x.yaml",
                         "experiment: x\nlayouts: [l.yaml]\nworkloads: [yeild]\nrepeats: no\n");
    snprintf(path, sizeof(path), "%s/x.yaml", images);
    cr_assert(experiment_load(&paths, path, &experiment, &diags) < 0);
    cr_assert(diags.count == 3);
    cr_expect(diags.item[0].line == 2 && strstr(diags.item[0].file, "l.yaml"));
    cr_expect(diags.item[1].line == 3 && strstr(diags.item[1].text, "did you mean 'yield'?"));
    cr_expect(diags.item[2].line == 4 && strstr(diags.item[2].text, "'repeats' is 'no'"));
}

Test(grid, presets) {
    struct experiment *experiment =
        load("experiment: x\nlayouts: [sip-page]\nworkloads:\n"
             "  - {workload: webfiles, preset: full, params: {passes: [0, 2]}}\n"
             "  - webfiles\n");
    const struct experiment_cell *cell = experiment_cell_at(experiment, 0);

    cr_assert_eq(experiment_cell_count(experiment), 3);
    cr_expect_eq(cell->params.item[0].value, 0, "passes");
    cr_expect_eq(cell->params.item[1].value, 50000, "reads");
    cell = experiment_cell_at(experiment, 2);
    cr_expect_eq(cell->params.item[0].value, 1);
    cr_expect_eq(cell->params.item[1].value, 1000);
    cr_expect_str_eq(workload_preset_at(cell->workload, 0), "quick");
    cr_expect_eq(workload_preset(cell->workload, "quick")->count, 0);
    cr_expect_null(workload_preset(cell->workload, "slow"));
    cr_expect_null(workload_preset_at(cell->workload, 4));
    experiment_free(experiment);
}
