/* The options that set up a cell: sizes, seed, parameters. What runs it is for the sub-command. */
#include "settings.h"
#include "command.h"
#include "guest-kernel/result.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_LEAST (32u << 20)    /* result region and a plan */
#define MEMORY_MOST (3072ull << 20) /* one memory slot below the PCI hole */
#define MEMORY_STEP (2u << 20)
#define LOOP_MOST (1u << 20)

enum {
    KEY_SET = 256,
    KEY_SEED,
    KEY_MEMORY,
    KEY_SAMPLES,
    KEY_BATCH,
    KEY_WARMUP,
    KEY_PREEMPT,
    KEY_NO_PREEMPT,
};

static unsigned long long number_parse(const char *text, const char **end) {
    char *after;
    errno = 0;
    unsigned long long value = strtoull(text, &after, 0);
    *end = errno || after == text || *text == '-' ? NULL : after;
    return value;
}

unsigned long long settings_number(const char *option, unsigned long long least,
                                   unsigned long long most, const char *text,
                                   struct argp_state *state) {
    const char *end;
    unsigned long long value = number_parse(text, &end);
    if (!end || *end)
        argp_error(state, "--%s takes a number from %llu to %llu, not %s", option, least, most,
                   text);
    if (value < least || value > most)
        argp_failure(state, STATUS_INPUT, 0, "--%s is %s, expected %llu to %llu", option, text,
                     least, most);
    return value;
}

static unsigned long long memory_parse(const char *text, struct argp_state *state) {
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
    return value * unit;
}

static error_t parse(int key, char *text, struct argp_state *state) {
    struct settings_arguments *arguments = state->input;
    switch (key) {
    case KEY_SET:
        if (command_set(&arguments->set, text))
            argp_error(state, "--set takes NAME=NUMBER or preset=NAME, not %s", text);
        return 0;
    case KEY_SEED:
        arguments->seed =
            (struct settings_number){settings_number("seed", 0, LLONG_MAX, text, state), 1};
        return 0;
    case KEY_MEMORY:
        arguments->memory = (struct settings_number){memory_parse(text, state), 1};
        return 0;
    case KEY_SAMPLES:
        arguments->samples = (struct settings_number){
            settings_number("samples", 1, RESULT_MAX_SAMPLES, text, state), 1};
        return 0;
    case KEY_BATCH:
        arguments->batch =
            (struct settings_number){settings_number("batch", 1, LOOP_MOST, text, state), 1};
        return 0;
    case KEY_WARMUP:
        arguments->warmup =
            (struct settings_number){settings_number("warmup", 0, LOOP_MOST, text, state), 1};
        return 0;
    case KEY_PREEMPT:
    case KEY_NO_PREEMPT:
        arguments->preempt = key == KEY_PREEMPT ? PREEMPT_ON : PREEMPT_OFF;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"set", KEY_SET, "NAME=NUMBER", 0,
     "A parameter of the workload, or preset=NAME; may be repeated", 0},
    {"seed", KEY_SEED, "N", 0, "Seed of the order of cells and of the workloads", 0},
    {"memory", KEY_MEMORY, "SIZE", 0, "Guest memory, for instance 64M", 0},
    {"samples", KEY_SAMPLES, "N", 0, "Samples of each operation in a boot", 0},
    {"batch", KEY_BATCH, "N", 0, "Operations timed together as one sample", 0},
    {"warmup", KEY_WARMUP, "N", 0, "Operations before the first sample", 0},
    {"preempt", KEY_PREEMPT, NULL, 0,
     "Let the guest's timer take the processor from a SIP, whatever layout and experiment say", 0},
    {"no-preempt", KEY_NO_PREEMPT, NULL, 0,
     "Leave the processor to each SIP, whatever layout and experiment say", 0},
    {0},
};

const struct argp settings_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

void settings_override(struct experiment_settings *settings,
                       const struct settings_arguments *arguments) {
    if (arguments->seed.given)
        settings->seed = arguments->seed.value;
    if (arguments->memory.given)
        settings->memory_bytes = arguments->memory.value;
    if (arguments->samples.given)
        settings->samples = (uint32_t)arguments->samples.value;
    if (arguments->batch.given)
        settings->batch = (uint32_t)arguments->batch.value;
    if (arguments->warmup.given)
        settings->warmup = (uint32_t)arguments->warmup.value;
    if (arguments->preempt != PREEMPT_AS_LAYOUT)
        settings->preempt = arguments->preempt;
}

struct experiment *settings_pair(const char *with_layout, const char *with_workload,
                                 const struct settings_arguments *arguments) {
    const struct config_paths *paths = command_paths();
    struct config_diags diags = {0};
    struct layout *layout = NULL;
    struct workload *workload = NULL;
    struct experiment *experiment = NULL;
    int failed = layout_load(paths, with_layout, &layout, &diags) != 0;
    failed |= workload_load(paths, with_workload, &workload, &diags) != 0;
    if (!failed) {
        struct config_params params;
        if (!command_override(&params, &arguments->set, workload)) {
            experiment = experiment_single(layout, workload, &params);
            layout = NULL;
            workload = NULL;
        }
    }
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
    layout_free(layout);
    workload_free(workload);
    return experiment;
}
