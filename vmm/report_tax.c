/*
 * What isolation costs: splits the figure of a layout into the software isolation tax and the
 * hardware isolation tax, and the latter along the ladder. docs/results.md defines the terms; a
 * figure that a definition needs and that is not there makes the tax unknown, never estimated.
 */
#include "report.h"
#include <math.h>
#include <string.h>

struct row { /* one operation in several layouts */
    const struct report_cell *cell;
    size_t count;
    double base;   /* the baseline's cost; NaN: not known */
    int simulated; /* 1: the baseline's figure is simulated */
};

/* Each rung of the ladder, the one below it, and what it adds. sip-page stands on the counterpart. */
static const struct rung {
    const char *layout, *below;
    enum report_part part;
} rungs[] = {
    {"sip-page", NULL, PART_PAGING},       {"hip-r0", "sip-page", PART_DOMAIN},
    {"hip-r0-s", "sip-page", PART_DOMAIN}, {"hip-r3", "hip-r0", PART_RING},
    {"hip-r3-s", "hip-r0-s", PART_RING},
};

/* The figure of a layout, if its code is of that kind. A simulated one is no measure of others. */
static const struct report_cell *find(const struct row *row, const char *layout,
                                      const char *safety) {
    for (size_t i = 0; i < row->count; i++)
        if (!strcmp(row->cell[i].layout, layout) && !strcmp(row->cell[i].status, "ok") &&
            !strcmp(row->cell[i].safety, safety))
            return &row->cell[i];
    return NULL;
}

static const struct report_cell *find_unchecked(const struct row *row) {
    const struct report_cell *cell = find(row, "unchecked", "unchecked");
    return cell ? cell : find(row, "sip-phys", "unchecked");
}

static const struct rung *find_rung(const char *layout) {
    for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]); i++)
        if (!strcmp(rungs[i].layout, layout))
            return &rungs[i];
    return NULL;
}

/* Climbs down the ladder from a cell to its counterpart in one domain. */
static void split_hardware(const struct row *row, const struct report_cell *counterpart,
                           struct report_cell *cell) {
    double part[REPORT_PARTS] = {0};
    const struct report_cell *at = cell;
    while (at != counterpart) {
        const struct rung *rung = find_rung(at->layout);
        if (!rung)
            return; /* not on the ladder */
        const struct report_cell *below =
            rung->below ? find(row, rung->below, cell->safety) : counterpart;
        if (!below) {
            cell->tax.gap = "a rung of the ladder below has no figure with the same kind of code";
            return;
        }
        part[rung->part] = (at->median - below->median) / row->base;
        at = below;
    }
    memcpy(cell->tax.part, part, sizeof(part));
}

static void split(const struct row *row, struct report_cell *cell) {
    struct report_tax *tax = &cell->tax;
    int unchecked = !strcmp(cell->safety, "unchecked");
    if (!strcmp(cell->safety, "none"))
        return; /* a peer is another system, not a boundary more or less in ours */
    const struct report_cell *floor = find_unchecked(row);
    const struct report_cell *counterpart = unchecked ? floor : find(row, "sip-phys", cell->safety);
    if (row->simulated) {
        tax->gap = "the baseline's figure is simulated";
    } else if (!(row->base > 0)) {
        tax->gap = "the baseline has no figure above 0 of this operation";
    } else if (!cell->safety[0]) {
        tax->gap = "the records do not tell how the code of the SIPs was compiled";
    } else if (!strcmp(cell->safety, "mixed")) {
        tax->gap = "SIPs of several kinds of code have no counterpart in one domain";
    } else if (!counterpart) {
        tax->gap = unchecked ? "unchecked code has no figure in one domain (layout unchecked)"
                             : "this kind of code has no figure in one domain (layout sip-phys)";
    } else {
        tax->hardware = (cell->median - counterpart->median) / row->base;
        split_hardware(row, counterpart, cell);
        if (floor)
            tax->software = (counterpart->median - floor->median) / row->base;
        else
            tax->gap = "unchecked code has no figure in one domain (layout unchecked)";
    }
}

void report_tax_fill(struct report_cell *cell, size_t count, const char *baseline) {
    struct row row = {.cell = cell, .count = count, .base = NAN};
    for (size_t i = 0; i < count; i++)
        if (!strcmp(cell[i].layout, baseline)) {
            row.simulated = report_cell_simulated(&cell[i]);
            row.base = strcmp(cell[i].status, "ok") ? NAN : cell[i].median;
        }
    for (size_t i = 0; i < count; i++)
        if (report_cell_measured(&cell[i]))
            split(&row, &cell[i]);
}
