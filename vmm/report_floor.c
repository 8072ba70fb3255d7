/*
 * Floors: what the events of an operation cost as the sum of the primitives that they are made of, from
 * the cells of the workload `calibrate`; and the tables of both. docs/results.md defines a floor.
 */
#include "guest-kernel/primitives.h"
#include "report_page.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct primitive_row rows[PRIMITIVE_COUNT] = PRIMITIVE_ROWS;

#define COPY_1K_BYTES 1024.0
#define COPY_4K_BYTES 4096.0

/* ---- which primitives belong to a cell ---- */

static int same_machine(const struct report_cell *a, const struct report_cell *b) {
    return !strcmp(a->host, b->host) && !strcmp(a->backend, b->backend) &&
           !strcmp(a->unit, b->unit);
}

/* What is measured on a machine like that of `like`, in a layout, or NULL. */
static const struct report_cell *find_primitive(const struct report *report,
                                                const struct report_cell *like, const char *layout,
                                                const char *op) {
    for (size_t i = 0; i < report->primitives; i++) {
        const struct report_cell *cell = &report->primitive[i];
        if (same_machine(cell, like) && !strcmp(cell->layout, layout) && !strcmp(cell->op, op))
            return cell;
    }
    return NULL;
}

/* The first that belongs to the cell; those of its layout are what the floor is from. Or NULL. */
static const struct report_cell *find_first(const struct report *report,
                                            const struct report_cell *cell) {
    for (size_t i = 0; i < report->primitives; i++)
        if (same_machine(&report->primitive[i], cell) && !strcmp(report->primitive[i].status, "ok"))
            return &report->primitive[i];
    return NULL;
}

/* ---- the sum ---- */

struct sum {
    const struct report *report;
    const struct report_cell *first;
    double value;
    uint64_t lacks; /* 1 << enum primitive_id */
};

/* NaN when it was not measured. What is cheaper than the loop around it costs nothing. */
static double cost_of(const struct sum *sum, enum primitive_id id) {
    const struct report_cell *cell =
        find_primitive(sum->report, sum->first, sum->first->layout, rows[id].name);
    return cell && !strcmp(cell->status, "ok") ? fmax(cell->median, 0) : NAN;
}

/* Adds `count` times a cost; `id` is what is lacking when it is not known. */
static void add_cost(struct sum *sum, double count, double cost, enum primitive_id id) {
    if (!(count > 0))
        return;
    if (isnan(cost))
        sum->lacks |= 1ull << id;
    else
        sum->value += count * cost;
}

static void add(struct sum *sum, double count, enum primitive_id id) {
    add_cost(sum, count, cost_of(sum, id), id);
}

static void fill_floor(const struct report *report, struct report_cell *cell) {
    struct sum sum = {.report = report, .first = find_first(report, cell)};
    if (!sum.first || strcmp(cell->status, "ok") || !cell->has_events)
        return;
    double count[RESULT_EVENTS_NAMED];
    for (size_t i = 0; i < RESULT_EVENTS_NAMED; i++) {
        count[i] = isfinite(cell->events[i]) ? cell->events[i] : 0;
        cell->floor_uncounted |= !isfinite(cell->events[i]);
    }
    double faults = count[EVENT_PAGE_FAULTS], loads = count[EVENT_TABLE_SWITCHES];
    double flushing = fmin(loads, count[EVENT_TLB_FLUSHES]);
    /* The crossings of a fault are part of it: two at most. */
    add(&sum, fmax(count[EVENT_RING_CROSSINGS] - 2 * faults, 0) / 2, PRIMITIVE_SYSCALL);
    add_cost(
        &sum, faults,
        fmin(cost_of(&sum, PRIMITIVE_PAGE_FAULT_RING3), cost_of(&sum, PRIMITIVE_PAGE_FAULT_RING0)),
        PRIMITIVE_PAGE_FAULT_RING0);
    /* A load and a flush may be one load that flushes, or one that does not and an INVLPG. */
    add_cost(&sum, flushing,
             fmin(cost_of(&sum, PRIMITIVE_CR3_FLUSH),
                  cost_of(&sum, PRIMITIVE_CR3_KEEP) + cost_of(&sum, PRIMITIVE_INVLPG)),
             PRIMITIVE_CR3_FLUSH);
    add(&sum, loads - flushing, PRIMITIVE_CR3_KEEP);
    add(&sum, count[EVENT_TLB_FLUSHES] - flushing, PRIMITIVE_INVLPG);
    add_cost(&sum, count[EVENT_BYTES_COPIED],
             fmin(cost_of(&sum, PRIMITIVE_COPY_1K) / COPY_1K_BYTES,
                  fmin(cost_of(&sum, PRIMITIVE_COPY_4K), cost_of(&sum, PRIMITIVE_COPY_4K_WORDS)) /
                      COPY_4K_BYTES),
             PRIMITIVE_COPY_4K);
    add(&sum, count[EVENT_KEY_SWITCHES], PRIMITIVE_WRPKRU);
    add(&sum, count[EVENT_PREDICTOR_BARRIERS], PRIMITIVE_IBPB);
    add(&sum, count[EVENT_CACHE_FLUSHES], PRIMITIVE_L1D_FLUSH);
    add(&sum, count[EVENT_BUFFER_CLEARS], PRIMITIVE_BUFFER_CLEAR);
    add(&sum, count[EVENT_RSB_FILLS], PRIMITIVE_RSB_FILL);
    add(&sum, count[EVENT_STATE_SAVES], PRIMITIVE_FXSAVE_FXRSTOR);
    cell->floor = sum.value;
    cell->over_floor = sum.value > 0 ? cell->median / sum.value : NAN;
    cell->floor_lacks = sum.lacks;
}

static int is_primitive(const struct report_cell *cell) {
    return !strcmp(cell->workload, PRIMITIVES_WORKLOAD);
}

/* Moves the primitives of one report to those of another, which may be the same. */
static int take_primitives(struct report *to, struct report *from) {
    size_t kept = 0;
    struct report_cell *more =
        realloc(to->primitive, (to->primitives + from->count + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    to->primitive = more;
    for (size_t i = 0; i < from->count; i++)
        if (is_primitive(&from->cell[i]))
            to->primitive[to->primitives++] = from->cell[i];
        else
            from->cell[kept++] = from->cell[i];
    from->count = kept;
    return 0;
}

int report_floors_fill(struct report *report, struct report *calibration, struct error *error) {
    int code = calibration ? take_primitives(report, calibration) : 0;
    if (!code && calibration && !report->primitives)
        return error_set(error, -EINVAL,
                         "%s holds no cells of the workload " PRIMITIVES_WORKLOAD
                         "; `bulkhead run calibrate` makes such a set",
                         calibration->data->dir ? calibration->data->dir : "the calibration");
    if (!code)
        code = take_primitives(report, report);
    size_t floors = 0;
    for (size_t i = 0; !code && i < report->count; i++) {
        fill_floor(report, &report->cell[i]);
        floors += isfinite(report->cell[i].floor);
    }
    if (!code && report->count && report->primitives && !floors)
        code = report_warn(report, "no floors: the primitives were measured on another host or "
                                   "backend, or in another unit, than every cell");
    return code ? error_set(error, code, "out of memory") : 0;
}

void report_floor_lacks(const struct report_cell *cell, void (*each)(const char *name, void *into),
                        void *into) {
    for (enum primitive_id id = 0; id < PRIMITIVE_COUNT; id++)
        if (cell->floor_lacks >> id & 1)
            each(rows[id].name, into);
    if (cell->floor_uncounted)
        each("events that were not counted", into);
}

int report_floor_whole(const struct report_cell *cell) {
    return !cell->floor_lacks && !cell->floor_uncounted;
}

/* ---- tables ---- */

static const char *what_is(const char *op) {
    for (enum primitive_id id = 0; id < PRIMITIVE_COUNT; id++)
        if (!strcmp(rows[id].name, op))
            return rows[id].what;
    return "";
}

static void add_cost_cell(struct page *page, struct table *table, const struct report_cell *cell) {
    char number[32], mark[24];
    const char *status = cell ? cell->status : "";
    int ok = !strcmp(status, "ok");
    if (!cell) {
        table_add(table, "-");
    } else if (!report_cell_measured(cell)) {
        page_footnote(page, status, cell->reason, mark);
        table_add(table, "%s%s", strcmp(status, "failed") ? status : "FAILED", mark);
    } else {
        page_footnote(page, ok ? "note" : status, ok ? cell->note : cell->reason, mark);
        table_add(table, "%s%s%s", table_number(number, cell->median), ok ? "" : " " SIMULATED_MARK,
                  mark);
    }
}

static void add_interval(struct table *table, const struct report_cell *cell) {
    char lo[32], hi[32];
    if (cell && isfinite(cell->lo) && cell->lo != cell->hi)
        table_add(table, "%s–%s", table_number(lo, cell->lo), table_number(hi, cell->hi));
    else
        table_add(table, "%s", "");
}

struct columns { /* of the table of one machine */
    const struct report_cell *like;
    const char **layout;
    size_t layouts;
};

/* One row, when the machine has it; with the interval where there is one layout only. */
static void add_row(struct page *page, struct table *table, const struct columns *columns,
                    const char *op) {
    size_t have = 0;
    while (have < columns->layouts &&
           !find_primitive(page->report, columns->like, columns->layout[have], op))
        have++;
    if (have == columns->layouts)
        return;
    table_add(table, "%s", op[0] ? op : "all");
    table_add(table, "%s", what_is(op));
    for (size_t i = 0; i < columns->layouts; i++)
        add_cost_cell(page, table,
                      find_primitive(page->report, columns->like, columns->layout[i], op));
    if (columns->layouts == 1)
        add_interval(table, find_primitive(page->report, columns->like, columns->layout[0], op));
}

/* In the order of primitives.h; then cells that never got as far as a primitive. */
static void print_primitives(struct page *page, const struct columns *columns) {
    const struct report_cell *like = columns->like;
    page_caption(page, "Primitives, each alone: %s, on %s%s%s; median", like->unit, like->backend,
                 like->host[0] ? " of " : "", like->host);
    struct table *table = page_table(page, 2 + columns->layouts + (columns->layouts == 1), 2);
    if (!table)
        return;
    table_add(table, "primitive");
    table_add(table, "what one is");
    for (size_t i = 0; i < columns->layouts; i++)
        table_add(table, "%s", columns->layout[i]);
    if (columns->layouts == 1)
        table_add(table, "95 %% interval");
    for (enum primitive_id id = 0; id < PRIMITIVE_COUNT; id++)
        add_row(page, table, columns, rows[id].name);
    add_row(page, table, columns, "");
    page_table_end(page, table);
}

/* The primitives of the machine of number `at`, unless an earlier one was of the same. */
static void print_machine(struct page *page, size_t at) {
    const struct report *report = page->report;
    const struct report_cell *all = report->primitive;
    struct columns columns = {.like = &all[at]};
    for (size_t i = 0; i < at; i++)
        if (same_machine(&all[i], &all[at]))
            return;
    columns.layout = calloc(report->primitives, sizeof(*columns.layout));
    if (!columns.layout) {
        page->code = -ENOMEM;
        return;
    }
    for (size_t i = at; i < report->primitives; i++) {
        size_t k = 0;
        while (k < columns.layouts && strcmp(columns.layout[k], all[i].layout))
            k++;
        if (k == columns.layouts && same_machine(&all[i], &all[at]))
            columns.layout[columns.layouts++] = all[i].layout;
    }
    print_primitives(page, &columns);
    free(columns.layout);
}

static void name_add(const char *name, void *into) {
    char *text = into;
    size_t used = strlen(text);
    snprintf(text + used, REPORT_LACKS_BYTES - used, "%s%s", used ? ", " : "", name);
}

char *report_floor_lacks_text(const struct report_cell *cell,
                              char text[static REPORT_LACKS_BYTES]) {
    text[0] = '\0';
    report_floor_lacks(cell, name_add, text);
    return text;
}

static void add_floor(struct table *table, const struct report_cell *cell) {
    char number[32], over[48] = "";
    const char *least = "", *most = "";
    if (!cell || !isfinite(cell->floor)) {
        table_add(table, "-");
        return;
    }
    if (!report_floor_whole(cell)) {
        least = "≥ ";
        most = "≤ ";
    }
    if (isfinite(cell->over_floor))
        snprintf(over, sizeof(over), " (%s%.*f)", most, cell->over_floor < 99.95 ? 2 : 0,
                 cell->over_floor);
    table_add(table, "%s%s%s", least, table_number(number, cell->floor), over);
}

static int has_floor(const struct report_grid *grid, const char *layout) {
    for (size_t i = 0; i < grid->columns; i++) {
        const struct report_cell *cell = report_column_find(&grid->column[i], layout);
        if (cell && isfinite(cell->floor))
            return 1;
    }
    return 0;
}

static void print_floors(struct page *page, const struct report_grid *grid) {
    const struct report *report = page->report;
    char origin[300];
    struct table *table = NULL;
    for (size_t k = 0; k < report->layouts; k++) {
        if (!has_floor(grid, report->layout[k]))
            continue;
        if (!table) {
            page_caption(page, "%s%s: floor (cost ÷ floor)", grid->title,
                         page_grid_origin(page, grid, origin));
            if (!(table = page_table(page, 1 + grid->columns, 1)))
                return;
            table_add(table, "layout");
            for (size_t i = 0; i < grid->columns; i++)
                table_add(table, "%s", grid->column[i].label);
        }
        table_add(table, "%s", report->layout[k]);
        for (size_t i = 0; i < grid->columns; i++)
            add_floor(table, report_column_find(&grid->column[i], report->layout[k]));
    }
    if (table)
        page_table_end(page, table);
}

/* Which figures floors lack, in one sentence for all. */
static void print_lacks(struct page *page) {
    struct report_cell all = {0};
    char names[REPORT_LACKS_BYTES], text[REPORT_LACKS_BYTES + 64];
    for (size_t i = 0; i < page->report->count; i++) {
        all.floor_lacks |= page->report->cell[i].floor_lacks;
        all.floor_uncounted |= page->report->cell[i].floor_uncounted;
    }
    if (report_floor_whole(&all))
        return;
    snprintf(text, sizeof(text), "≥: a lower bound, for want of %s.",
             report_floor_lacks_text(&all, names));
    page_paragraph(page, text);
}

void page_floors(struct page *page) {
    const struct report *report = page->report;
    int floors = 0;
    if (!report->primitives)
        return;
    page_heading(page, "Primitives and floors");
    for (size_t i = 0; i < report->primitives; i++)
        print_machine(page, i);
    for (size_t i = 0; i < report->count; i++)
        floors |= isfinite(report->cell[i].floor);
    if (!floors)
        return;
    page_paragraph(page, "The floor of an operation is the sum of its events, each times its "
                         "primitive above. What cost ÷ floor is more than 1 is all else: the "
                         "kernel's and the SIPs' instructions, and what the events cost later.");
    for (size_t i = 0; i < page->grids; i++)
        print_floors(page, &page->grid[i]);
    print_lacks(page);
}
