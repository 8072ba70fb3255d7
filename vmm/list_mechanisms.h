/* bulkhead list mechanisms: which a backend can run, found out by booting a guest there. */
#ifndef BULKHEAD_LIST_MECHANISMS_H
#define BULKHEAD_LIST_MECHANISMS_H

#include "choice.h"
#include "domain-config/config.h"

struct list_mechanisms {
    struct backend_choice backend;
    struct backend_options options;
    int details; /* where each acts, what it can be set for, and where it is described */
};

/* Prints the table. Returns an enum command_status, after a message unless it is STATUS_DONE. */
int list_mechanisms(const struct list_mechanisms *list, const struct config_paths *paths);

#endif
