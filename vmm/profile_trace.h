/*
 * What QEMU writes with `-singlestep -d exec,int`, counted: how often each address was executed. The
 * text comes in parts of any length and is not kept.
 */
#ifndef BULKHEAD_PROFILE_TRACE_H
#define BULKHEAD_PROFILE_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct profile_count {
    uint64_t address;
    uint64_t count; /* 0: this element is free */
};
struct profile_trace {
    struct profile_count *slot; /* a hash table */
    size_t room, used;
    uint64_t total;
    uint64_t last; /* the latest instruction, not counted yet: it may turn out not to have run */
    int pending;
    int failed; /* out of memory */
    char line[128];
    size_t length;
};

/* Counts the lines that are whole. */
void profile_trace_take(struct profile_trace *trace, const char *text, size_t bytes);
/* Counts what is pending: the guest stands still, and all its lines have come. */
void profile_trace_settle(struct profile_trace *trace);
/* Begins anew. */
void profile_trace_clear(struct profile_trace *trace);
void profile_trace_free(struct profile_trace *trace);

#endif
