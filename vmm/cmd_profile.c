/* bulkhead profile LAYOUT WORKLOAD: its arguments. How a profile is taken is in profile.c. */
#include "cancel.h"
#include "cell.h"
#include "choice.h"
#include "command.h"
#include "kernels.h"
#include "profile.h"
#include "settings.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A macro workload that is traced for a while takes longer than a run may. */
#define TIMEOUT_S 900
#define SAMPLES 5 /* as many readings of the clock stop the guest; the median needs no more */

enum {
    KEY_BACKEND = 512,
    KEY_BY,
    KEY_FORMAT,
    KEY_OP,
    KEY_SIMULATE,
    KEY_TIMEOUT,
    KEY_TOP,
};

typedef int profile_printer(struct profile *profile, const struct profile_view *view, FILE *to);

static const struct {
    const char *name;
    profile_printer *print;
} formats[] = {
    {"text", profile_print_text}, {"json", profile_print_json}, {"csv", profile_print_csv}};

static const char *const views[] = {
    [PROFILE_BY_FUNCTION] = "function", [PROFILE_BY_SIP] = "sip", [PROFILE_BY_DOMAIN] = "domain"};

struct arguments {
    const char *layout, *workload, *op;
    struct settings_arguments settings;
    struct backend_choice backend;
    profile_printer *print;
    enum profile_by by;
    unsigned long long top, timeout;
    int simulate, verbose;
};

static void format_take(struct arguments *arguments, const char *text, struct argp_state *state) {
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (!strcmp(text, formats[i].name)) {
            arguments->print = formats[i].print;
            return;
        }
    argp_error(state, "unknown format \"%s\": text, json or csv", text);
}

static void view_take(struct arguments *arguments, const char *text, struct argp_state *state) {
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
        if (!strcmp(text, views[i])) {
            arguments->by = (enum profile_by)i;
            return;
        }
    argp_error(state, "--by takes function, sip or domain, not \"%s\"", text);
}

static void arguments_check(const struct arguments *arguments, struct argp_state *state) {
    const char *backend = arguments->backend.name;
    if (!arguments->workload)
        argp_error(state, "name a layout and a workload");
    if (arguments->settings.preempt == PREEMPT_ON)
        argp_error(state, "a profile stops the guest where it reads its clock, and its timer would "
                          "go on: it is taken without --preempt");
    backend_choice_check(&arguments->backend, &(struct backend_options){0}, state);
    if (!strcmp(backend, "kvm"))
        argp_error(state, "a profile counts each instruction, which qemu can; on kvm a sampling "
                          "profiler sees the kernel's functions: perf kvm --guest "
                          "--guestvmlinux=IMAGES/kernel.elf record bulkhead run ...");
    if (strcmp(backend, "qemu") && strcmp(backend, "auto"))
        argp_error(state,
                   "a profile counts each instruction by QEMU's log: it needs --backend "
                   "qemu, and %s has none",
                   backend);
}

static error_t parse(int key, char *text, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_BACKEND:
        arguments->backend.name = text;
        return 0;
    case KEY_BY:
        view_take(arguments, text, state);
        return 0;
    case KEY_FORMAT:
        format_take(arguments, text, state);
        return 0;
    case KEY_OP:
        arguments->op = text;
        return 0;
    case KEY_SIMULATE:
        arguments->simulate = 1;
        return 0;
    case KEY_TIMEOUT:
        arguments->timeout = settings_number("timeout", 1, 86400, text, state);
        return 0;
    case KEY_TOP:
        arguments->top = settings_number("top", 1, 1000000, text, state);
        return 0;
    case 'v':
        arguments->verbose = 1;
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
        arguments_check(arguments, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct plan_header *plan_take(const struct experiment_cell *cell,
                                     const struct experiment_settings *settings, int simulate) {
    struct plan_options options = {.memory_bytes = settings->memory_bytes,
                                   .seed = settings->seed,
                                   .warmup = settings->warmup,
                                   .batch = settings->batch,
                                   .samples = settings->samples,
                                   .preempt = PREEMPT_OFF,
                                   .simulate = simulate};
    struct config_diags diags = {0};
    struct plan_header *plan = NULL;
    if (plan_build(command_paths(), cell->layout, cell->workload, &cell->params, &options, &plan,
                   &diags))
        plan = NULL;
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
    return plan;
}

static int status_of(int code) {
    switch (code) {
    case 0:
        return STATUS_DONE;
    case -EINTR:
        return 128 + cancel_signal;
    case -ESRCH:
        return STATUS_INPUT;
    case -ENOEXEC:
        return STATUS_GUEST;
    default:
        return STATUS_HOST;
    }
}

/* Takes the profile and prints it. */
static int profile_run(const struct arguments *arguments, const struct experiment_cell *cell,
                       const struct experiment_settings *settings, const struct plan_header *plan) {
    struct error error = {""};
    struct kernels kernels = {0};
    struct profile profile = {.ops = 0};
    struct profile_view view = {.layout = layout_name(cell->layout),
                                .workload = workload_name(cell->workload),
                                .safety = cell_safety(plan),
                                .by = arguments->by,
                                .top = (size_t)arguments->top};
    struct profile_cell with = {.plan = plan,
                                .op = arguments->op,
                                .memory_bytes = settings->memory_bytes,
                                .timeout_ms = (uint32_t)arguments->timeout * 1000,
                                .verbose = arguments->verbose,
                                .cancel = &cancel_signal};
    with.kernel_path = kernels_hold(&kernels, command_paths(), plan, &error);
    if (!with.kernel_path) {
        fprintf(stderr, "bulkhead: %s\n", error.text);
        return STATUS_INPUT;
    }
    cancel_listen();
    int code = profile_take(&with, &profile, &error);
    int status = status_of(code);
    if (code)
        fprintf(stderr, "bulkhead: %s\n", code == -EINTR ? "interrupted" : error.text);
    else if (arguments->print(&profile, &view, stdout))
        status = STATUS_HOST;
    profile_free(&profile);
    kernels_close(&kernels);
    return status;
}

static const struct argp_option options[] = {
    {"backend", KEY_BACKEND, "qemu", 0, "What runs the guest; there is no other that can do it", 0},
    {"by", KEY_BY, "function|sip|domain", 0, "What a row is; default: function", 0},
    {"format", KEY_FORMAT, "text|json|csv", 0, "How to print it; default: text", 0},
    {"op", KEY_OP, "NAME", 0, "Only this operation; default: all that the workload measures", 0},
    {"simulate", KEY_SIMULATE, NULL, 0,
     "Where the CPU lacks what a mechanism needs, leave out just that", 0},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "A boot that takes longer has failed; default: 900", 0},
    {"top", KEY_TOP, "N", 0, "Print the N largest rows, and one for the others", 0},
    {"verbose", 'v', NULL, 0, "Show the guest's console on standard error", 0},
    {0},
};

int cmd_profile(int argc, char **argv) {
    static const struct argp_child children[] = {{&settings_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "LAYOUT WORKLOAD",
        "Tells where the instructions of each operation go, by SIP or kernel and function: runs "
        "one "
        "layout and workload in QEMU and traces the samples that are the median.",
        children,
        NULL,
        NULL};
    struct arguments arguments = {
        .backend.name = "qemu", .print = profile_print_text, .timeout = TIMEOUT_S};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    struct experiment *experiment =
        settings_pair(arguments.layout, arguments.workload, &arguments.settings);
    if (!experiment)
        return STATUS_INPUT;
    const struct experiment_cell *cell = experiment_cell_at(experiment, 0);
    struct experiment_settings settings = *experiment_settings(experiment);
    settings.samples = SAMPLES;
    settings_override(&settings, &arguments.settings);
    struct plan_header *plan = plan_take(cell, &settings, arguments.simulate);
    int status = plan ? profile_run(&arguments, cell, &settings, plan) : STATUS_INPUT;
    free(plan);
    experiment_free(experiment);
    return status;
}
