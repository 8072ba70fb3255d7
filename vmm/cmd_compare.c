/*
 * `bulkhead compare DIR DIR...`: reads result sets and prints the same cells side by side.
 */
#include "command.h"
#include "compare.h"
#include <argp.h>
#include <errno.h>
#include <string.h>

struct options {
    const char *dir[COMPARE_MAX_SETS];
    size_t dirs;
    int json;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case 'f':
        options->json = !strcmp(arg, "json");
        if (!options->json && strcmp(arg, "text"))
            argp_error(state, "unknown format \"%s\": text or json", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (options->dirs == COMPARE_MAX_SETS)
            argp_error(state, "at most %d result sets", COMPARE_MAX_SETS);
        options->dir[options->dirs++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (options->dirs < 2)
            argp_error(state, "give two result sets or more; `bulkhead report` takes one");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int print(struct report *const *report, const struct options *options, struct error *error) {
    struct compare *compare;
    int code = compare_create(report, options->dirs, &compare, error);
    if (code)
        return code;
    code =
        options->json ? compare_print_json(compare, stdout) : compare_print_text(compare, stdout);
    if (!code && (fflush(stdout) || ferror(stdout)))
        code = -EIO;
    if (code)
        error_set(error, code, "cannot print the comparison: %s", strerror(-code));
    compare_free(compare);
    return code;
}

int cmd_compare(int argc, char **argv) {
    static const struct argp_option option[] = {
        {"format", 'f', "text|json", 0, "How to print it (text)", 0},
        {0},
    };
    static const struct argp argp = {
        option,
        parse,
        "DIR DIR...",
        "Prints the same cells of several result sets side by side, with their ratio to the first "
        "set and its interval. What was different when the sets were made comes first. Sets in "
        "different units are refused.",
        NULL,
        NULL,
        NULL};
    struct options options = {0};
    struct result_data *data[COMPARE_MAX_SETS] = {0};
    struct report *report[COMPARE_MAX_SETS] = {0};
    struct error error;
    int code = 0;

    argp_err_exit_status = STATUS_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &options))
        return STATUS_USAGE;
    for (size_t i = 0; !code && i < options.dirs; i++) {
        code = result_set_load(options.dir[i], &data[i], &error);
        if (!code)
            code = report_create(data[i], NULL, &report[i], &error);
    }
    if (!code)
        code = print(report, &options, &error);
    for (size_t i = 0; i < options.dirs; i++) {
        report_free(report[i]);
        result_data_free(data[i]);
    }
    if (code)
        fprintf(stderr, "bulkhead compare: %s\n", error.text);
    return code ? STATUS_INPUT : STATUS_DONE;
}
