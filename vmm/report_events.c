/*
 * The tables of events. Events explain a figure and mostly repeat: operations that differ only in
 * size, and layouts, are told in one row when all their events are equal.
 */
#include "report_page.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_WIDTH                                                                                \
    28 /* columns of text for the layouts of a row, before they go to the next line */

enum { /* places in events[] with a treatment of their own */
    RING_CROSSINGS,
    BYTES_COPIED = 4
};

static const char *const heading[RESULT_EVENTS_NAMED] = {
    "crossings", "table sw.", "flushes", "ctx sw.",  "copied B",  "messages", "faults",
    "key sw.",   "barriers",  "L1D fl.", "buf. cl.", "RSB fills", "FP saves"};

static int counted(const struct report_cell *cell) {
    return report_cell_measured(cell) && cell->has_events;
}

static const struct report_cell *find_events(const struct report_column *column,
                                             const char *layout) {
    const struct report_cell *cell = report_column_find(column, layout);
    return cell && counted(cell) ? cell : NULL;
}

static int counts_equal(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* Equal in all events, bytes copied aside. */
static int events_equal(const struct report_cell *a, const struct report_cell *b) {
    if (!a || !b)
        return a == b;
    for (size_t i = 0; i < RESULT_EVENTS_NAMED; i++)
        if (i != BYTES_COPIED && !counts_equal(a->events[i], b->events[i]))
            return 0;
    return 1;
}

static int bytes_equal(const struct report_cell *a, const struct report_cell *b) {
    return !a || !b ? a == b : counts_equal(a->events[BYTES_COPIED], b->events[BYTES_COPIED]);
}

struct run { /* columns first to last of a grid, in all layouts */
    const struct report *report;
    const struct report_grid *grid;
    size_t first, last;
};

static const struct report_cell *run_cell(const struct run *run, size_t column,
                                          const char *layout) {
    return find_events(&run->grid->column[column], layout);
}

static int columns_equal(const struct run *run, size_t a, size_t b) {
    if (!report_column_alike(&run->grid->column[a], &run->grid->column[b]))
        return 0;
    for (size_t i = 0; i < run->report->layouts; i++)
        if (!events_equal(run_cell(run, a, run->report->layout[i]),
                          run_cell(run, b, run->report->layout[i])))
            return 0;
    return 1;
}

static int layouts_equal(const struct run *run, const char *a, const char *b, int only_bytes) {
    for (size_t i = run->first; i <= run->last; i++)
        if (!bytes_equal(run_cell(run, i, a), run_cell(run, i, b)) ||
            (!only_bytes && !events_equal(run_cell(run, i, a), run_cell(run, i, b))))
            return 0;
    return 1;
}

/* 1 when the bytes copied are the same in all columns of the run. */
static int bytes_constant(const struct run *run, const char *layout) {
    for (size_t i = run->first + 1; i <= run->last; i++)
        if (!bytes_equal(run_cell(run, run->first, layout), run_cell(run, i, layout)))
            return 0;
    return 1;
}

static struct run run_from(const struct report *report, const struct report_grid *grid,
                           size_t first) {
    struct run run = {.report = report, .grid = grid, .first = first, .last = first};
    while (run.last + 1 < grid->columns && columns_equal(&run, first, run.last + 1))
        run.last++;
    return run;
}

/* 1 when a layout before number `at` has the same events and so told of it already. */
static int told_before(const struct run *run, size_t at, int only_bytes) {
    for (size_t i = 0; i < at; i++)
        if (layouts_equal(run, run->report->layout[i], run->report->layout[at], only_bytes))
            return 1;
    return 0;
}

/* ---- rows ---- */

struct names { /* of layouts, over several lines where text is narrow */
    char **line;
    size_t lines;
};

static int names_add(struct names *names, const char *name, int narrow) {
    char *last = names->lines ? names->line[names->lines - 1] : NULL, *text;
    if (last && (!narrow || strlen(last) + 2 + strlen(name) <= NAMES_WIDTH)) {
        if (asprintf(&text, "%s, %s", last, name) < 0)
            return -ENOMEM;
        free(last);
        names->line[names->lines - 1] = text;
        return 0;
    }
    char **more = realloc(names->line, (names->lines + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    names->line = more;
    if (last) {
        if (asprintf(&text, "%s,", last) < 0)
            return -ENOMEM;
        free(last);
        more[names->lines - 1] = text;
    }
    more[names->lines] = strdup(name);
    return more[names->lines] ? (void)names->lines++, 0 : -ENOMEM;
}

static void names_free(struct names *names) {
    for (size_t i = 0; i < names->lines; i++)
        free(names->line[i]);
    free(names->line);
}

static int simulated(const struct run *run, const char *layout) {
    for (size_t i = run->first; i <= run->last; i++) {
        const struct report_cell *cell = run_cell(run, i, layout);
        if (cell && report_cell_simulated(cell))
            return 1;
    }
    return 0;
}

/* The layouts with the same events as number `at`, itself first; simulated ones are marked. */
static int names_fill(struct page *page, const struct run *run, size_t at, int only_bytes,
                      struct names *names) {
    const char *const *layout = run->report->layout;
    *names = (struct names){0};
    for (size_t i = at; !page->code && i < run->report->layouts; i++) {
        char name[320];
        if (i != at && !layouts_equal(run, layout[at], layout[i], only_bytes))
            continue;
        snprintf(name, sizeof(name), "%s%s", layout[i],
                 simulated(run, layout[i]) ? " " SIMULATED_MARK : "");
        page->code = names_add(names, name, page->style == TABLE_TEXT);
    }
    return page->code;
}

/* Events that are 0 in the whole grid get no column. */
static size_t find_shown(const struct report_grid *grid, int shown[RESULT_EVENTS_NAMED]) {
    size_t count = 0;
    for (size_t k = 0; k < RESULT_EVENTS_NAMED; k++) {
        shown[k] = 0;
        for (size_t i = 0; i < grid->columns; i++)
            for (size_t j = 0; j < grid->column[i].cells; j++)
                shown[k] |=
                    counted(&grid->column[i].cell[j]) && grid->column[i].cell[j].events[k] > 0;
        count += shown[k] != 0;
    }
    if (!count) {
        shown[RING_CROSSINGS] = 1;
        count = 1;
    }
    return count;
}

static void add_group(struct page *page, struct table *table, const struct run *run, size_t at,
                      const char *range, const int shown[RESULT_EVENTS_NAMED]) {
    const char *layout = run->report->layout[at];
    const struct report_cell *cell = run_cell(run, run->first, layout);
    struct names names;
    char number[32];
    if (!names_fill(page, run, at, 0, &names)) {
        for (size_t line = 0; line < names.lines; line++) {
            if (range)
                table_add(table, "%s", line ? "" : range);
            table_add(table, "%s", names.line[line]);
            for (size_t k = 0; k < RESULT_EVENTS_NAMED; k++) {
                if (!shown[k])
                    continue;
                if (line)
                    table_add(table, "%s", "");
                else if (k == BYTES_COPIED && !bytes_constant(run, layout))
                    table_add(table, "see below");
                else
                    table_add(table, "%s", table_number(number, cell->events[k]));
            }
        }
    }
    names_free(&names);
}

static void print_grid(struct page *page, const struct report_grid *grid) {
    int shown[RESULT_EVENTS_NAMED];
    size_t columns = find_shown(grid, shown);
    int ranges = run_from(page->report, grid, 0).last + 1 < grid->columns;
    char *all = report_grid_range(grid, 0, grid->columns - 1), origin[300];
    int told = ranges || grid->gathered; /* each column by its name */
    page_caption(page, "%s%s%s%s: events per operation", grid->title, told ? "" : ", ",
                 told || !all ? "" : all, page_grid_origin(page, grid, origin));
    free(all);
    struct table *table = page_table(page, 1 + (size_t)ranges + columns, 1 + (size_t)ranges);
    if (!table)
        return;
    if (ranges)
        table_add(table, "operation");
    table_add(table, "layouts");
    for (size_t k = 0; k < RESULT_EVENTS_NAMED; k++)
        if (shown[k])
            table_add(table, "%s", heading[k]);
    for (size_t i = 0; !page->code && i < grid->columns;) {
        struct run run = run_from(page->report, grid, i);
        char *range = report_grid_range(grid, run.first, run.last);
        page->code = range ? 0 : -ENOMEM;
        for (size_t k = 0; !page->code && k < page->report->layouts; k++)
            if (run_cell(&run, run.first, page->report->layout[k]) && !told_before(&run, k, 0))
                add_group(page, table, &run, k, ranges ? range : NULL, shown);
        free(range);
        i = run.last + 1;
    }
    page_table_end(page, table);
}

/* ---- bytes copied ---- */

/* 1 when in some row of the events the bytes copied differ by size. */
static int bytes_differ(const struct report *report, const struct report_grid *grid,
                        const char *layout) {
    for (size_t i = 0; i < grid->columns;) {
        struct run run = run_from(report, grid, i);
        if (!bytes_constant(&run, layout))
            return 1;
        i = run.last + 1;
    }
    return 0;
}

static void print_bytes(struct page *page, const struct report_grid *grid) {
    const struct report *report = page->report;
    const struct run all = {report, grid, 0, grid->columns - 1};
    struct table *table = NULL;
    struct names names;
    char number[32];
    for (size_t k = 0; !page->code && k < report->layouts; k++) {
        if (!bytes_differ(report, grid, report->layout[k]) || told_before(&all, k, 1))
            continue;
        if (!table) {
            page_caption(page, "%s: bytes copied per operation, by size", grid->title);
            table = page_table(page, 1 + grid->columns, 1);
            if (!table)
                return;
            table_add(table, "layouts");
            for (size_t i = 0; i < grid->columns; i++)
                table_add(table, "%s", grid->column[i].label);
        }
        if (!names_fill(page, &all, k, 1, &names)) {
            for (size_t line = 0; line < names.lines; line++) {
                table_add(table, "%s", names.line[line]);
                for (size_t i = 0; i < grid->columns; i++) {
                    const struct report_cell *cell = run_cell(&all, i, report->layout[k]);
                    table_add(table, "%s",
                              line   ? ""
                              : cell ? table_number(number, cell->events[BYTES_COPIED])
                                     : "-");
                }
            }
        }
        names_free(&names);
    }
    if (table)
        page_table_end(page, table);
}

static int has_events(const struct report_grid *grid) {
    for (size_t i = 0; i < grid->columns; i++)
        for (size_t k = 0; k < grid->column[i].cells; k++)
            if (counted(&grid->column[i].cell[k]))
                return 1;
    return 0;
}

void page_events(struct page *page) {
    int any = 0;
    for (size_t i = 0; i < page->grids; i++) {
        if (!has_events(&page->grid[i]))
            continue;
        if (!any++) {
            page_heading(page, "Events");
            page_paragraph(page, "What happened in each operation. Layouts and sizes with equal "
                                 "events share a row; an event that never happens has no column, "
                                 "one that was not counted a dash.");
        }
        print_grid(page, &page->grid[i]);
        print_bytes(page, &page->grid[i]);
    }
}
