/*
 * `bulkhead report DIR...`: reads one result set, or several as one, and prints what it says.
 */
#include "command.h"
#include "report.h"
#include <argp.h>
#include <errno.h>
#include <string.h>

#define MAX_SETS 26

struct options {
    const char *dir[MAX_SETS], *baseline, *format, *calibration;
    size_t dirs;
    int published;
};

static const char *const formats[] = {"text", "md", "html", "csv", "json"};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case 'f':
        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
            if (!strcmp(arg, formats[i]))
                options->format = formats[i];
        if (options->format != arg && strcmp(options->format, arg))
            argp_error(state, "unknown format \"%s\": text, md, html, csv or json", arg);
        return 0;
    case 'b':
        options->baseline = arg;
        return 0;
    case 'c':
        options->calibration = arg;
        return 0;
    case 'p':
        options->published = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (options->dirs == MAX_SETS)
            argp_error(state, "at most %d result sets", MAX_SETS);
        options->dir[options->dirs++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (!options->dirs)
            argp_error(state, "which result set? Give its folder, for instance results/ladder");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int print(const struct report *report, const char *format) {
    if (!strcmp(format, "json"))
        return report_print_json(report, stdout);
    if (!strcmp(format, "csv"))
        return report_print_csv(report, stdout);
    if (!strcmp(format, "html"))
        return report_print_html(report, stdout);
    return report_print_text(report, !strcmp(format, "md"), stdout);
}

/* The floors, from the sets' own primitives or those of options->calibration. */
static int fill_floors(struct report *report, const struct options *options,
                       struct result_data **data, struct error *error) {
    struct report *calibration = NULL;
    int code = 0;
    if (options->calibration) {
        code = result_set_load(options->calibration, data, error);
        if (!code)
            code = report_create(*data, NULL, &calibration, error);
    }
    if (!code)
        code = report_floors_fill(report, calibration, error);
    report_free(calibration);
    return code;
}

int cmd_report(int argc, char **argv) {
    static const struct argp_option option[] = {
        {"format", 'f', "text|md|html|csv|json", 0, "How to print it (text)", 0},
        {"baseline", 'b', "LAYOUT", 0,
         "Layout that ratios are to (unchecked, else sip-phys, sip-page, or the first)", 0},
        {"calibration", 'c', "DIR", 0,
         "Result set with the primitives that floors are from (`bulkhead run calibrate`), if not "
         "among the others",
         0},
        {"published", 'p', NULL, 0,
         "Lay ratios to sip-phys beside those of Deconstructing Process Isolation (MSPC 2006)", 0},
        {0},
    };
    static const struct argp argp = {
        option,
        parse,
        "DIR...",
        "Prints what a result set says: for each operation the median with its interval over "
        "boots, the ratio to a baseline layout, what software and hardware isolation cost, and the "
        "events that explain it. Several sets with different layouts are taken as one, for "
        "instance one of `bulkhead run` and one of `bulkhead peer`; `bulkhead compare` is for sets "
        "with the same layouts.",
        NULL,
        NULL,
        NULL};
    struct options options = {.format = "text"};
    struct result_data *data, *calibration = NULL;
    struct report *report;
    struct error error;

    argp_err_exit_status = STATUS_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &options))
        return STATUS_USAGE;
    if (result_set_load(options.dir[0], &data, &error)) {
        fprintf(stderr, "bulkhead report: %s\n", error.text);
        return STATUS_INPUT;
    }
    int code = 0;
    for (size_t i = 1; !code && i < options.dirs; i++)
        code = result_set_join(data, options.dir[i], &error);
    if (!code)
        code = report_create(data, options.baseline, &report, &error);
    if (!code) {
        code = fill_floors(report, &options, &calibration, &error);
        if (code) {
            report_free(report);
            report = NULL;
        }
    }
    if (!code) {
        report->published = options.published;
        code = print(report, options.format);
        if (!code && (fflush(stdout) || ferror(stdout)))
            code = -EIO;
        if (code)
            error_set(&error, code, "cannot print the report: %s", strerror(-code));
        report_free(report);
    }
    result_data_free(data);
    if (calibration)
        result_data_free(calibration);
    if (code)
        fprintf(stderr, "bulkhead report: %s\n", error.text);
    return code ? STATUS_INPUT : STATUS_DONE;
}
