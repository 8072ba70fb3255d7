/* Progress on stderr: one live line on a terminal, plain lines elsewhere. */
#ifndef BULKHEAD_PROGRESS_H
#define BULKHEAD_PROGRESS_H

#include <stddef.h>

struct progress {
    size_t total, done;
    double start; /* seconds */
    int live;
};

void progress_start(struct progress *progress, size_t total);
/* One more is done; `what` names it, `status` is how it went. */
void progress_step(struct progress *progress, const char *what, const char *status);
/* Clears the live line, so that a message can be printed. */
void progress_clear(const struct progress *progress);

#endif
