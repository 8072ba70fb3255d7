/* Running an experiment on a backend: every cell in a random order, into a result set. */
#ifndef BULKHEAD_RUN_H
#define BULKHEAD_RUN_H

#include "backend.h"
#include "choice.h"
#include "domain-config/config.h"
#include "kernels.h"
#include "records.h"

struct run_options {
    struct backend_choice backend; /* one that is not trusted: the records say so */
    const char *out;               /* result folder; NULL: results/EXPERIMENT-BACKEND-TIME */
    int resume;
    int self_test; /* run the guest's self-tests too; their TAP goes to stdout */
    int simulate;  /* leave out what the CPU lacks; records say so */
    int verbose;   /* guest console to stderr */
    unsigned jobs; /* guests at a time on a count-exact backend; 0: one for each CPU */
    struct backend_options backend_options;
};

struct run { /* one run as chosen; strings and pointers live as long as it */
    const struct config_paths *paths;
    const struct experiment *experiment;
    struct experiment_settings settings; /* the experiment's, with the command line's over them */
    const struct run_options *options;
    const struct backend *backend;
    struct backend_info info;
    struct kernels kernels;
    struct plan_header **plan; /* one for each cell of the experiment */
    uint32_t boots;            /* of a cell that go into the result set */
};

/*
 * Runs the experiment and prints the result folder's path on stdout. Returns an enum
 * command_status. `dir` receives the path, for a report. Ends early, with the set marked
 * incomplete, when the process is told to (SIGINT, SIGTERM, SIGHUP).
 */
int run_experiment(const struct config_paths *paths, const struct experiment *experiment,
                   const struct experiment_settings *settings, const struct run_options *options,
                   char *dir, size_t dir_bytes);

/* What the manifest says about the run. NULL when out of memory. */
json_t *run_manifest(const struct run *run);

#endif
