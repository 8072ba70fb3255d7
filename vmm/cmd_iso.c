/* bulkhead iso: one cell as an image that a machine boots by itself. Making it is iso.c's work. */
#include "cancel.h"
#include "cell.h"
#include "command.h"
#include "iso.h"
#include "metal.h"
#include "run.h"
#include "settings.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_SIMULATE = 512
};

struct arguments {
    const char *layout, *workload, *out;
    struct settings_arguments settings;
    int simulate;
};

static error_t parse(int key, char *text, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case 'o':
        arguments->out = text;
        return 0;
    case KEY_SIMULATE:
        arguments->simulate = 1;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->settings;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "one layout and one workload, please");
        *(state->arg_num ? &arguments->workload : &arguments->layout) = text;
        return 0;
    case ARGP_KEY_END:
        if (!arguments->workload)
            argp_error(state, "name a layout and a workload");
        if (!arguments->out)
            argp_error(state, "-o FILE tells where the image goes");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What a log of the run must tell about it: the manifest, and what each record has in common. */
static char *about_text(const struct run *run) {
    const struct experiment_cell *cell = experiment_cell_at(run->experiment, 0);
    json_t *manifest = run_manifest(run), *params = json_object();
    for (size_t i = 0; i < cell->params.count; i++)
        json_object_set_new(params, cell->params.item[i].name,
                            json_integer(cell->params.item[i].value));
    json_object_set_new(
        manifest, METAL_CELL,
        json_pack("{s:s, s:s, s:o, s:s, s:b, s:b}", "layout", layout_name(cell->layout), "workload",
                  workload_name(cell->workload), "params", params, "safety",
                  cell_safety(run->plan[0]), "oracle", workload_oracle(cell->workload), "simulate",
                  run->options->simulate));
    static const char *const not_known[] = {"host", "unit", "trust", "verified_by_second_boot",
                                            "timeout_s"};
    for (size_t i = 0; i < sizeof(not_known) / sizeof(not_known[0]); i++)
        json_object_del(manifest, not_known[i]);
    char *text = json_dumps(manifest, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(manifest);
    return text;
}

/* The plan, and behind it that text. malloc'ed; NULL when out of memory. */
static char *module_make(const struct run *run, size_t *bytes) {
    char *about = about_text(run), *module = NULL;
    FILE *to = about ? open_memstream(&module, bytes) : NULL;
    int failed =
        !to || fwrite(run->plan[0], 1, run->plan[0]->total_bytes, to) != run->plan[0]->total_bytes;
    failed = failed || fputs(about, to) < 0;
    failed = (to && fclose(to)) || failed;
    free(about);
    if (!failed)
        return module;
    free(module);
    return NULL;
}

static int plan_take(struct run *run) {
    const struct experiment_cell *cell = experiment_cell_at(run->experiment, 0);
    struct plan_options options = {.memory_bytes = run->settings.memory_bytes,
                                   .seed = run->settings.seed,
                                   .warmup = run->settings.warmup,
                                   .batch = run->settings.batch,
                                   .samples = run->settings.samples,
                                   .preempt = run->settings.preempt,
                                   .simulate = run->options->simulate};
    struct config_diags diags = {0};
    int status = plan_build(run->paths, cell->layout, cell->workload, &cell->params, &options,
                            &run->plan[0], &diags);
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
    return status ? STATUS_INPUT : STATUS_DONE;
}

static int image_make(struct run *run, const char *out) {
    struct error error = {""};
    struct iso iso = {.memory_bytes = run->settings.memory_bytes, .cancel = &cancel_signal};
    iso.kernel_path = kernels_hold(&run->kernels, run->paths, run->plan[0], &error);
    int status = iso.kernel_path ? 0 : -ENOENT;
    char *module = status ? NULL : module_make(run, &iso.module_bytes);
    iso.module = module;
    if (!status && !module)
        status = error_set(&error, -ENOMEM, "out of memory for the image");
    if (!status) {
        cancel_listen();
        status = iso_make(&iso, out, &error);
    }
    free(module);
    kernels_close(&run->kernels);
    if (!status) {
        puts(out);
        return STATUS_DONE;
    }
    fprintf(stderr, "bulkhead: %s\n", error.text);
    if (status == -EINTR)
        return 128 + cancel_signal;
    return status == -EINVAL || status == -ENOENT || status == -EACCES ? STATUS_INPUT : STATUS_HOST;
}

static const struct argp_option options[] = {
    {"out", 'o', "FILE", 0, "The image", 0},
    {"simulate", KEY_SIMULATE, NULL, 0,
     "Where the CPU lacks what a mechanism needs, leave out just that; such records are marked as "
     "simulated",
     0},
    {0},
};

int cmd_iso(int argc, char **argv) {
    static const struct argp_child children[] = {{&settings_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "LAYOUT WORKLOAD -o FILE",
        "Makes an image that boots on a bare machine, without any hypervisor, runs one layout and "
        "workload there, and prints the samples on the serial port for bulkhead import.",
        children,
        NULL,
        NULL};
    static const struct backend metal = {.name = METAL_BACKEND};
    struct arguments arguments = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    struct experiment *experiment =
        settings_pair(arguments.layout, arguments.workload, &arguments.settings);
    if (!experiment)
        return STATUS_INPUT;
    struct run_options run_options = {.simulate = arguments.simulate};
    struct plan_header *plan = NULL;
    struct run run = {.paths = command_paths(),
                      .experiment = experiment,
                      .settings = *experiment_settings(experiment),
                      .options = &run_options,
                      .backend = &metal,
                      .info = {.unit = ""},
                      .plan = &plan,
                      .boots = 1};
    settings_override(&run.settings, &arguments.settings);
    int status = plan_take(&run);
    if (!status)
        status = image_make(&run, arguments.out);
    free(plan);
    experiment_free(experiment);
    return status;
}
