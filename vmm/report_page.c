/*
 * The parts that every page of a report is made of, the head and the footnotes. What the tables show
 * is report_text.c's, report_taxes.c's and report_events.c's business.
 */
#include "report_page.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What all figures of a layout say, told once beside its name. */
static const char *layout_note(const struct report *report, const char *layout) {
    const char *note = NULL;
    for (size_t i = 0; i < report->count; i++) {
        const struct report_cell *cell = &report->cell[i];
        if (strcmp(cell->layout, layout) || !report_cell_measured(cell))
            continue;
        if (note && strcmp(note, cell->note))
            return "";
        note = cell->note;
    }
    return note ? note : "";
}

int page_begin(struct page *page, const struct report *report, enum table_style style, FILE *to) {
    *page = (struct page){.report = report, .style = style, .to = to};
    page->code = report_grids_create(report, &page->grid, &page->grids);
    page->layout_note = calloc(report->layouts, sizeof(*page->layout_note));
    if (!page->layout_note)
        return page->code = -ENOMEM;
    for (size_t i = 0; i < report->layouts; i++)
        page->layout_note[i] = layout_note(report, report->layout[i]);
    for (size_t i = 0; i < page->grids; i++) {
        page->several_backends |= strcmp(page->grid[i].backend, page->grid[0].backend) != 0;
        page->several_units |= strcmp(page->grid[i].unit, page->grid[0].unit) != 0;
    }
    return page->code;
}

int page_end(struct page *page) {
    report_grids_free(page->grid, page->grids);
    free(page->layout_note);
    free(page->footnote);
    return page->code;
}

/* ---- pieces ---- */

/* Text from files, without bytes that a terminal could obey; broken at blanks, indented. */
static void print_wrapped(struct page *page, const char *text, size_t column, size_t indent) {
    for (int first = 1; *text; first = 0) {
        size_t word = strcspn(text, " "), width = 0;
        for (size_t i = 0; i < word; i++)
            width += (text[i] & 0xc0) != 0x80;
        if (!first && page->style == TABLE_TEXT && column + 1 + width > TABLE_WIDTH) {
            fprintf(page->to, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', page->to);
            column++;
        }
        for (size_t i = 0; i < word; i++)
            table_print_char((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i],
                             page->style, page->to);
        column += width;
        text += word + strspn(text + word, " ");
    }
}

/* The text between what a style needs around it. */
static void print_between(struct page *page, const char *const before[3], const char *text,
                          const char *const after[3], size_t indent) {
    fputs(before[page->style], page->to);
    print_wrapped(page, text, strlen(before[page->style]), indent);
    fputs(after[page->style], page->to);
}
#define IN(text, markdown, html)                                                                   \
    (const char *const[3]) { [TABLE_TEXT] = text, [TABLE_MARKDOWN] = markdown, [TABLE_HTML] = html }

void page_heading(struct page *page, const char *text) {
    char line[TABLE_WIDTH + 1];
    size_t length = strlen(text);
    memset(line, '=', sizeof(line));
    line[length < TABLE_WIDTH ? length : TABLE_WIDTH] = '\0';
    print_between(page, IN("", "## ", "<h2>"), text, IN("\n", "\n\n", "</h2>\n"), 0);
    if (page->style == TABLE_TEXT)
        fprintf(page->to, "%s\n\n", line);
}

void page_caption(struct page *page, const char *format, ...) {
    char *text;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) {
        page->code = -ENOMEM;
        return;
    }
    print_between(page, IN("", "### ", "<h3>"), text, IN("\n\n", "\n\n", "</h3>\n"), 0);
    free(text);
}

void page_paragraph(struct page *page, const char *text) {
    print_between(page, IN("", "", "<p>"), text, IN("\n\n", "\n\n", "</p>\n"), 0);
}

const char *page_footnote(struct page *page, const char *what, const char *text,
                          char mark[static 24]) {
    size_t i = 0;
    mark[0] = '\0';
    if (!text || !text[0])
        return mark;
    while (i < page->footnotes &&
           (strcmp(page->footnote[i].what, what) || strcmp(page->footnote[i].text, text)))
        i++;
    if (i == page->footnotes) {
        void *more = realloc(page->footnote, (i + 1) * sizeof(*page->footnote));
        if (!more) {
            page->code = -ENOMEM;
            return mark;
        }
        page->footnote = more;
        page->footnote[i].what = what;
        page->footnote[i].text = text;
        page->footnotes++;
    }
    snprintf(mark, 24, " [%zu]", i + 1);
    return mark;
}

const char *page_grid_origin(const struct page *page, const struct report_grid *grid,
                             char text[static 300]) {
    int units = page->several_units, backends = page->several_backends;
    text[0] = '\0';
    if (units || backends)
        snprintf(text, 300, " (%s%s%s)", units ? grid->unit : "", units && backends ? ", " : "",
                 backends ? grid->backend : "");
    return text;
}

struct table *page_table(struct page *page, size_t columns, size_t fixed) {
    struct table *table = table_create(columns, fixed);
    if (!table)
        page->code = -ENOMEM;
    return table;
}

void page_table_end(struct page *page, struct table *table) {
    if (table_print(table, page->style, page->to))
        page->code = -ENOMEM;
    fputc('\n', page->to);
}

/* ---- the head ---- */

static void print_fact(struct page *page, const char *name, const char *text) {
    if (page->style == TABLE_TEXT)
        fprintf(page->to, "  %-9s ", name);
    else
        fprintf(page->to, page->style == TABLE_HTML ? "<dt>%s</dt><dd>" : "- %s: ", name);
    print_wrapped(page, text, 12, 12);
    fputs(page->style == TABLE_HTML ? "</dd>\n" : "\n", page->to);
}

static void print_boots(struct page *page) {
    const struct report *report = page->report;
    size_t least = SIZE_MAX, most = 0;
    char text[64];
    for (size_t i = 0; i < report->count + report->primitives; i++) {
        size_t boots =
            i < report->count ? report->cell[i].boots : report->primitive[i - report->count].boots;
        if (!boots)
            continue;
        least = boots < least ? boots : least;
        most = boots > most ? boots : most;
    }
    if (!most)
        snprintf(text, sizeof(text), "none gave figures");
    else if (least == most)
        snprintf(text, sizeof(text), "%zu a cell", most);
    else
        snprintf(text, sizeof(text), "%zu to %zu a cell", least, most);
    print_fact(page, "boots", text);
}

/* The folders that the report gathers, when there are several. */
static void print_sets(struct page *page, const json_t *sets) {
    char text[1024] = "";
    size_t used = 0, i;
    const json_t *dir;
    json_array_foreach(sets, i, dir) {
        if (used < sizeof(text))
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
                                     json_string_value(dir));
    }
    if (sets)
        print_fact(page, "sets", text);
}

void page_head(struct page *page) {
    const struct report *report = page->report;
    const json_t *manifest = report->data->manifest;
    const struct report_cell *first = report->count ? &report->cell[0] : &report->primitive[0];
    char text[512];
    print_between(page, IN("", "# ", "<h1>"), manifest_text(manifest, "experiment"),
                  IN("\n", "\n\n", "</h1>\n<dl>\n"), 0);
    snprintf(text, sizeof(text), "%s (%s), clock trust: %s", first->backend,
             manifest_text(manifest, "backend_version"),
             first->trust[0] ? first->trust : "unknown");
    print_fact(page, "backend", page->several_backends ? "several, named at each table" : text);
    print_fact(page, "unit",
               page->several_units ? "several, named at each table; never mixed in one figure"
               : strcmp(first->unit, "instructions") ? "cycles of the time-stamp counter"
                                                     : "instructions executed, not time");
    snprintf(text, sizeof(text), "%s, microcode %s, kernel %s, %s",
             manifest_text(manifest, "host.cpu.model"),
             manifest_text(manifest, "host.cpu.microcode"), manifest_text(manifest, "host.kernel"),
             manifest_text(manifest, "host.hostname"));
    print_fact(page, "host", text);
    print_fact(page, "commit", manifest_text(manifest, "commit"));
    print_sets(page, json_object_get(manifest, "sets"));
    print_boots(page);
    snprintf(text, sizeof(text), "%s (ratios are to it)", report->baseline);
    print_fact(page, "baseline", text);
    fputs(page->style == TABLE_HTML ? "</dl>\n" : "\n", page->to);
    for (size_t i = 0; i < report->warnings; i++)
        print_between(page,
                      IN("WARNING: ", "> **Warning:** ", "<p class=\"warning\"><b>Warning:</b> "),
                      report->warning[i], IN("\n", "\n\n", "</p>\n"), 9);
    if (report->warnings && page->style == TABLE_TEXT)
        fputc('\n', page->to);
}

void page_footnotes(struct page *page) {
    static const char *const after[3] = {"\n", "\n", "</p>\n"};
    for (size_t i = 0; i < page->footnotes; i++) {
        int used =
            fprintf(page->to, "%s[%zu] %s: ", IN("", "- ", "<p class=\"footnote\">")[page->style],
                    i + 1, page->footnote[i].what);
        print_wrapped(page, page->footnote[i].text, (size_t)used, 4);
        fputs(after[page->style], page->to);
    }
}
