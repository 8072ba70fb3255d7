/*
 * Several result sets side by side: which cells they share, how far these differ, and in what the
 * sets were made differently. cmd_compare.c reads the sets and prints this.
 */
#ifndef BULKHEAD_COMPARE_H
#define BULKHEAD_COMPARE_H

#include "report.h"

#define COMPARE_MAX_SETS 26 /* they are called A to Z */

#define COMPARE_WARNINGS 6

struct compare_ratio {    /* of one set to the first */
    double value, lo, hi; /* NaN: not known */
    const char *verdict;  /* "same", "more", "less"; "unclear": the interval holds 1; "unknown" */
};
struct compare_row {
    const struct report_cell *cell[COMPARE_MAX_SETS]; /* NULL: not in that set */
    struct compare_ratio ratio[COMPARE_MAX_SETS];     /* [0] is not used */
};
struct compare_difference {
    char *key;                     /* dotted path in the manifest */
    char *value[COMPARE_MAX_SETS]; /* NULL: not told */
};
struct compare {
    struct report *const *report;
    size_t sets;
    struct compare_row *row;
    size_t rows;
    struct compare_difference *difference;
    size_t differences;
    char *warning[COMPARE_WARNINGS];
    size_t warnings;
};

/*
 * Compares `sets` reports with the first. -EINVAL with a sentence when their units differ: such
 * figures have no ratio. The reports must outlive the result.
 */
int compare_create(struct report *const *report, size_t sets, struct compare **compare,
                   struct error *error);
void compare_free(struct compare *compare);
/* 1 when the two cells count event number `event` differently; one that is not counted differs not. */
int compare_events_differ(const struct report_cell *a, const struct report_cell *b, size_t event);

int compare_print_text(const struct compare *compare, FILE *to); /* 0, or -ENOMEM */
int compare_print_json(const struct compare *compare, FILE *to);

#endif
