/*
 * A page of a report on its way out, in one of the styles of table.h: headings, paragraphs, footnotes
 * and the sections that every style has. All text is escaped here.
 */
#ifndef BULKHEAD_REPORT_PAGE_H
#define BULKHEAD_REPORT_PAGE_H

#include "report_grid.h"
#include "table.h"

struct page {
    const struct report *report;
    enum table_style style;
    FILE *to;
    struct report_grid *grid;
    size_t grids;
    const char **layout_note; /* for each layout of the report: what all its figures say, or "" */
    struct {
        const char *what, *text;
    } * footnote;
    size_t footnotes;
    int several_backends, several_units;
    int code; /* the first failure: 0 or -ENOMEM */
};

/* 0 or -ENOMEM; page_end() in both cases. */
int page_begin(struct page *page, const struct report *report, enum table_style style, FILE *to);
int page_end(struct page *page); /* the page's code */

void page_heading(struct page *page, const char *text);
/* What the next table shows; `format` gives one line or a short paragraph. */
void page_caption(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
void page_paragraph(struct page *page, const char *text);
/* " [2]" for a footnote, made when it is new; "" when there is nothing to say. Returns `mark`. */
const char *page_footnote(struct page *page, const char *what, const char *text,
                          char mark[static 24]);
/* " (instructions, qemu)": what of a grid the head cannot tell, since there are several. */
const char *page_grid_origin(const struct page *page, const struct report_grid *grid,
                             char text[static 300]);
struct table *page_table(struct page *page, size_t columns, size_t fixed); /* NULL: see code */
void page_table_end(struct page *page, struct table *table);

/* The sections, in the order of a page. */
void page_head(struct page *page);      /* how the set was made, and warnings */
void page_figures(struct page *page);   /* medians and ratios */
void page_taxes(struct page *page);     /* what isolation costs */
void page_events(struct page *page);    /* what happened in each operation */
void page_floors(struct page *page);    /* primitives, and what they add up to */
void page_published(struct page *page); /* beside the paper's ratios, if asked for */
void page_footnotes(struct page *page);

#endif
