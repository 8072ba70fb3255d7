/*
 * What a result set says: its records gathered into cells, with their statistics, ratios and
 * warnings. How a report looks is report_text.c's and report_html.c's (for people) and report_data.c's
 * (for programs).
 */
#ifndef BULKHEAD_REPORT_H
#define BULKHEAD_REPORT_H

#include "records.h"

enum report_flag {    /* what a reader must know about a cell, as bits */
    CELL_FEW_BOOTS,   /* time, from fewer boots than an interval needs */
    CELL_INEXACT,     /* counts that should be exact differ between boots or samples */
    CELL_DRIFT,       /* first and last boot are the extremes */
    CELL_BOOT_FAILED, /* some boots failed */
    CELL_ORACLE,      /* the work's checksum is not that of the other layouts or boots */
    CELL_UNTRUSTED,   /* cycles from a clock that is nested or emulated */
    CELL_UNIT_MIX,    /* the same operation is also there in another unit */
    CELL_FAR_BASE,    /* the baseline's figure comes from another backend */
    CELL_SIMULATED,   /* a mechanism was left out for want of a CPU that has it */
    REPORT_FLAGS
};

enum report_part { /* of the hardware tax, along the ladder */
    PART_PAGING,
    PART_DOMAIN,
    PART_RING,
    REPORT_PARTS
};
struct report_tax { /* in parts of the baseline's cost of the same operation; NaN: not known */
    double software, hardware;
    double part[REPORT_PARTS]; /* their sum is hardware; NaN also off the ladder, which has none */
    const char *gap;           /* which figure is missing for a tax or a part; NULL: none is */
};

struct report_cell {
    const char *layout, *workload, *op, *kind, *unit, *backend, *status, *reason, *trust, *note;
    const char *safety; /* of the SIPs' code, as in the records; "" not told */
    const char *host;
    const struct config_params *params;
    double median, lo, hi;            /* of the boots' medians, with the BCa interval; NaN: none */
    double min, q1, q3, mad;          /* of all samples */
    size_t n, boots;                  /* samples; boots that gave figures */
    double *boot_median;              /* in order of boot number */
    double ratio, ratio_lo, ratio_hi; /* to the baseline's same operation; NaN: none */
    struct report_tax tax;
    double events[RESULT_EVENTS_NAMED]; /* NaN: not counted */
    int has_events;
    double floor, over_floor; /* report_floors_fill(); NaN: none */
    uint64_t floor_lacks;     /* primitives not measured, so that the floor is a lower bound; */
    int floor_uncounted;      /* 1: and events were not counted */
    uint64_t oracle;
    unsigned flags; /* 1 << enum report_flag */
};

struct report {
    const struct result_data *data;
    const char *baseline; /* a layout of the set */
    const char **layout;  /* all of them, in the order of the ladder */
    size_t layouts;
    struct report_cell *cell; /* by workload, params, op, kind, unit, backend, layout */
    size_t count;
    struct report_cell *primitive; /* cells of `calibrate`, once floors are filled */
    size_t primitives;
    char **warning; /* about the set as a whole */
    size_t warnings;
    int published; /* 1: ratios are laid beside the paper's (published.h) */
};

/*
 * Builds the report; `baseline` may be NULL for the default: unchecked, else sip-phys, else sip-page,
 * else the first layout. `data` must outlive it. 0 or a negative errno with a sentence.
 */
int report_create(const struct result_data *data, const char *baseline, struct report **report,
                  struct error *error);
void report_free(struct report *report);

int report_cell_measured(const struct report_cell *cell); /* ok or simulated */
/* 1 for figures of something that only imitates a mechanism: no other figure is measured by them. */
int report_cell_simulated(const struct report_cell *cell);
#define SIMULATED_MARK "sim." /* beside such a figure, wherever people read it */
/* 1 when two cells are the same operation: all but the layout (and the backend) is equal. */
int report_cell_same_row(const struct report_cell *a, const struct report_cell *b);
/* What a flag means, as a sentence about one cell. */
const char *report_flag_text(enum report_flag flag);
/* "ping-pong 64 B depth=4": workload, operation if named otherwise, parameters. Returns `text`. */
char *report_cell_label(const struct report_cell *cell, char *text, size_t bytes);
/* One parameter: "depth=4", or "1 KiB" where its name is bytes. Returns `text`. */
char *report_param_text(const struct config_param *param, char text[static 64]);

/*
 * Fills the tax of each of `count` cells, which are one operation in several layouts (report_tax.c,
 * docs/results.md).
 */
void report_tax_fill(struct report_cell *cell, size_t count, const char *baseline);

/*
 * Takes the cells of the workload `calibrate` out of the report and of `calibration`, another report or
 * NULL, as primitives, those of `calibration` first, and fills the floor of each cell from those of its
 * host, backend and unit. `calibration`'s data must outlive the report. 0 or a negative errno with a
 * sentence.
 */
int report_floors_fill(struct report *report, struct report *calibration, struct error *error);
/* 0: the floor is a lower bound, because figures are missing; and calls `each` with what. */
int report_floor_whole(const struct report_cell *cell);
void report_floor_lacks(const struct report_cell *cell, void (*each)(const char *name, void *into),
                        void *into);
#define REPORT_LACKS_BYTES 512
/* The same as "cr3-keep, ibpb"; "" for none. Returns `text`. */
char *report_floor_lacks_text(const struct report_cell *cell, char text[static REPORT_LACKS_BYTES]);

/* A warning at the top, and all that the records and cells give rise to. 0, or -ENOMEM. */
int report_warn(struct report *report, const char *text);
int report_warn_all(struct report *report);

/* 0, or -ENOMEM. */
int report_print_text(const struct report *report, int markdown, FILE *to);
int report_print_html(const struct report *report, FILE *to);
int report_print_csv(const struct report *report, FILE *to);
int report_print_json(const struct report *report, FILE *to);

/* The paper's ratios in forms for programs, for reports with `published` (report_published.c). */
void report_published_json(const struct report *report, FILE *to); /* a key of the whole */
void report_published_csv_head(FILE *to); /* columns, each with its comma */
void report_published_csv(const struct report *report, const struct report_cell *cell, FILE *to);

#endif
