/* Which backend a command takes, and how it says why not another. */
#ifndef BULKHEAD_CHOICE_H
#define BULKHEAD_CHOICE_H

#include "backend.h"
#include <argp.h>

struct backend_choice {
    const char *name;    /* that backend_find() knows, or "auto" */
    int allow_untrusted; /* take one that boots though doctor calls it not usable */
};

/*
 * The named backend, or the first that is usable for "auto". Returns STATUS_DONE, or STATUS_HOST
 * after a message on stderr with doctor's reason.
 */
int backend_choose(const struct backend_choice *choice, const struct backend_options *options,
                   const struct backend **backend, struct backend_info *info);

/* Ends with a usage error when there is no such backend, or a CPU model for one without a choice. */
void backend_choice_check(const struct backend_choice *choice,
                          const struct backend_options *options, const struct argp_state *state);

#endif
