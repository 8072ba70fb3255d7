/* The line that a waiting user sees. */
#include "progress.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_start(struct progress *progress, size_t total) {
    *progress =
        (struct progress){.total = total, .start = seconds_now(), .live = isatty(STDERR_FILENO)};
}

void progress_clear(const struct progress *progress) {
    if (progress->live)
        fputs("\r\033[K", stderr);
}

void progress_step(struct progress *progress, const char *what, const char *status) {
    progress->done++;
    double gone = seconds_now() - progress->start;
    double left = gone / (double)progress->done * (double)(progress->total - progress->done);
    progress_clear(progress);
    fprintf(stderr, "[%zu/%zu] %s: %s, %.0f s left%s", progress->done, progress->total, what,
            status, left, progress->live ? "" : "\n");
    if (progress->live && progress->done == progress->total)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}
