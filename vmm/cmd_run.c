/* bulkhead run: its arguments. What they do is in run.c. */
#include "command.h"
#include "run.h"
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_LEAST (32u << 20)    /* result region and a plan */
#define MEMORY_MOST (3072ull << 20) /* one memory slot below the PCI hole */
#define MEMORY_STEP (2u << 20)

enum {
    KEY_LAYOUT = 256,
    KEY_WORKLOAD,
    KEY_SET,
    KEY_BACKEND,
    KEY_CPU,
    KEY_REPEATS,
    KEY_SEED,
    KEY_MEMORY,
    KEY_SAMPLES,
    KEY_BATCH,
    KEY_WARMUP,
    KEY_PREEMPT,
    KEY_NO_PREEMPT,
    KEY_JOBS,
    KEY_TIMEOUT,
    KEY_OUT,
    KEY_RESUME,
    KEY_SELF_TEST,
    KEY_REPORT,
    KEY_KVM_DEVICE,
    KEY_UNTRUSTED,
    KEY_COUNT,
};

struct arguments {
    const char *experiment, *layout, *workload;
    struct config_params set;
    struct run_options run;
    unsigned long long number[KEY_COUNT - KEY_LAYOUT];
    char given[KEY_COUNT - KEY_LAYOUT];
    enum preempt_choice preempt; /* PREEMPT_AS_LAYOUT: as the experiment has it */
    int report;
};

/* The options that take a number, and the range that makes sense. */
static const struct number_option {
    int key;
    const char *name;
    unsigned long long least, most;
} number_options[] = {
    {KEY_REPEATS, "repeats", 1, 10000},
    {KEY_SEED, "seed", 0, LLONG_MAX},
    {KEY_SAMPLES, "samples", 1, RESULT_MAX_SAMPLES},
    {KEY_BATCH, "batch", 1, 1 << 20},
    {KEY_WARMUP, "warmup", 0, 1 << 20},
    {KEY_JOBS, "jobs", 1, 1024},
    {KEY_TIMEOUT, "timeout", 1, 86400},
};

static unsigned long long number_parse(const char *text, const char **end) {
    char *after;
    errno = 0;
    unsigned long long value = strtoull(text, &after, 0);
    *end = errno || after == text || *text == '-' ? NULL : after;
    return value;
}

static void number_take(struct arguments *arguments, int key, const char *text,
                        struct argp_state *state) {
    for (size_t i = 0; i < sizeof(number_options) / sizeof(number_options[0]); i++) {
        const struct number_option *option = &number_options[i];
        const char *end;
        if (option->key != key)
            continue;
        unsigned long long value = number_parse(text, &end);
        if (!end || *end)
            argp_error(state, "--%s takes a number from %llu to %llu, not %s", option->name,
                       option->least, option->most, text);
        if (value < option->least || value > option->most)
            argp_failure(state, STATUS_INPUT, 0, "--%s is %s, expected %llu to %llu", option->name,
                         text, option->least, option->most);
        arguments->number[key - KEY_LAYOUT] = value;
        arguments->given[key - KEY_LAYOUT] = 1;
    }
}

static void memory_take(struct arguments *arguments, const char *text, struct argp_state *state) {
    const char *end;
    unsigned long long value = number_parse(text, &end), unit = 0;
    if (end && (!strcmp(end, "M") || !strcmp(end, "MiB")))
        unit = 1ull << 20;
    else if (end && (!strcmp(end, "G") || !strcmp(end, "GiB")))
        unit = 1ull << 30;
    if (!unit)
        argp_error(state, "--memory takes a size in MiB or GiB, for instance 64M; not %s", text);
    else if (value > MEMORY_MOST / unit || value * unit < MEMORY_LEAST ||
             value * unit % MEMORY_STEP)
        argp_failure(state, STATUS_INPUT, 0,
                     "--memory is %s, expected an even number of MiB from %uM to %lluM", text,
                     MEMORY_LEAST >> 20, MEMORY_MOST >> 20);
    arguments->number[KEY_MEMORY - KEY_LAYOUT] = value * unit;
    arguments->given[KEY_MEMORY - KEY_LAYOUT] = 1;
}

static void backend_check(const char *name, const struct argp_state *state) {
    const char *names[8] = {"auto"};
    size_t count = 1;
    if (!strcmp(name, "auto") || backend_find(name))
        return;
    for (size_t i = 0; backend_all[i] && count < sizeof(names) / sizeof(names[0]); i++)
        names[count++] = backend_all[i]->name;
    const char *near = config_nearest(name, names, count);
    if (near)
        argp_error(state, "there is no backend %s; did you mean %s?", name, near);
    argp_error(state, "there is no backend %s; `bulkhead doctor` lists them", name);
}

static void arguments_check(const struct arguments *arguments, struct argp_state *state) {
    int pair = arguments->layout || arguments->workload;
    if (pair && arguments->experiment)
        argp_error(state, "name an experiment, or --layout and --workload, not both");
    if (!arguments->experiment && (!arguments->layout || !arguments->workload))
        argp_error(state, "name an experiment, or --layout and --workload");
    if (arguments->experiment && arguments->set.count)
        argp_error(state, "--set goes with --layout and --workload; an experiment file has params");
    if (arguments->run.resume && !arguments->run.out)
        argp_error(state, "--resume needs --out, the folder to go on with");
    backend_check(arguments->run.backend, state);
    if (arguments->run.backend_options.cpu_model && strcmp(arguments->run.backend, "bochs"))
        argp_error(state, "--cpu goes with --backend bochs, which has CPU models to choose from");
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
    case KEY_SET:
        if (command_set(&arguments->set, text))
            argp_error(state, "--set takes NAME=NUMBER, not %s", text);
        return 0;
    case KEY_BACKEND:
        arguments->run.backend = text;
        return 0;
    case KEY_CPU:
        arguments->run.backend_options.cpu_model = text;
        return 0;
    case KEY_MEMORY:
        memory_take(arguments, text, state);
        return 0;
    case KEY_PREEMPT:
    case KEY_NO_PREEMPT:
        arguments->preempt = key == KEY_PREEMPT ? PREEMPT_ON : PREEMPT_OFF;
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
    case KEY_REPORT:
        arguments->report = 1;
        return 0;
    case KEY_KVM_DEVICE:
        arguments->run.backend_options.kvm_device = text;
        return 0;
    case KEY_UNTRUSTED:
        arguments->run.allow_untrusted = 1;
        return 0;
    case 'v':
        arguments->run.verbose = 1;
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

static int experiment_find(const struct arguments *arguments, struct experiment **experiment) {
    const struct config_paths *paths = command_paths();
    struct config_diags diags = {0};
    struct layout *layout = NULL;
    struct workload *workload = NULL;
    int failed;
    *experiment = NULL;
    if (arguments->experiment) {
        failed = experiment_load(paths, arguments->experiment, experiment, &diags) != 0;
    } else {
        failed = layout_load(paths, arguments->layout, &layout, &diags) != 0;
        failed |= workload_load(paths, arguments->workload, &workload, &diags) != 0;
    }
    if (!failed && !arguments->experiment) {
        struct config_params params = *workload_params(workload);
        failed = command_override(&params, &arguments->set, workload_name(workload)) != 0;
        if (!failed) {
            *experiment = experiment_single(layout, workload, &params);
            layout = NULL;
            workload = NULL;
        }
    }
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
    layout_free(layout);
    workload_free(workload);
    return failed || !*experiment ? STATUS_INPUT : STATUS_DONE;
}

static struct experiment_settings settings_override(const struct experiment *experiment,
                                                    const struct arguments *arguments) {
    struct experiment_settings settings = *experiment_settings(experiment);
    struct {
        int key;
        uint32_t *field;
    } small[] = {{KEY_REPEATS, &settings.repeats},
                 {KEY_SAMPLES, &settings.samples},
                 {KEY_BATCH, &settings.batch},
                 {KEY_WARMUP, &settings.warmup},
                 {KEY_TIMEOUT, &settings.timeout_s}};
    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++)
        if (arguments->given[small[i].key - KEY_LAYOUT])
            *small[i].field = (uint32_t)arguments->number[small[i].key - KEY_LAYOUT];
    if (arguments->given[KEY_SEED - KEY_LAYOUT])
        settings.seed = arguments->number[KEY_SEED - KEY_LAYOUT];
    if (arguments->given[KEY_MEMORY - KEY_LAYOUT])
        settings.memory_bytes = arguments->number[KEY_MEMORY - KEY_LAYOUT];
    if (arguments->preempt != PREEMPT_AS_LAYOUT)
        settings.preempt = arguments->preempt;
    return settings;
}

static const struct argp_option options[] = {
    {"layout", KEY_LAYOUT, "NAME", 0, "Layout, by name or path", 0},
    {"workload", KEY_WORKLOAD, "NAME", 0, "Workload, by name or path", 0},
    {"set", KEY_SET, "NAME=NUMBER", 0, "A parameter of the workload; may be repeated", 0},
    {"backend", KEY_BACKEND, "auto|kvm|qemu|bochs", 0,
     "What runs the guests; auto takes kvm where it is real, else qemu", 0},
    {"cpu", KEY_CPU, "MODEL", 0, "The CPU that bochs models; default: tigerlake", 0},
    {"repeats", KEY_REPEATS, "N", 0, "Boots of each cell, where figures are time", 0},
    {"seed", KEY_SEED, "N", 0, "Seed of the order of cells and of the workloads", 0},
    {"memory", KEY_MEMORY, "SIZE", 0, "Guest memory, for instance 64M", 0},
    {"samples", KEY_SAMPLES, "N", 0, "Samples of each operation in a boot", 0},
    {"batch", KEY_BATCH, "N", 0, "Operations timed together as one sample", 0},
    {"warmup", KEY_WARMUP, "N", 0, "Operations before the first sample", 0},
    {"preempt", KEY_PREEMPT, NULL, 0,
     "Let the guest's timer take the processor from a SIP, whatever layout and experiment say", 0},
    {"no-preempt", KEY_NO_PREEMPT, NULL, 0,
     "Leave the processor to each SIP, whatever layout and experiment say", 0},
    {"jobs", KEY_JOBS, "N", 0,
     "Guests at a time, where figures are exact counts; default: one for each processor", 0},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "A boot that takes longer has failed", 0},
    {"out", KEY_OUT, "DIR", 0, "Result folder; default: results/EXPERIMENT-BACKEND-TIME", 0},
    {"resume", KEY_RESUME, NULL, 0, "Go on with an incomplete result folder", 0},
    {"self-test", KEY_SELF_TEST, NULL, 0,
     "Run the guest's self-tests too and print the guest's console (TAP)", 0},
    {"report", KEY_REPORT, NULL, 0, "Print the report table when done", 0},
    {"kvm-device", KEY_KVM_DEVICE, "PATH", 0, "KVM's device; default: /dev/kvm", 0},
    {"allow-untrusted", KEY_UNTRUSTED, NULL, 0,
     "Run even on a KVM that doctor calls not usable; the records say that figures mean nothing",
     0},
    {"verbose", 'v', NULL, 0, "Show the guest's console on standard error", 0},
    {0},
};

int cmd_run(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "EXPERIMENT\n--layout NAME --workload NAME",
        "Runs an experiment, or one layout and workload, and prints the result folder.",
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {
        .run = {.backend = "auto", .backend_options = {.kvm_device = "/dev/kvm"}}};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.run.jobs = (unsigned)arguments.number[KEY_JOBS - KEY_LAYOUT];
    struct experiment *experiment;
    char dir[PATH_MAX];
    int status = experiment_find(&arguments, &experiment);
    if (status)
        return status;
    struct experiment_settings settings = settings_override(experiment, &arguments);
    status =
        run_experiment(command_paths(), experiment, &settings, &arguments.run, dir, sizeof(dir));
    experiment_free(experiment);
    if (arguments.report && dir[0] && status < 128) {
        char *report[] = {"bulkhead report", dir, NULL};
        int reported = cmd_report(2, report);
        status = status ? status : reported;
    }
    return status;
}
