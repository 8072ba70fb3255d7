/*
 * Places in files, and what the room adds to the diagnostics of config.h: errors at a place, order,
 * and phrases that list choices.
 */
#ifndef BULKHEAD_DIAG_H
#define BULKHEAD_DIAG_H

#include "config.h"

struct mark {         /* a place in a file; file NULL: the thing was not written down */
    const char *file; /* owned by the model that holds the mark */
    int line, column;
};

/* Adds an error at `at`. */
void diag_at(struct config_diags *diags, struct mark at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sorts by file, line and column and drops repetitions. */
void diag_tidy(struct config_diags *diags);

/* "FILE:LINE:COL", for a message that names a second place. Returns `text`. */
#define MARK_TEXT_BYTES 512
const char *mark_text(struct mark at, char text[MARK_TEXT_BYTES]);

/* "a, b or c" into `text`, cut with an ellipsis where it does not fit. Returns `text`. */
#define CHOICES_TEXT_BYTES 384
const char *choices_text(const char *const *names, size_t count, char text[CHOICES_TEXT_BYTES]);

/* "; did you mean 'x'?" when one of the names is near, else "". Returns `text`. */
#define NEAREST_TEXT_BYTES 96
const char *nearest_text(const char *word, const char *const *names, size_t count,
                         char text[NEAREST_TEXT_BYTES]);

/*
 * Room for one more element, zeroed, in a malloc'ed array of `count` that only this function grows.
 * What cannot be held in memory cannot be judged: if there is none left, the program ends.
 */
void *array_grow(void *array, size_t count, size_t element_bytes);

/* A malloc'ed copy of at most `length` bytes of `text`, on the same terms. */
char *text_copy(const char *text, size_t length);

#endif
