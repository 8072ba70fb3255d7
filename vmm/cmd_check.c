/* bulkhead check FILE... */
#include "command.h"
#include <argp.h>
#include <stdio.h>

struct check {
    const struct config_paths *paths;
    struct config_diags diags;
    int failed;
};

static error_t parse(int key, char *text, struct argp_state *state) {
    struct check *check = state->input;
    if (key == ARGP_KEY_NO_ARGS) {
        argp_error(state, "name the files to check");
    } else if (key == ARGP_KEY_ARG) {
        if (config_check_file(check->paths, text, &check->diags))
            check->failed = 1;
    } else {
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

int cmd_check(int argc, char **argv) {
    static const struct argp argp = {NULL,
                                     parse,
                                     "FILE...",
                                     "Checks layouts, workloads and experiments and prints every "
                                     "error as FILE:LINE:COL: what is wrong, with a suggestion.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct check check = {.paths = command_paths()};
    argp_parse(&argp, argc, argv, 0, NULL, &check);
    int failed = check.failed || check.diags.count;
    config_diags_print(&check.diags, stderr);
    config_diags_free(&check.diags);
    return failed ? STATUS_INPUT : STATUS_DONE;
}
