/* Running another program as a guest's emulator: its output is kept, and it never outlives us. */
#ifndef BULKHEAD_CHILD_H
#define BULKHEAD_CHILD_H

#include "backend.h"

#define CHILD_TEXT_BYTES (256u << 10) /* the most that is kept of one stream */

struct child_text {
    char *text; /* NUL-terminated, malloc'ed */
    size_t length;
};

struct child {
    char *const *argv;        /* argv[0] is a path */
    char *const *environment; /* NULL: that of this process */
    const int *inherit;       /* descriptors that the program keeps, under their numbers */
    size_t inherits;
    int console_read;  /* read end of the console's pipe, or -1; read and kept here */
    int console_write; /* its write end: inherited, and closed in this process */
    int verbose;       /* 1: the console also goes to stderr as it comes */
    uint32_t timeout_ms;
    int timeout_signal;         /* asks the program to end then, before it is killed; or 0 */
    const volatile int *cancel; /* may be NULL */
};

struct child_result {
    int wait_status; /* as of waitpid() */
    int timed_out;
    int cancelled;
    struct child_text console;
    struct child_text output; /* stdout and stderr of the program */
};

/*
 * Runs the program to its end, or ends it when the time is up or *cancel becomes non-zero. Returns
 * 0 when it ran, or a negative errno. The texts are the caller's to free. Closes both console ends.
 */
int child_run(const struct child *child, struct child_result *result, struct error *error);

/* The path of a program in $PATH, malloc'ed, or NULL. */
char *child_find(const char *program);

#endif
