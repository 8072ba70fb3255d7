/* bulkhead run: its arguments. What they do is in run.c. */
#include "command.h"
#include "run.h"
#include "settings.h"
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_LAYOUT = 256,
    KEY_WORKLOAD,
    KEY_BACKEND,
    KEY_CPU,
    KEY_REPEATS,
    KEY_JOBS,
    KEY_TIMEOUT,
    KEY_OUT,
    KEY_RESUME,
    KEY_SELF_TEST,
    KEY_SIMULATE,
    KEY_REPORT,
    KEY_KVM_DEVICE,
    KEY_UNTRUSTED,
    KEY_COUNT,
};

struct arguments {
    const char *experiment, *layout, *workload;
    struct settings_arguments settings;
    struct run_options run;
    unsigned long long number[KEY_COUNT - KEY_LAYOUT];
    char given[KEY_COUNT - KEY_LAYOUT];
    int report;
};

/* The options that take a number, and the range that makes sense. */
static const struct number_option {
    int key;
    const char *name;
    unsigned long long least, most;
} number_options[] = {
    {KEY_REPEATS, "repeats", 1, 10000},
    {KEY_JOBS, "jobs", 1, 1024},
    {KEY_TIMEOUT, "timeout", 1, 86400},
};

static void number_take(struct arguments *arguments, int key, const char *text,
                        struct argp_state *state) {
    for (size_t i = 0; i < sizeof(number_options) / sizeof(number_options[0]); i++) {
        const struct number_option *option = &number_options[i];
        if (option->key != key)
            continue;
        arguments->number[key - KEY_LAYOUT] =
            settings_number(option->name, option->least, option->most, text, state);
        arguments->given[key - KEY_LAYOUT] = 1;
    }
}

static void arguments_check(const struct arguments *arguments, struct argp_state *state) {
    int pair = arguments->layout || arguments->workload;
    if (pair && arguments->experiment)
        argp_error(state, "name an experiment, or --layout and --workload, not both");
    if (!arguments->experiment && (!arguments->layout || !arguments->workload))
        argp_error(state, "name an experiment, or --layout and --workload");
    if (arguments->run.resume && !arguments->run.out)
        argp_error(state, "--resume needs --out, the folder to go on with");
    backend_choice_check(&arguments->run.backend, &arguments->run.backend_options, state);
}

static error_t parse(int key, char *text, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_LAYOUT:
        arguments->layout = text;
        return 0;
    case KEY_WORKLOAD:
        arguments->workload = text;
        return 0;
    case KEY_BACKEND:
        arguments->run.backend.name = text;
        return 0;
    case KEY_CPU:
        arguments->run.backend_options.cpu_model = text;
        return 0;
    case KEY_OUT:
        arguments->run.out = text;
        return 0;
    case KEY_RESUME:
        arguments->run.resume = 1;
        return 0;
    case KEY_SELF_TEST:
        arguments->run.self_test = 1;
        return 0;
    case KEY_SIMULATE:
        arguments->run.simulate = 1;
        return 0;
    case KEY_REPORT:
        arguments->report = 1;
        return 0;
    case KEY_KVM_DEVICE:
        arguments->run.backend_options.kvm_device = text;
        return 0;
    case KEY_UNTRUSTED:
        arguments->run.backend.allow_untrusted = 1;
        return 0;
    case 'v':
        arguments->run.verbose = 1;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->settings;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num)
            argp_error(state, "one experiment at a time, please");
        arguments->experiment = text;
        return 0;
    case ARGP_KEY_END:
        arguments_check(arguments, state);
        return 0;
    default:
        if (key <= KEY_LAYOUT || key >= KEY_COUNT)
            return ARGP_ERR_UNKNOWN;
        number_take(arguments, key, text, state);
        return 0;
    }
}

static struct experiment *experiment_find(const struct arguments *arguments) {
    struct config_diags diags = {0};
    struct experiment *experiment = NULL;
    if (!arguments->experiment)
        return settings_pair(arguments->layout, arguments->workload, &arguments->settings);
    if (experiment_load(command_paths(), arguments->experiment, &experiment, &diags))
        experiment = NULL;
    char why[256];
    if (experiment && experiment_override(experiment, &arguments->settings.set, why, sizeof(why))) {
        fprintf(stderr, "bulkhead: %s\n", why);
        experiment_free(experiment);
        experiment = NULL;
    }
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
    return experiment;
}

static struct experiment_settings settings_find(const struct experiment *experiment,
                                                const struct arguments *arguments) {
    struct experiment_settings settings = *experiment_settings(experiment);
    struct {
        int key;
        uint32_t *field;
    } own[] = {{KEY_REPEATS, &settings.repeats}, {KEY_TIMEOUT, &settings.timeout_s}};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (arguments->given[own[i].key - KEY_LAYOUT])
            *own[i].field = (uint32_t)arguments->number[own[i].key - KEY_LAYOUT];
    settings_override(&settings, &arguments->settings);
    return settings;
}

static const struct argp_option options[] = {
    {"layout", KEY_LAYOUT, "NAME", 0, "Layout, by name or path", 0},
    {"workload", KEY_WORKLOAD, "NAME", 0, "Workload, by name or path", 0},
    {"backend", KEY_BACKEND, "auto|kvm|qemu|bochs", 0,
     "What runs the guests; auto takes kvm where it is real, else qemu", 0},
    {"cpu", KEY_CPU, "MODEL", 0, "The CPU that bochs models; default: tigerlake", 0},
    {"repeats", KEY_REPEATS, "N", 0, "Boots of each cell, where figures are time", 0},
    {"jobs", KEY_JOBS, "N", 0,
     "Guests at a time, where figures are exact counts; default: one for each processor", 0},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "A boot that takes longer has failed", 0},
    {"out", KEY_OUT, "DIR", 0, "Result folder; default: results/EXPERIMENT-BACKEND-TIME", 0},
    {"resume", KEY_RESUME, NULL, 0, "Go on with an incomplete result folder", 0},
    {"self-test", KEY_SELF_TEST, NULL, 0,
     "Run the guest's self-tests too and print the guest's console (TAP)", 0},
    {"simulate", KEY_SIMULATE, NULL, 0,
     "Where the CPU lacks what a mechanism needs, leave out just that; such records are marked as "
     "simulated",
     0},
    {"report", KEY_REPORT, NULL, 0, "Print the report table when done", 0},
    {"kvm-device", KEY_KVM_DEVICE, "PATH", 0, "KVM's device; default: /dev/kvm", 0},
    {"allow-untrusted", KEY_UNTRUSTED, NULL, 0,
     "Run even on a KVM that doctor calls not usable; the records say that figures mean nothing",
     0},
    {"verbose", 'v', NULL, 0, "Show the guest's console on standard error", 0},
    {0},
};

int cmd_run(int argc, char **argv) {
    static const struct argp_child children[] = {{&settings_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "EXPERIMENT\n--layout NAME --workload NAME",
        "Runs an experiment, or one layout and workload, and prints the result folder.",
        children,
        NULL,
        NULL};
    struct arguments arguments = {
        .run = {.backend.name = "auto", .backend_options = {.kvm_device = "/dev/kvm"}}};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.run.jobs = (unsigned)arguments.number[KEY_JOBS - KEY_LAYOUT];
    char dir[PATH_MAX];
    struct experiment *experiment = experiment_find(&arguments);
    if (!experiment)
        return STATUS_INPUT;
    struct experiment_settings settings = settings_find(experiment, &arguments);
    int status =
        run_experiment(command_paths(), experiment, &settings, &arguments.run, dir, sizeof(dir));
    experiment_free(experiment);
    if (arguments.report && dir[0] && status < 128) {
        char *report[] = {"bulkhead report", dir, NULL};
        int reported = cmd_report(2, report);
        status = status ? status : reported;
    }
    return status;
}
