/* The `bulkhead` command: its table of sub-commands, and its help. Each sub-command has a file. */
#include "command.h"
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
    {"doctor", "what this host can run, and why not", cmd_doctor},
    {"list", "the layouts, workloads, experiments or mechanisms there are", cmd_list},
    {"check", "check YAML files; every error at once", cmd_check},
    {"explain", "the resolved picture of a layout and a workload", cmd_explain},
    {"run", "run an experiment, or one layout and workload", cmd_run},
    {"iso", "an ISO image that runs one cell on a bare machine", cmd_iso},
    {"import", "a result set from what a bare machine printed", cmd_import},
    {"report", "the tables of one result set or several", cmd_report},
    {"compare", "the same cells of several result sets side by side", cmd_compare},
    {"profile", "where the instructions of an operation go", cmd_profile},
    {"peer", "measure Linux with the same operations", cmd_peer},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const char *argp_program_version = "bulkhead " BULKHEAD_VERSION " (" BULKHEAD_COMMIT ")";

static void usage(FILE *to) {
    fputs("Usage: bulkhead COMMAND [ARGUMENT...]\n"
          "Measures what isolation costs: boots a small kernel and runs the same programs behind "
          "each boundary.\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s%s\n", commands[i].name, commands[i].about);
    fputs("\n`bulkhead COMMAND --help` tells about one of them.\n"
          "Exit status: 0 done, 1 the input is wrong, 2 usage, 3 this host cannot, "
          "4 a guest failed.\n",
          to);
}

static int unknown(const char *name) {
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = config_nearest(name, names, COMMANDS);
    fprintf(stderr, "bulkhead: there is no command %s", name);
    fprintf(stderr, near ? "; did you mean %s?\n" : "; `bulkhead --help` lists them\n", near);
    return STATUS_USAGE;
}

int main(int argc, char **argv) {
    argp_err_exit_status = STATUS_USAGE;
    if (argc < 2) {
        usage(stderr);
        return STATUS_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "help")) {
        usage(stdout);
        return STATUS_DONE;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        puts(argp_program_version);
        return STATUS_DONE;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        char name[32];
        if (strcmp(argv[1], commands[i].name))
            continue;
        snprintf(name, sizeof(name), "bulkhead %s", commands[i].name);
        argv[1] = name;
        int status = commands[i].run(argc - 1, argv + 1);
        if (fflush(stdout) || ferror(stdout)) {
            perror("bulkhead: standard output");
            return status ? status : STATUS_HOST;
        }
        return status;
    }
    return unknown(argv[1]);
}
