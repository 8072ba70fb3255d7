/*
 * The tables of what isolation costs: the taxes of each layout, then the hardware tax rung by rung.
 */
#include "report_page.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN "–"

/* In per cent: 4.7, 1,325; UNKNOWN when NaN. */
static const char *percent(char text[static 32], double tax) {
    double value = tax * 100;
    if (!isfinite(value))
        return UNKNOWN;
    if (fabs(value) >= 99.95)
        return table_number(text, rint(value));
    snprintf(text, 32, "%.1f", value);
    return !strcmp(text, "-0.0") ? "0.0" : text;
}

/* ---- every layout ---- */

static void add_tax(struct page *page, struct table *table, const struct report_cell *cell) {
    char software[32], hardware[32], mark[24] = "";
    if (!cell || !report_cell_measured(cell)) {
        table_add(table, "-");
        return;
    }
    const struct report_tax *tax = &cell->tax;
    if (!isfinite(tax->software) || !isfinite(tax->hardware))
        page_footnote(page, "not known", tax->gap, mark);
    if (!isfinite(tax->software) && !isfinite(tax->hardware))
        table_add(table, UNKNOWN "%s", mark);
    else
        table_add(table, "%s %s %s%s%s", percent(software, tax->software),
                  tax->hardware < 0 ? "-" : "+", percent(hardware, fabs(tax->hardware)),
                  report_cell_simulated(cell) ? " " SIMULATED_MARK : "", mark);
}

/* 1 when the layout has taxes to tell of; a peer has none. */
static int taxed(const struct report_grid *grid, const char *layout) {
    return report_grid_has(grid, layout) && strcmp(report_grid_safety(grid, layout), "none");
}

static void print_grid(struct page *page, const struct report_grid *grid) {
    const struct report *report = page->report;
    char origin[300];
    size_t layouts = 0;
    for (size_t k = 0; k < report->layouts; k++)
        layouts += taxed(grid, report->layout[k]) != 0;
    if (!layouts)
        return;
    page_caption(page, "%s%s: software + hardware isolation tax, %% of %s", grid->title,
                 page_grid_origin(page, grid, origin), report->baseline);
    struct table *table = page_table(page, 2 + grid->columns, 2);
    if (!table)
        return;
    table_add(table, "layout");
    table_add(table, "code");
    for (size_t i = 0; i < grid->columns; i++)
        table_add(table, "%s", grid->column[i].label);
    for (size_t k = 0; k < report->layouts; k++) {
        const char *layout = report->layout[k];
        if (!taxed(grid, layout))
            continue;
        table_add(table, "%s", layout);
        table_add(table, "%s", report_grid_safety(grid, layout));
        for (size_t i = 0; i < grid->columns; i++)
            add_tax(page, table, report_column_find(&grid->column[i], layout));
    }
    page_table_end(page, table);
}

/* ---- rung by rung ---- */

#define RUNGS 6

static const struct {
    const char *heading, *layout, *absent;
    enum report_part part; /* REPORT_PARTS: the software tax */
} rungs[RUNGS] = {
    {"software", "sip-phys", "no figure of sip-phys", REPORT_PARTS},
    {"paging", "sip-page", "no figure of sip-page", PART_PAGING},
    {"domain", "hip-r0", "no figure of hip-r0", PART_DOMAIN},
    {"domain -s", "hip-r0-s", "no figure of hip-r0-s", PART_DOMAIN},
    {"ring", "hip-r3", "no figure of hip-r3", PART_RING},
    {"ring -s", "hip-r3-s", "no figure of hip-r3-s", PART_RING},
};

struct line { /* of one operation */
    double value[RUNGS];
    const char *gap[RUNGS];
    int known; /* how many values are */
};

static void line_fill(const struct report_column *column, struct line *line) {
    line->known = 0;
    for (size_t i = 0; i < RUNGS; i++) {
        const struct report_cell *cell = report_column_find(column, rungs[i].layout);
        if (!cell || strcmp(cell->status, "ok")) {
            line->value[i] = NAN;
            line->gap[i] = cell && report_cell_simulated(cell)
                               ? "the figure of this rung is simulated"
                               : rungs[i].absent;
            continue;
        }
        line->value[i] =
            rungs[i].part == REPORT_PARTS ? cell->tax.software : cell->tax.part[rungs[i].part];
        line->gap[i] = isfinite(line->value[i]) ? NULL : cell->tax.gap;
        line->known += isfinite(line->value[i]) != 0;
    }
}

static int lines_equal(const struct line *a, const struct line *b) {
    char x[32], y[32];
    for (size_t i = 0; i < RUNGS; i++)
        if (a->gap[i] != b->gap[i] || strcmp(percent(x, a->value[i]), percent(y, b->value[i])) != 0)
            return 0;
    return 1;
}

static void add_line(struct page *page, struct table *table, const struct report_grid *grid,
                     size_t first, size_t last, const struct line *line) {
    char number[32], mark[24];
    char *range = report_grid_range(grid, first, last);
    if (!range) {
        page->code = -ENOMEM;
        return;
    }
    if (grid->gathered)
        table_add(table, "%s", range);
    else
        table_add(table, "%s %s", grid->workload, range);
    free(range);
    if (page->several_units)
        table_add(table, "%s", grid->unit);
    if (page->several_backends)
        table_add(table, "%s", grid->backend);
    for (size_t i = 0; i < RUNGS; i++) {
        page_footnote(page, "not known", line->gap[i], mark);
        table_add(table, "%s%s", percent(number, line->value[i]), mark);
    }
}

/* Adds the lines of a grid, those of neighbours that are equal as one. */
static void add_lines(struct page *page, struct table *table, const struct report_grid *grid) {
    struct line line, other;
    for (size_t i = 0, next; i < grid->columns; i = next) {
        line_fill(&grid->column[i], &line);
        for (next = i + 1; next < grid->columns; next++) {
            line_fill(&grid->column[next], &other);
            if (!report_column_alike(&grid->column[i], &grid->column[next]) ||
                !lines_equal(&line, &other))
                break;
        }
        if (line.known)
            add_line(page, table, grid, i, next - 1, &line);
    }
}

static void print_rungs(struct page *page) {
    const size_t labels = 1 + (size_t)page->several_units + (size_t)page->several_backends;
    struct line line;
    int known = 0;
    for (size_t i = 0; i < page->grids; i++)
        for (size_t k = 0; k < page->grid[i].columns; k++) {
            line_fill(&page->grid[i].column[k], &line);
            known |= line.known > 0;
        }
    if (!known)
        return;
    page_caption(page, "The ladder rung by rung: what each step adds, %% of %s",
                 page->report->baseline);
    struct table *table = page_table(page, labels + RUNGS, labels);
    if (!table)
        return;
    table_add(table, "operation");
    if (page->several_units)
        table_add(table, "unit");
    if (page->several_backends)
        table_add(table, "backend");
    for (size_t i = 0; i < RUNGS; i++)
        table_add(table, "%s", rungs[i].heading);
    for (size_t i = 0; i < page->grids; i++)
        add_lines(page, table, &page->grid[i]);
    page_table_end(page, table);
    page_paragraph(page,
                   "software: sip-phys over unchecked; paging: sip-page over sip-phys; domain: "
                   "hip-r0 (-s: hip-r0-s) over sip-page; ring, with the heaps of its own and the "
                   "copies between them: hip-r3 over hip-r0 (-s: hip-r3-s over hip-r0-s).");
}

void page_taxes(struct page *page) {
    const struct report *report = page->report;
    const char *gap = NULL;
    int known = 0;
    char text[256];
    for (size_t i = 0; i < report->count; i++) {
        const struct report_tax *tax = &report->cell[i].tax;
        known |= isfinite(tax->software) || isfinite(tax->hardware);
        gap = gap ? gap : tax->gap;
    }
    if (!known && !gap)
        return; /* no figures at all */
    page_heading(page, "What isolation costs");
    if (!known) {
        snprintf(text, sizeof(text), "Not known: %s.", gap);
        page_paragraph(page, text);
        return;
    }
    snprintf(text, sizeof(text),
             "Each in per cent of what %.64s takes for the same operation. With the work itself, "
             "unchecked and in one domain, they add up to the ratio above.",
             report->baseline);
    page_paragraph(page, text);
    for (size_t i = 0; i < page->grids; i++)
        print_grid(page, &page->grid[i]);
    print_rungs(page);
}
