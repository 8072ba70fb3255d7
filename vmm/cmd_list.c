/* bulkhead list layouts|workloads|experiments */
#include "command.h"
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"layouts", "workloads", "experiments"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static error_t parse(int key, char *text, struct argp_state *state) {
    const char **kind = state->input;
    if (key == ARGP_KEY_NO_ARGS) {
        argp_error(state, "say what to list: layouts, workloads or experiments");
    } else if (key != ARGP_KEY_ARG || *kind) {
        return ARGP_ERR_UNKNOWN;
    } else {
        for (size_t i = 0; i < KINDS; i++)
            if (!strcmp(text, kinds[i]))
                *kind = kinds[i];
        const char *near = config_nearest(text, kinds, KINDS);
        if (!*kind && near)
            argp_error(state, "cannot list %s; did you mean %s?", text, near);
        else if (!*kind)
            argp_error(state, "cannot list %s: say layouts, workloads or experiments", text);
    }
    return 0;
}

/* What the file says about itself; empty where it does not, or is broken (which `check` tells). */
static void about_print(const struct config_paths *paths, const char *kind, const char *name) {
    struct config_diags diags = {0};
    struct layout *layout;
    struct workload *workload;
    const char *about = NULL;
    if (!strcmp(kind, "layouts") && !layout_load(paths, name, &layout, &diags)) {
        about = layout_about(layout);
        printf("%-20s %s\n", name, about ? about : "");
        layout_free(layout);
    } else if (!strcmp(kind, "workloads") && !workload_load(paths, name, &workload, &diags)) {
        about = workload_about(workload);
        printf("%-20s %s\n", name, about ? about : "");
        workload_free(workload);
    } else {
        puts(name);
    }
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
}

int cmd_list(int argc, char **argv) {
    static const struct argp argp = {
        NULL,
        parse,
        "layouts|workloads|experiments",
        "Lists the layouts, workloads or experiments that can be named.",
        NULL,
        NULL,
        NULL};
    const char *kind = NULL;
    argp_parse(&argp, argc, argv, 0, NULL, &kind);
    const struct config_paths *paths = command_paths();
    char **names;
    size_t count;
    if (config_list(paths, kind, &names, &count)) {
        fprintf(stderr, "bulkhead: cannot read %s/%s; set BULKHEAD_DATA to where it is\n",
                paths->data_dir, kind);
        return STATUS_INPUT;
    }
    for (size_t i = 0; i < count; i++) {
        about_print(paths, kind, names[i]);
        free(names[i]);
    }
    free(names);
    return STATUS_DONE;
}
