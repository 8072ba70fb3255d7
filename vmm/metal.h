/*
 * Runs on a bare machine: what the image carries about its cell, so that a log of what the machine
 * printed is all that is needed to make a result set of it. docs/bare-metal.md tells the format.
 */
#ifndef BULKHEAD_METAL_H
#define BULKHEAD_METAL_H

#include "backend.h"
#include "guest-kernel/result.h"
#include <jansson.h>

#define METAL_BACKEND "metal"
#define METAL_TEXT_BYTES 64

/*
 * The text that follows the plan in the image is a manifest without host, unit and trust, and in it
 * under "cell" what a record needs: layout, workload, params, safety, and whether there must be an
 * oracle and may be simulation.
 */
#define METAL_CELL "cell"

struct metal_machine { /* as it printed of itself; empty: it said nothing of it */
    char loader[METAL_TEXT_BYTES], firmware[METAL_TEXT_BYTES], vendor[METAL_TEXT_BYTES],
        brand[METAL_TEXT_BYTES], hypervisor[METAL_TEXT_BYTES];
    uint32_t family, model, stepping;
    uint64_t microcode;
    int steady_clock;        /* one rate, whatever the CPU's clock */
    int counts_instructions; /* its time-stamp counter is no clock at all */
};

struct metal_boot {
    struct metal_machine machine;
    json_t *about;    /* as above; NULL when the guest never got as far as its plan */
    uint8_t *region;  /* a result region, to be read as any other is */
    uint64_t bytes;   /* of it */
    const char *name; /* of the log, and the line of it where this boot begins */
    size_t line;
};

struct metal_log {
    struct metal_boot *boot;
    size_t count;
};

/*
 * Reads all boots in the logs, which are at `path`, `count` of them. A line that is there more than once
 * counts once, and it is enough that one of them is whole. Returns 0 and *log; or a negative errno with
 * *error naming file, line and mend, when a line is missing or damaged everywhere, or no boot was found.
 * The paths MUST outlive the log.
 */
int metal_log_read(char *const *path, size_t count, struct metal_log *log, struct error *error);
void metal_log_free(struct metal_log *log);

/* How far the clock can be trusted, and in `note` why not. */
enum backend_trust metal_trust(const struct metal_machine *machine, char *note, size_t bytes);
const char *metal_unit(const struct metal_machine *machine);
/* The manifest's "host". */
json_t *metal_host(const struct metal_machine *machine, const char *name);

#endif
