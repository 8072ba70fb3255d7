/* bulkhead explain LAYOUT WORKLOAD */
#include "command.h"
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct explain {
    const char *layout, *workload;
    struct config_params set;
    int dot;
};

enum {
    KEY_DOT = 256,
    KEY_SET
};

static error_t parse(int key, char *text, struct argp_state *state) {
    struct explain *explain = state->input;
    switch (key) {
    case KEY_DOT:
        explain->dot = 1;
        return 0;
    case KEY_SET:
        if (command_set(&explain->set, text))
            argp_error(state, "--set takes NAME=NUMBER or preset=NAME, not %s", text);
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "one layout and one workload, please");
        *(state->arg_num ? &explain->workload : &explain->layout) = text;
        return 0;
    case ARGP_KEY_END:
        if (!explain->workload)
            argp_error(state, "name a layout and a workload");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The presets that the workload has besides its defaults, a line each. */
static void presets_print(const struct workload *workload) {
    const char *name;
    for (size_t i = 1; (name = workload_preset_at(workload, i)); i++) {
        const struct config_params *values = workload_preset(workload, name);
        printf("%s%-8s", i == 1 ? "PRESET  VALUES\n" : "", name);
        for (size_t j = 0; j < values->count; j++)
            printf("%s%s=%" PRId64, j ? " " : "", values->item[j].name, values->item[j].value);
        puts("");
    }
    if (workload_preset_at(workload, 1))
        puts("");
}

static int explain_print(const struct explain *explain, const struct layout *layout,
                         const struct workload *workload, struct config_diags *diags) {
    /* What a run takes when no experiment says otherwise; the picture does not depend on it. */
    struct plan_options options = {
        .memory_bytes = 128u << 20, .seed = 1, .warmup = 1, .batch = 1, .samples = 1};
    struct config_params params;
    struct plan_header *plan;
    if (command_override(&params, &explain->set, workload) ||
        plan_build(command_paths(), layout, workload, &params, &options, &plan, diags))
        return STATUS_INPUT;
    (explain->dot ? plan_dot : plan_explain)(plan, stdout);
    if (!explain->dot)
        presets_print(workload);
    free(plan);
    return STATUS_DONE;
}

int cmd_explain(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"dot", KEY_DOT, NULL, 0, "Print a picture for Graphviz", 0},
        {"set", KEY_SET, "NAME=NUMBER", 0,
         "A parameter of the workload, or preset=NAME; may be repeated", 0},
        {0},
    };
    static const struct argp argp = {options,
                                     parse,
                                     "LAYOUT WORKLOAD",
                                     "Shows the domains, SIPs, channels and transfer kinds that a "
                                     "layout and a workload resolve to.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct explain explain = {0};
    struct config_diags diags = {0};
    struct layout *layout = NULL;
    struct workload *workload = NULL;
    argp_parse(&argp, argc, argv, 0, NULL, &explain);
    int failed = layout_load(command_paths(), explain.layout, &layout, &diags) != 0;
    failed |= workload_load(command_paths(), explain.workload, &workload, &diags) != 0;
    int status = failed ? STATUS_INPUT : explain_print(&explain, layout, workload, &diags);
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
    layout_free(layout);
    workload_free(workload);
    return status;
}
