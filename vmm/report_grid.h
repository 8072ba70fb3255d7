/*
 * The shape of the tables of a report: which operations stand side by side, and under which names.
 * What is printed in their places is the printers' business.
 */
#ifndef BULKHEAD_REPORT_GRID_H
#define BULKHEAD_REPORT_GRID_H

#include "report.h"

struct report_column {              /* one operation */
    const struct report_cell *cell; /* in some layouts, in the report's order */
    size_t cells;
    char *label; /* what tells it from its neighbours: "1 KiB", or its full name if gathered */
};

/*
 * Operations of one kind, unit and backend: those of a workload, or, gathered, those of workloads
 * that have only one.
 */
struct report_grid {
    const char *workload, *kind, *unit, *backend;
    char *title; /* the workload with what its columns have in common */
    int gathered;
    struct report_column *column; /* by operation, then by parameters */
    size_t columns;
};

/* 0 and the grids of a report, which must outlive them; or -ENOMEM. */
int report_grids_create(const struct report *report, struct report_grid **grid, size_t *count);
void report_grids_free(struct report_grid *grid, size_t count);

/* The cell of a layout, or NULL. */
const struct report_cell *report_column_find(const struct report_column *column,
                                             const char *layout);
/* 1 when any column of the grid has the layout. */
int report_grid_has(const struct report_grid *grid, const char *layout);
/* The safety kind of a layout's code in this grid; "varies" when its columns differ. */
const char *report_grid_safety(const struct report_grid *grid, const char *layout);
/* 1 when two columns differ in nothing but parameters, so that they can be told as a range. */
int report_column_alike(const struct report_column *a, const struct report_column *b);
/* Names columns first to last of a grid: "1 B", "1 B, 64 B" or "1 B ... 32 KiB". malloc'ed, or NULL. */
char *report_grid_range(const struct report_grid *grid, size_t first, size_t last);

#endif
