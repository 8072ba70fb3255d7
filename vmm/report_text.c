/*
 * A report for people: plain text of at most TABLE_WIDTH columns, or the same as Markdown.
 */
#include "report.h"
#include "table.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct page { /* one report on its way out */
    const struct report *report;
    enum table_style style;
    FILE *to;
    struct {
        const char *what, *text;
    } * footnote;
    size_t footnotes;
    int several_backends, several_units;
    int code; /* the first failure */
};

/* ---- pieces ---- */

/* Text from files, without bytes that a terminal could obey; broken at blanks, indented. */
static void print_wrapped(struct page *page, const char *text, size_t column, size_t indent) {
    for (int first = 1; *text; first = 0) {
        size_t word = strcspn(text, " ");
        if (!first && page->style == TABLE_TEXT && column + 1 + word > TABLE_WIDTH) {
            fprintf(page->to, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', page->to);
            column++;
        }
        for (size_t i = 0; i < word; i++)
            table_print_char((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i],
                             page->style, page->to);
        column += word;
        text += word + strspn(text + word, " ");
    }
    fputc('\n', page->to);
}

static void print_fact(struct page *page, const char *name, const char *text) {
    if (page->style == TABLE_TEXT)
        fprintf(page->to, "  %-9s ", name);
    else
        fprintf(page->to, "- %s: ", name);
    print_wrapped(page, text, 12, 12);
}

/* Number of the footnote, made when it is new; 0 when there is nothing to say. */
static size_t footnote(struct page *page, const char *what, const char *text) {
    if (!text[0])
        return 0;
    for (size_t i = 0; i < page->footnotes; i++)
        if (!strcmp(page->footnote[i].what, what) && !strcmp(page->footnote[i].text, text))
            return i + 1;
    void *more = realloc(page->footnote, (page->footnotes + 1) * sizeof(*page->footnote));
    if (!more) {
        page->code = -ENOMEM;
        return 0;
    }
    page->footnote = more;
    page->footnote[page->footnotes].what = what;
    page->footnote[page->footnotes].text = text;
    return ++page->footnotes;
}

static const char *mark(char text[static 24], size_t number) {
    text[0] = '\0';
    if (number)
        snprintf(text, 24, " [%zu]", number);
    return text;
}

static const char *unit_short(const char *unit) {
    return strcmp(unit, "instructions") ? unit : "instr";
}

static int same_line(const struct report_cell *a, const struct report_cell *b) {
    return report_cell_same_row(a, b) && !strcmp(a->backend, b->backend);
}

/* A parameter that is the same in all `count` cells belongs into the title, not into each row. */
static int param_varies(const struct report_cell *cell, size_t count, const char *name) {
    const struct config_param *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct config_param *found = NULL;
        for (size_t k = 0; k < cell[i].params->count; k++)
            if (!strcmp(cell[i].params->item[k].name, name))
                found = &cell[i].params->item[k];
        if (!found || (first && first->value != found->value))
            return 1;
        first = found;
    }
    return 0;
}

/* Writes those params of `cell` that vary (or do not) among the group. */
static const char *params_text(const struct report_cell *cell, const struct report_cell *group,
                               size_t count, int varying, const char *before, char *text,
                               size_t bytes) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < cell->params->count && used < bytes; i++) {
        const struct config_param *param = &cell->params->item[i];
        if (param_varies(group, count, param->name) == varying)
            used += (size_t)snprintf(text + used, bytes - used, "%s%s=%" PRId64,
                                     used ? " " : before, param->name, param->value);
    }
    return text;
}

/* ---- the head ---- */

static void print_head(struct page *page) {
    const struct report *report = page->report;
    const json_t *manifest = report->data->manifest;
    const struct report_cell *first = &report->cell[0];
    size_t least = SIZE_MAX, most = 0;
    char text[512];
    for (size_t i = 0; i < report->count; i++) {
        const struct report_cell *cell = &report->cell[i];
        page->several_backends |= strcmp(cell->backend, first->backend) != 0;
        page->several_units |= strcmp(cell->unit, first->unit) != 0;
        if (!cell->boots)
            continue;
        least = cell->boots < least ? cell->boots : least;
        most = cell->boots > most ? cell->boots : most;
    }
    fputs(page->style == TABLE_MARKDOWN ? "## " : "", page->to);
    print_wrapped(page, manifest_text(manifest, "experiment"), 0, 0);
    fputs(page->style == TABLE_MARKDOWN ? "\n" : "", page->to);

    int exact = !strcmp(first->unit, "instructions");
    snprintf(text, sizeof(text), "%s (%s), clock trust: %s", first->backend,
             manifest_text(manifest, "backend_version"),
             first->trust[0] ? first->trust : "unknown");
    print_fact(page, "backend", page->several_backends ? "several, named in each row" : text);
    print_fact(page, "unit",
               page->several_units ? "several, named in each row; never mixed in one figure"
               : exact             ? "instructions executed, not time"
                                   : "cycles of the time-stamp counter");
    snprintf(text, sizeof(text), "%s, microcode %s, kernel %s, %s",
             manifest_text(manifest, "host.cpu.model"),
             manifest_text(manifest, "host.cpu.microcode"), manifest_text(manifest, "host.kernel"),
             manifest_text(manifest, "host.hostname"));
    print_fact(page, "host", text);
    print_fact(page, "commit", manifest_text(manifest, "commit"));
    if (!most)
        snprintf(text, sizeof(text), "none gave figures");
    else if (least == most)
        snprintf(text, sizeof(text), "%zu a cell", most);
    else
        snprintf(text, sizeof(text), "%zu to %zu a cell", least, most);
    print_fact(page, "boots", text);
    snprintf(text, sizeof(text), "%s (ratios are to it)", report->baseline);
    print_fact(page, "baseline", text);
    fputc('\n', page->to);
    for (size_t i = 0; i < report->warnings; i++) {
        fputs(page->style == TABLE_TEXT ? "WARNING: " : "> **Warning:** ", page->to);
        print_wrapped(page, report->warning[i], 9, 9);
        if (page->style == TABLE_MARKDOWN)
            fputc('\n', page->to);
    }
    if (report->warnings && page->style == TABLE_TEXT)
        fputc('\n', page->to);
}

/* ---- the figures of one workload ---- */

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

static const struct report_cell *find_layout(const struct report_cell *cell, size_t count,
                                             const char *layout) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(cell[i].layout, layout))
            return &cell[i];
    return NULL;
}

static void add_figure(struct page *page, struct table *table, const struct report_cell *cell) {
    char number[32], ratio[32], noted[24];
    if (!cell) {
        table_add(table, "-");
        return;
    }
    if (!report_cell_measured(cell)) {
        size_t note = footnote(page, cell->status, cell->reason);
        int failed = !strcmp(cell->status, "failed");
        table_add(table, "%s%s", failed ? "FAILED" : "-", mark(noted, note));
        return;
    }
    size_t note = strcmp(cell->status, "ok") ? footnote(page, cell->status, cell->reason)
                  : layout_note(page->report, cell->layout)[0] ? 0 /* told at the column's head */
                                                               : footnote(page, "note", cell->note);
    table_number(number, cell->median);
    mark(noted, note);
    if (isfinite(cell->ratio))
        snprintf(ratio, sizeof(ratio), " (%.*f×)", cell->ratio < 99.95 ? 2 : 0, cell->ratio);
    else
        ratio[0] = '\0';
    table_add(table, "%s%s%s", number, ratio, noted);
}

/* What a row is about; a row of events has no unit. */
static void add_labels(struct page *page, struct table *table, const struct report_cell *cell,
                       const struct report_cell *group, size_t count, int with_unit) {
    char params[512];
    table_add(table, "%s%s", cell->op[0] ? cell->op : "(none)",
              params_text(cell, group, count, 1, " ", params, sizeof(params)));
    table_add(table, "%s", cell->kind[0] ? cell->kind : "-");
    if (with_unit)
        table_add(table, "%s", unit_short(cell->unit));
    if (page->several_backends)
        table_add(table, "%s", cell->backend);
}

static void add_interval(struct page *page, struct table *table, const struct report_cell *row,
                         size_t length, const char *const *layout, size_t layouts) {
    char lo[32], hi[32];
    int wide = 0;
    for (size_t i = 0; i < length; i++)
        wide |= isfinite(row[i].lo) && row[i].lo != row[i].hi;
    if (!wide)
        return;
    table_add(table, "  95 %% interval");
    for (int i = 0; i < 2 + page->several_backends; i++)
        table_add(table, "%s", "");
    for (size_t i = 0; i < layouts; i++) {
        const struct report_cell *cell = find_layout(row, length, layout[i]);
        if (cell && isfinite(cell->lo) && cell->lo != cell->hi)
            table_add(table, "%s–%s", table_number(lo, cell->lo), table_number(hi, cell->hi));
        else
            table_add(table, "%s", "");
    }
}

static void print_figures(struct page *page, const struct report_cell *cell, size_t count,
                          const char *const *layout, size_t layouts) {
    size_t labels = 3 + (size_t)page->several_backends;
    struct table *table = table_create(labels + layouts, labels);
    char noted[24];
    if (!table) {
        page->code = -ENOMEM;
        return;
    }
    table_add(table, "per operation");
    table_add(table, "kind");
    table_add(table, "unit");
    if (page->several_backends)
        table_add(table, "backend");
    for (size_t i = 0; i < layouts; i++) {
        size_t note = footnote(page, "note", layout_note(page->report, layout[i]));
        table_add(table, "%s%s", layout[i], mark(noted, note));
    }
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && same_line(&cell[i], &cell[next]);)
            next++;
        add_labels(page, table, &cell[i], cell, count, 1);
        for (size_t k = 0; k < layouts; k++)
            add_figure(page, table, find_layout(cell + i, next - i, layout[k]));
        add_interval(page, table, cell + i, next - i, layout, layouts);
    }
    if (table_print(table, page->style, page->to))
        page->code = -ENOMEM;
}

static void print_events(struct page *page, const struct report_cell *cell, size_t count) {
    static const char *const heading[RESULT_EVENTS_NAMED] = {
        "crossings", "table sw.", "flushes", "ctx sw.", "copied B", "messages", "faults"};
    size_t labels = 3 + (size_t)page->several_backends, have = 0;
    for (size_t i = 0; i < count; i++)
        have += cell[i].has_events != 0;
    if (!have)
        return;
    struct table *table = table_create(labels + RESULT_EVENTS_NAMED, labels);
    if (!table) {
        page->code = -ENOMEM;
        return;
    }
    table_add(table, "events per operation");
    table_add(table, "kind");
    if (page->several_backends)
        table_add(table, "backend");
    table_add(table, "layout");
    for (size_t i = 0; i < RESULT_EVENTS_NAMED; i++)
        table_add(table, "%s", heading[i]);
    for (size_t i = 0; i < count; i++) {
        char number[32];
        if (!cell[i].has_events)
            continue;
        add_labels(page, table, &cell[i], cell, count, 0);
        table_add(table, "%s", cell[i].layout);
        for (size_t k = 0; k < RESULT_EVENTS_NAMED; k++)
            table_add(table, "%s", table_number(number, cell[i].events[k]));
    }
    fputc('\n', page->to);
    if (table_print(table, page->style, page->to))
        page->code = -ENOMEM;
}

static void print_workload(struct page *page, const struct report_cell *cell, size_t count) {
    const struct report *report = page->report;
    const char **layout = calloc(report->layouts, sizeof(*layout));
    size_t layouts = 0;
    char params[512];
    if (!layout) {
        page->code = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < report->layouts; i++)
        if (find_layout(cell, count, report->layout[i]))
            layout[layouts++] = report->layout[i];
    fprintf(page->to, "%s%s%s: median (ratio to %s)\n\n", page->style == TABLE_TEXT ? "" : "### ",
            cell->workload, params_text(cell, cell, count, 0, ", ", params, sizeof(params)),
            report->baseline);
    print_figures(page, cell, count, layout, layouts);
    print_events(page, cell, count);
    fputc('\n', page->to);
    free(layout);
}

int report_print_text(const struct report *report, int markdown, FILE *to) {
    struct page page = {
        .report = report, .style = markdown ? TABLE_MARKDOWN : TABLE_TEXT, .to = to};
    print_head(&page);
    for (size_t i = 0, next; i < report->count; i = next) {
        for (next = i + 1; next < report->count; next++)
            if (strcmp(report->cell[i].workload, report->cell[next].workload))
                break;
        print_workload(&page, report->cell + i, next - i);
    }
    for (size_t i = 0; i < page.footnotes; i++) {
        int used = fprintf(to, "%s[%zu] ", markdown ? "- " : "", i + 1);
        used += fprintf(to, "%s: ", page.footnote[i].what);
        print_wrapped(&page, page.footnote[i].text, (size_t)used, 4);
    }
    free(page.footnote);
    return page.code;
}
