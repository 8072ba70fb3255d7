/*
 * What the suites of this folder share: result sets made up in a folder of their own, files and
 * output as strings.
 */
#ifndef TEST_REPORT_HELPERS_H
#define TEST_REPORT_HELPERS_H

#include "vmm/report.h"

/* A fresh folder under $TMPDIR or /tmp; temp_remove() removes it with result sets in it. */
char *temp_make(char path[static 256]);
void temp_remove(const char *path);

/* A whole file, malloc'ed; fails the test when it cannot be read. */
char *file_read(const char *path);
void file_write(const char *path, const char *text);

/* The report of a set in data/, and its text in a format, malloc'ed: "txt", "md", "html" ... */
struct report *report_make(const char *dir, const char *baseline);
void report_drop(struct report *report); /* with its data */
char *report_text(const struct report *report, const char *format);

/* A manifest in the given unit, and a good record with two samples. */
json_t *manifest_make(const char *unit);
struct record record_make(const char *layout, uint32_t boot, double first, double second);

#endif
