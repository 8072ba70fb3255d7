/*
 * The boots of a profile. The first is short: where are the SIPs, and where do they read their clock? The
 * second runs at full speed and logs those readings. The third is stopped at each of them, and traced.
 */
#ifndef BULKHEAD_PROFILE_BOOTS_H
#define BULKHEAD_PROFILE_BOOTS_H

#include "profile.h"
#include "profile_gdb.h"
#include "profile_map.h"
#include "profile_match.h"

#define PROFILE_OWNERS (PROFILE_SIPS_MOST + 1) /* each SIP, then the kernel */
struct profile_site {                          /* the instruction behind a RDTSC */
    uint64_t address;
    uint32_t owner; /* a SIP, or the kernel */
};
struct profile_boots {
    const struct profile_cell *cell;
    struct profile_map *map;
    const void *kernel; /* ELF file in memory */
    size_t kernel_bytes;
    struct profile_site *site;
    size_t sites;

    struct profile_readings readings; /* found in the second boot, compared in the third */
    const unsigned char
        *wanted;        /* by reading: 1 if what follows up to the next one is to be traced */
    size_t wanted_last; /* the last such one: the boot ends behind it */
    uint64_t wanted_length;
    /* Takes the trace from one reading to the next. Returns 0 or -ENOMEM. */
    int (*traced)(void *context, size_t reading, const struct profile_trace *trace);
    void *context;

    struct boot_result result; /* of the latest boot; the caller frees it */
};

/* Each returns 0, or a negative errno and a sentence; -EPIPE: the guest ended too early. */
int profile_boots_locate(struct profile_boots *boots, struct error *error);
/* To the guest's end, whatever its verdict. Fills `readings`. */
int profile_boots_listen(struct profile_boots *boots, struct error *error);
/* Stops only at readings of owners that `readings` still has. */
int profile_boots_trace(struct profile_boots *boots, struct error *error);
void profile_boots_free(struct profile_boots *boots);

#endif
