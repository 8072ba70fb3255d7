/* Reads QEMU's log line by line. See profile_trace.h. */
#include "profile_trace.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4096

static struct profile_count *slot_find(struct profile_trace *trace, uint64_t address) {
    size_t at = (size_t)((address * 0x9e3779b97f4a7c15ull) >> 32) & (trace->room - 1);
    while (trace->slot[at].count && trace->slot[at].address != address)
        at = (at + 1) & (trace->room - 1);
    return &trace->slot[at];
}

static int trace_grow(struct profile_trace *trace) {
    struct profile_trace larger = {.room = trace->room ? trace->room * 2 : ROOM_FIRST};
    larger.slot = calloc(larger.room, sizeof(*larger.slot));
    if (!larger.slot)
        return -1;
    for (size_t i = 0; i < trace->room; i++)
        if (trace->slot[i].count)
            *slot_find(&larger, trace->slot[i].address) = trace->slot[i];
    free(trace->slot);
    trace->slot = larger.slot;
    trace->room = larger.room;
    return 0;
}

void profile_trace_settle(struct profile_trace *trace) {
    if (!trace->pending)
        return;
    trace->pending = 0;
    if (trace->used * 2 >= trace->room && trace_grow(trace)) {
        trace->failed = 1;
        return;
    }
    struct profile_count *slot = slot_find(trace, trace->last);
    trace->used += !slot->count;
    slot->address = trace->last;
    slot->count++;
    trace->total++;
}

/* "     3: v=0e e=0004 i=0 cpl=3 ...": an exception whose instruction did not complete. */
static int line_is_fault(const char *line) {
    const char *vector = strstr(line, ": v=");
    const char *software = vector ? strstr(vector, " i=") : NULL;
    if (!software || software[3] != '0')
        return 0;
    unsigned long number = strtoul(vector + 4, NULL, 16);
    return number < 32 && number != 1 && number != 2 && number != 3 && number != 4;
}

static void line_take(struct profile_trace *trace, const char *line) {
    static const char executed[] = "Trace ", stopped[] = "Stopped execution";
    if (!strncmp(line, executed, sizeof(executed) - 1)) {
        const char *address = strchr(line, '/');
        profile_trace_settle(trace);
        trace->pending = address != NULL;
        trace->last = address ? strtoull(address + 1, NULL, 16) : 0;
    } else if (!strncmp(line, stopped, sizeof(stopped) - 1) ||
               (*line == ' ' && line_is_fault(line))) {
        trace->pending = 0; /* before it ran */
    }
}

void profile_trace_take(struct profile_trace *trace, const char *text, size_t bytes) {
    while (bytes) {
        const char *newline = memchr(text, '\n', bytes);
        size_t part = newline ? (size_t)(newline - text) : bytes;
        size_t room = sizeof(trace->line) - 1 - trace->length;
        size_t kept = part < room ? part : room;
        memcpy(trace->line + trace->length, text, kept);
        trace->length += kept;
        if (!newline)
            return;
        trace->line[trace->length] = '\0';
        line_take(trace, trace->line);
        trace->length = 0;
        text += part + 1;
        bytes -= part + 1;
    }
}

void profile_trace_clear(struct profile_trace *trace) {
    if (trace->slot)
        memset(trace->slot, 0, trace->room * sizeof(*trace->slot));
    trace->used = 0;
    trace->total = 0;
    trace->pending = 0;
    trace->length = 0;
}

void profile_trace_free(struct profile_trace *trace) {
    free(trace->slot);
    *trace = (struct profile_trace){0};
}
