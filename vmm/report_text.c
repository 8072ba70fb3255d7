/*
 * A report for people: plain text of at most TABLE_WIDTH columns, or the same as Markdown; and the
 * tables of its figures.
 */
#include "report_page.h"
#include <math.h>
#include <string.h>

static void add_figure(struct page *page, struct table *table, const struct report_cell *cell,
                       const char *layout_note) {
    char number[32], ratio[32] = "", mark[24];
    if (!cell) {
        table_add(table, "-");
    } else if (!report_cell_measured(cell)) {
        page_footnote(page, cell->status, cell->reason, mark);
        table_add(table, "%s%s", strcmp(cell->status, "failed") ? cell->status : "FAILED", mark);
    } else {
        if (strcmp(cell->status, "ok"))
            page_footnote(page, cell->status, cell->reason, mark);
        else
            page_footnote(page, "note", layout_note[0] ? "" : cell->note, mark);
        if (isfinite(cell->ratio))
            snprintf(ratio, sizeof(ratio), " (%.*f×)", cell->ratio < 99.95 ? 2 : 0, cell->ratio);
        table_add(table, "%s%s%s%s", table_number(number, cell->median), ratio,
                  report_cell_simulated(cell) ? " " SIMULATED_MARK : "", mark);
    }
}

static void add_interval(struct table *table, const struct report_grid *grid, const char *layout) {
    char lo[32], hi[32];
    int wide = 0;
    for (int printing = 0; printing < 2; printing++) {
        if (printing && !wide)
            return;
        if (printing)
            table_add(table, "  95 %% interval");
        for (size_t i = 0; i < grid->columns; i++) {
            const struct report_cell *cell = report_column_find(&grid->column[i], layout);
            int has = cell && isfinite(cell->lo) && cell->lo != cell->hi;
            wide |= has;
            if (printing && has)
                table_add(table, "%s–%s", table_number(lo, cell->lo), table_number(hi, cell->hi));
            else if (printing)
                table_add(table, "%s", "");
        }
    }
}

static void print_grid(struct page *page, const struct report_grid *grid) {
    const struct report *report = page->report;
    char mark[24];
    page_caption(page, "%s: %s%s%s%s%s; median (ratio to %s)", grid->title, grid->kind,
                 grid->kind[0] ? ", " : "", grid->unit, page->several_backends ? ", on " : "",
                 page->several_backends ? grid->backend : "", report->baseline);
    struct table *table = page_table(page, 1 + grid->columns, 1);
    if (!table)
        return;
    table_add(table, "layout");
    for (size_t i = 0; i < grid->columns; i++)
        table_add(table, "%s", grid->column[i].label);
    for (size_t k = 0; k < report->layouts; k++) {
        const char *layout = report->layout[k], *note = page->layout_note[k];
        if (!report_grid_has(grid, layout))
            continue;
        table_add(table, "%s%s", layout, page_footnote(page, "note", note, mark));
        for (size_t i = 0; i < grid->columns; i++)
            add_figure(page, table, report_column_find(&grid->column[i], layout), note);
        add_interval(table, grid, layout);
    }
    page_table_end(page, table);
}

void page_figures(struct page *page) {
    if (page->grids)
        page_heading(page, "Figures");
    for (size_t i = 0; i < page->grids; i++)
        print_grid(page, &page->grid[i]);
}

int report_print_text(const struct report *report, int markdown, FILE *to) {
    struct page page;
    if (!page_begin(&page, report, markdown ? TABLE_MARKDOWN : TABLE_TEXT, to)) {
        page_head(&page);
        page_figures(&page);
        page_taxes(&page);
        page_events(&page);
        page_floors(&page);
        page_published(&page);
        page_footnotes(&page);
    }
    return page_end(&page);
}
