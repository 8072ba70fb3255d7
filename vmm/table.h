/*
 * Small tables for people: cells of text, printed in columns, as a GitHub table, or as one of HTML. Also how a number
 * is written for people. Whoever fills a table decides what is in it.
 */
#ifndef BULKHEAD_TABLE_H
#define BULKHEAD_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_WIDTH 100 /* columns of text that a table may take before it is split */

enum table_style {
    TABLE_TEXT,
    TABLE_MARKDOWN,
    TABLE_HTML
};

struct table;

/* The first `fixed` columns are labels: left-aligned, and repeated when the table is split. */
struct table *table_create(size_t columns, size_t fixed); /* NULL when out of memory */
/* Adds a cell to the right of the last one; a full row is followed by the next. First: headings. */
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints and frees the table. 0, or -ENOMEM when a cell could not be kept. */
int table_print(struct table *table, enum table_style style, FILE *to);

/* One character of text that is no markup, escaped where Markdown or HTML would see a meaning. */
void table_print_char(char c, enum table_style style, FILE *to);

/* 13,029 / 42.5 / 3.25: separators, and no more digits than tell something. "-" when NaN. */
const char *table_number(char text[static 32], double value);

#endif
