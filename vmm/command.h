/*
 * The sub-commands of `bulkhead`. Adding one is a file cmd_NAME.c with its function, and a row in
 * the table of main.c. Each parses its own arguments with argp; argv[0] is "bulkhead NAME".
 */
#ifndef BULKHEAD_COMMAND_H
#define BULKHEAD_COMMAND_H

#include "domain-config/config.h"

enum command_status { /* exit statuses of the command */
    STATUS_DONE = 0,
    STATUS_INPUT = 1, /* a file or a name is wrong */
    STATUS_USAGE = 2, /* the command line is wrong */
    STATUS_HOST = 3,  /* this host cannot: a backend or a CPU feature is missing */
    STATUS_GUEST = 4, /* a guest failed */
    STATUS_INTERRUPTED = 130,
};

struct command {
    const char *name;
    const char *about;
    int (*run)(int argc, char **argv); /* returns an enum command_status */
};

int cmd_doctor(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_iso(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_peer(int argc, char **argv);
int cmd_profile(int argc, char **argv);

/*
 * Where the YAML files and the guest images are: $BULKHEAD_DATA and $BULKHEAD_IMAGES; else beside
 * an installed executable (../share/bulkhead and its images/); else the source and build trees. The
 * strings live as long as the process.
 */
const struct config_paths *command_paths(void);

/* Parses "name=value" or "preset=NAME" into params, over what is there. Returns 0 or -EINVAL. */
int command_set(struct config_params *params, const char *text);

/*
 * The workload's params with the preset of `set`, and its values over that. Returns 0, or -EINVAL
 * after messages on stderr that name the nearest known name of what the workload does not have.
 */
int command_override(struct config_params *params, const struct config_params *set,
                     const struct workload *workload);

#endif
