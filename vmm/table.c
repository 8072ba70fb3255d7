/*
 * Tables for people: measures the columns, splits what is too wide, prints text, Markdown or HTML.
 */
#include "table.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct table {
    size_t columns, fixed;
    char **cell; /* row by row */
    size_t count, room;
    int failed;
};

struct table *table_create(size_t columns, size_t fixed) {
    struct table *table = calloc(1, sizeof(*table));
    if (table) {
        table->columns = columns;
        table->fixed = fixed;
    }
    return table;
}

void table_add(struct table *table, const char *format, ...) {
    if (table->count == table->room) {
        size_t room = table->room ? table->room * 2 : 64;
        char **more = realloc(table->cell, room * sizeof(*more));
        if (!more) {
            table->failed = 1;
            return;
        }
        table->cell = more;
        table->room = room;
    }
    va_list args;
    va_start(args, format);
    if (vasprintf(&table->cell[table->count], format, args) < 0)
        table->failed = 1;
    else
        table->count++;
    va_end(args);
}

/* Columns that UTF-8 text takes; no wide or combining characters are used here. */
static size_t width_of(const char *text) {
    size_t width = 0;
    for (; *text; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static size_t column_width(const struct table *table, size_t column) {
    size_t widest = 0;
    for (size_t i = column; i < table->count; i += table->columns) {
        size_t width = width_of(table->cell[i]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_row(const struct table *table, size_t row, const size_t *width, size_t from,
                      size_t until, FILE *to) {
    size_t owed = 0; /* blanks, printed only before a text so that no line ends in them */
    for (size_t i = 0; i < until; i++) {
        if (i >= table->fixed && i < from)
            continue;
        const char *text = table->cell[row * table->columns + i];
        size_t pad = width[i] - width_of(text);
        owed += i ? 2 : 0;
        if (i >= table->fixed)
            owed += pad;
        if (*text) {
            fprintf(to, "%*s%s", (int)owed, "", text);
            owed = 0;
        }
        if (i < table->fixed)
            owed += pad;
    }
    fputc('\n', to);
}

static int print_text(const struct table *table, FILE *to) {
    size_t *width = calloc(table->columns, sizeof(*width)), labels = 0;
    if (!width)
        return -ENOMEM;
    for (size_t i = 0; i < table->columns; i++)
        width[i] = column_width(table, i);
    for (size_t i = 0; i < table->fixed; i++)
        labels += width[i] + (i ? 2 : 0);
    for (size_t from = table->fixed, until; from < table->columns; from = until) {
        size_t total = labels;
        for (until = from; until < table->columns; until++) {
            total += width[until] + 2;
            if (total > TABLE_WIDTH && until > from)
                break;
        }
        if (from > table->fixed)
            fputc('\n', to);
        for (size_t row = 0; row < table->count / table->columns; row++)
            print_row(table, row, width, from, until, to);
    }
    free(width);
    return 0;
}

void table_print_char(char c, enum table_style style, FILE *to) {
    if (style == TABLE_HTML && c && strchr("&<>\"'", c)) {
        fprintf(to, "&#%d;", c);
        return;
    }
    if (style == TABLE_MARKDOWN && c && strchr("|\\<*_`", c))
        fputc('\\', to);
    fputc(c, to);
}

static void print_markdown(const struct table *table, FILE *to) {
    for (size_t i = 0; i < table->count; i++) {
        fputs("| ", to);
        for (const char *c = table->cell[i]; *c; c++)
            table_print_char(*c, TABLE_MARKDOWN, to);
        fputc(' ', to);
        if ((i + 1) % table->columns)
            continue;
        fputs("|\n", to);
        for (size_t k = 0; i + 1 == table->columns && k < table->columns; k++)
            fputs(k < table->fixed ? "|---" : "|---:", to);
        if (i + 1 == table->columns)
            fputs("|\n", to);
    }
}

static void print_html(const struct table *table, FILE *to) {
    fputs("<div class=\"scroll\"><table>\n", to);
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        const char *tag = i < table->columns || column < table->fixed ? "th" : "td";
        fprintf(to, "%s<%s%s>", column ? "" : "<tr>", tag,
                column < table->fixed ? " class=\"label\"" : "");
        for (const char *c = table->cell[i]; *c; c++)
            table_print_char(*c, TABLE_HTML, to);
        fprintf(to, "</%s>%s", tag, column + 1 == table->columns ? "</tr>\n" : "");
    }
    fputs("</table></div>\n", to);
}

int table_print(struct table *table, enum table_style style, FILE *to) {
    int code = table->failed ? -ENOMEM : 0;
    if (!code && style == TABLE_TEXT)
        code = print_text(table, to);
    else if (!code && style == TABLE_MARKDOWN)
        print_markdown(table, to);
    else if (!code)
        print_html(table, to);
    for (size_t i = 0; i < table->count; i++)
        free(table->cell[i]);
    free(table->cell);
    free(table);
    return code;
}

const char *table_number(char text[static 32], double value) {
    double size = fabs(value);
    if (isnan(value))
        return strcpy(text, "-");
    if (size >= 1e12) {
        snprintf(text, 32, "%.4g", value);
        return text;
    }
    int decimals = value == rint(value) || size >= 1000 ? 0 : size >= 10 ? 1 : 2;
    char plain[32];
    snprintf(plain, sizeof(plain), "%.*f", decimals, size);
    size_t whole = strcspn(plain, "."), at = 0;
    if (value < 0)
        text[at++] = '-';
    for (size_t i = 0; plain[i]; i++) {
        if (i && i < whole && (whole - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = plain[i];
    }
    text[at] = '\0';
    return text;
}
