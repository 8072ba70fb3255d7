/* A run has to measure something: here that it came to its end. */
#ifndef BULKHEAD_HOSTILE_DONE_H
#define BULKHEAD_HOSTILE_DONE_H

#include "sip.h"

static inline void done(const char *name) {
    static uint64_t one = 1;
    static struct abi_report report = {.batch = 1, .samples = 1, .operations = 1, .oracle = 1};
    for (uint32_t i = 0; name[i]; i++)
        report.name[i] = name[i];
    report.values = (uintptr_t)&one;
    if (sip_call_report(&report))
        sip_fail("the end of the run could not be reported");
}

#endif
