/* Reading what the guest left in its result region. Every byte of it is hostile until checked. */
#ifndef BULKHEAD_RESULT_READ_H
#define BULKHEAD_RESULT_READ_H

#include "backend.h"
#include "guest-kernel/result.h"

struct result {
    struct result_header header; /* a copy, checked: strings end, counts and kinds are in range */
    uint64_t *values[RESULT_MAX_OPS]; /* of op i: its samples, then its overheads */
    char *log;                        /* printable text, malloc'ed; never NULL after success */
};

/*
 * Copies the region of `bytes` bytes and checks the copy. Returns 0; or -ENODATA when the guest
 * wrote none; or -EPROTO with *error naming the field that is wrong. Operations are read only in
 * state RESULT_DONE; in every other state header.ops is 0. Free with result_free() in either case.
 */
int result_read(const void *region, uint64_t bytes, struct result *result, struct error *error);
void result_free(struct result *result);

#endif
