/* What sub-commands that run a cell have in common: the options that set it up, and what they do. */
#ifndef BULKHEAD_SETTINGS_H
#define BULKHEAD_SETTINGS_H

#include "domain-config/config.h"
#include <argp.h>

struct settings_arguments {
    struct config_params set;    /* --set */
    enum preempt_choice preempt; /* PREEMPT_AS_LAYOUT: as the experiment has it */
    struct settings_number {
        unsigned long long value;
        int given;
    } seed, memory, samples, batch, warmup;
};

/* For argp's children; its input is a struct settings_arguments. */
extern const struct argp settings_argp;

/*
 * The number in `text`, which must be from `least` to `most`; ends the process with a message that
 * names the option where it is not.
 */
unsigned long long settings_number(const char *option, unsigned long long least,
                                   unsigned long long most, const char *text,
                                   struct argp_state *state);

/* Puts what was given over the settings of the experiment. */
void settings_override(struct experiment_settings *settings,
                       const struct settings_arguments *arguments);

/*
 * The experiment that is one layout and one workload, with --set over the workload's parameters. NULL
 * after messages on stderr.
 */
struct experiment *settings_pair(const char *layout, const char *workload,
                                 const struct settings_arguments *arguments);

#endif
