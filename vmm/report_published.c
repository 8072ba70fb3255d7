/*
 * Ratios to sip-phys beside those that the paper published, as tables, bars, JSON and CSV. The paper's
 * figures are published.c's; nothing of them was measured here.
 */
#include "published.h"
#include "report_page.h"
#include <math.h>
#include <string.h>

/* ---- our ratios ---- */

struct row { /* one operation in all layouts, on one backend */
    const struct report_cell *cell;
    size_t cells;
};

static const struct report_cell *find(const struct row *row, enum published_rung rung) {
    for (size_t i = 0; i < row->cells; i++)
        if (!strcmp(row->cell[i].layout, published_layout(rung)))
            return &row->cell[i];
    return NULL;
}

/* The cells of the same operation and backend as the one of number `at`, which is the first. */
static struct row row_at(const struct report *report, size_t at) {
    const struct report_cell *cell = &report->cell[at];
    struct row row = {cell, 1};
    while (at + row.cells < report->count && report_cell_same_row(cell, &cell[row.cells]) &&
           !strcmp(cell->backend, cell[row.cells].backend))
        row.cells++;
    return row;
}

static int matches(const struct published *theirs, const struct report_cell *cell) {
    for (size_t i = 0; i < PUBLISHED_OURS && theirs->ours[i].workload; i++) {
        const struct published_ours *ours = &theirs->ours[i];
        if (strcmp(ours->workload, cell->workload) || strcmp(ours->op, cell->op))
            continue;
        int found = !ours->param;
        for (size_t k = 0; !found && k < cell->params->count; k++)
            found = !strcmp(cell->params->item[k].name, ours->param) &&
                    cell->params->item[k].value == ours->value;
        if (found)
            return 1;
    }
    return 0;
}

/* 1 when the paper has the operation, and the row a layout that is one of its rungs. */
static int any_match(const struct row *row) {
    int published_too = 0, on_a_rung = 0;
    for (size_t i = 0; i < published_count; i++)
        published_too |= matches(&published[i], row->cell);
    for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++)
        on_a_rung |= find(row, rung) != NULL;
    return published_too && on_a_rung;
}

/*
 * The ratio, or NaN and in `why` a sentence; NULL there when there is no cell. A layout's name proves
 * nothing: rungs must have one kind of code, and `unchecked` have none that is checked.
 */
static double ratio_of(const struct row *row, enum published_rung rung, const char **why) {
    const struct report_cell *cell = find(row, rung), *base = find(row, PUBLISHED_SIP_PHYS);
    *why = NULL;
    if (!cell)
        return NAN;
    if (!report_cell_measured(cell))
        *why = cell->reason[0] ? cell->reason : "it has no figure.";
    else if (!base)
        *why = "The set has no sip-phys of this operation, which the ratios are to.";
    else if (strcmp(base->status, "ok") || !(base->median > 0))
        *why = "The set has no figure of sip-phys for this operation that ratios could be to.";
    else if (strcmp(cell->safety, rung == PUBLISHED_UNCHECKED ? "unchecked" : base->safety))
        *why = "Its code is not of the kind that the rung has in the paper: as that of sip-phys, "
               "and unchecked in unchecked.";
    return *why ? NAN : cell->median / base->median;
}

/* ---- tables ---- */

static const char *digits(char text[static 32], double ratio) {
    snprintf(text, 32, "%.*f", ratio < 99.95 ? 2 : 0, ratio);
    return text;
}

static void add_ours(struct page *page, struct table *table, const struct row *row) {
    char number[32], mark[24];
    const char *why;
    table_add(table, "ours: %s, %s", row->cell->unit, row->cell->kind);
    for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++) {
        const struct report_cell *cell = find(row, rung);
        double ratio = ratio_of(row, rung, &why);
        if (isfinite(ratio)) {
            int simulated = report_cell_simulated(cell);
            page_footnote(page, cell->status, simulated ? cell->reason : "", mark);
            table_add(table, "%s%s%s", digits(number, ratio), simulated ? " " SIMULATED_MARK : "",
                      mark);
        } else if (!cell) {
            table_add(table, "-");
        } else {
            page_footnote(page, report_cell_measured(cell) ? "no ratio" : cell->status, why, mark);
            table_add(table, "–%s", mark);
        }
    }
}

static void add_theirs(struct table *table, const struct published *theirs) {
    char number[32];
    table_add(table, "paper: %s, %s", theirs->unit, theirs->kind);
    for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++) {
        enum published_origin origin = theirs->bar[rung].origin;
        if (origin == PUBLISHED_NOT)
            table_add(table, "-");
        else
            table_add(table, "%s%s", origin == PUBLISHED_CHART ? "≈" : "",
                      digits(number, theirs->bar[rung].ratio));
    }
}

static void print_table(struct page *page, const struct row *row) {
    struct table *table = page_table(page, 1 + PUBLISHED_RUNGS, 1);
    if (!table)
        return;
    table_add(table, "whose");
    for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++)
        table_add(table, "%s", published_layout(rung));
    add_ours(page, table, row);
    for (size_t i = 0; i < published_count; i++)
        if (matches(&published[i], row->cell))
            add_theirs(table, &published[i]);
    page_table_end(page, table);
}

/* ---- bars ---- */

#define LEFT 76 /* units of the drawing, as in report_html.c */
#define BAR_WIDTH 240
#define VALUE_WIDTH 150
#define LINE_HEIGHT 14
#define GAP 6

static void print_bar(struct page *page, double ratio, const char *class, const char *label,
                      double scale, size_t top) {
    char number[32];
    fprintf(page->to,
            "<rect class=\"%s\" x=\"%d\" y=\"%zu\" width=\"%.2f\" height=\"%d\"/>"
            "<text x=\"%.2f\" y=\"%zu\">%s× %s</text>\n",
            class, LEFT, top + 2, ratio * scale, LINE_HEIGHT - 3, LEFT + ratio * scale + 5,
            top + 11, digits(number, ratio), label);
}

static const char *class_of(const struct published *theirs) {
    return strcmp(theirs->unit, "cycles") ? "s2" : "s0";
}

/* For each rung ours, then theirs. Drawn twice: the first time only to know how much there is. */
static size_t walk_bars(struct page *page, const struct row *row, double *most, double scale) {
    size_t top = 0;
    for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++) {
        const char *why;
        double ratio = ratio_of(row, rung, &why);
        if (scale > 0)
            fprintf(page->to, "<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">%s</text>\n", LEFT - 7,
                    top + 11, published_layout(rung));
        if (scale > 0 && isfinite(ratio)) {
            int simulated = report_cell_simulated(find(row, rung));
            fputs(simulated ? "<g class=\"sim\">" : "<g>", page->to);
            print_bar(page, ratio, "s1", simulated ? "ours " SIMULATED_MARK : "ours", scale, top);
            fputs("</g>\n", page->to);
        } else if (scale > 0) {
            fprintf(page->to, "<text x=\"%d\" y=\"%zu\">ours: no ratio</text>\n", LEFT, top + 11);
        }
        *most = isfinite(ratio) ? fmax(*most, ratio) : *most;
        top += LINE_HEIGHT;
        for (size_t i = 0; i < published_count; i++) {
            const struct published *theirs = &published[i];
            if (!matches(theirs, row->cell) || theirs->bar[rung].origin == PUBLISHED_NOT)
                continue;
            *most = fmax(*most, theirs->bar[rung].ratio);
            if (scale > 0)
                print_bar(page, theirs->bar[rung].ratio, class_of(theirs),
                          theirs->bar[rung].origin == PUBLISHED_CHART ? "paper, off a chart"
                                                                      : "paper",
                          scale, top);
            top += LINE_HEIGHT;
        }
        top += GAP;
    }
    return top;
}

static void print_bars(struct page *page, const struct row *row) {
    double most = 0;
    size_t height = walk_bars(page, row, &most, 0);
    fprintf(page->to, "<div class=\"bars\"><figure>\n<svg viewBox=\"0 0 %d %zu\" role=\"img\">\n",
            LEFT + BAR_WIDTH + VALUE_WIDTH, height);
    walk_bars(page, row, &most, BAR_WIDTH / most);
    fputs("</svg></figure></div>\n", page->to);
}

static void print_legend(struct page *page) {
    static const char *const series[][2] = {{"s1", "ours, in the unit of the set"},
                                            {"s0", "the paper's, in cycles"},
                                            {"s2", "the paper's, in instructions"}};
    fputs("<ul class=\"legend\">", page->to);
    for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++)
        fprintf(page->to,
                "<li><svg viewBox=\"0 0 12 12\"><rect class=\"%s\" width=\"12\" height=\"12\"/>"
                "</svg>%s</li>",
                series[i][0], series[i][1]);
    fputs("</ul>\n", page->to);
}

/* ---- the section ---- */

static void print_row(struct page *page, const struct row *row) {
    const struct published *theirs = NULL;
    const char *note = NULL;
    char label[512], figure[32], base[96] = "", mark[24];
    for (size_t i = published_count; i-- > 0;)
        if (matches(&published[i], row->cell)) {
            theirs = &published[i];
            note = theirs->note ? theirs->note : note;
        }
    if (!theirs) /* a row is made of what matches */
        return;
    if (theirs->base > 0)
        snprintf(base, sizeof(base), " (%s %s in SIP-Phys)", table_number(figure, theirs->base),
                 theirs->unit);
    int several = page->several_backends;
    page_caption(page, "%s%s%s%s beside the paper's %s%s%s",
                 report_cell_label(row->cell, label, sizeof(label)), several ? " (" : "",
                 several ? row->cell->backend : "", several ? ")" : "", theirs->name, base,
                 page_footnote(page, "paper", note, mark));
    if (page->style == TABLE_HTML)
        print_bars(page, row);
    print_table(page, row);
}

static void print_intro(struct page *page) {
    page_paragraph(page,
                   "Ratios to sip-phys. Those of rows \"paper\" are published: " PUBLISHED_SOURCE
                   ", on " PUBLISHED_MACHINE ". None of them was measured here. ≈: read off "
                   "a chart, ±0.03; others are printed there.");
    page_paragraph(page, "Cycles and instructions are not the same: what a processor takes for a "
                         "boundary (flushes, misses, what SYSCALL takes) is in cycles only. Of "
                         "different units compare which rung costs more, not how much.");
    if (page->style == TABLE_HTML)
        print_legend(page);
}

void page_published(struct page *page) {
    const struct report *report = page->report;
    int rows = 0;
    if (!report->published)
        return;
    page_heading(page, "Beside the paper");
    for (size_t i = 0; i < report->count;) {
        struct row row = row_at(report, i);
        i += row.cells;
        if (!any_match(&row))
            continue;
        if (!rows++)
            print_intro(page);
        print_row(page, &row);
    }
    if (!rows)
        page_paragraph(page, "The paper published no operation of this set in any layout of it.");
}

/* ---- for programs ---- */

static void text(const char *before, const char *value, FILE *to) {
    fputs(before, to);
    record_print_string(value, to);
}

static void number(const char *before, double value, FILE *to) {
    fputs(before, to);
    record_print_number(value, to);
}

static void json_bar(const struct row *row, const struct published *theirs,
                     enum published_rung rung, FILE *to) {
    const struct report_cell *cell = find(row, rung);
    const char *why;
    double ratio = ratio_of(row, rung, &why);
    text("  {\"layout\":", published_layout(rung), to);
    text(",\"workload\":", row->cell->workload, to);
    fputs(",\"params\":", to);
    record_print_params(row->cell->params, to);
    text(",\"op\":", row->cell->op, to);
    text(",\"backend\":", row->cell->backend, to);
    text(",\"ours\":{\"unit\":", row->cell->unit, to);
    text(",\"kind\":", row->cell->kind, to);
    text(",\"status\":", cell ? cell->status : "", to);
    number(",\"ratio\":", ratio, to);
    text(",\"why\":", why ? why : cell ? "" : "not in the set", to);
    text("},\"paper\":{\"name\":", theirs->name, to);
    text(",\"unit\":", theirs->unit, to);
    text(",\"kind\":", theirs->kind, to);
    number(",\"base\":", theirs->base > 0 ? theirs->base : NAN, to);
    number(",\"ratio\":", theirs->bar[rung].origin == PUBLISHED_NOT ? NAN : theirs->bar[rung].ratio,
           to);
    text(",\"origin\":", published_origin_text(theirs->bar[rung].origin), to);
    text(",\"where\":", theirs->where, to);
    text(",\"note\":", theirs->note ? theirs->note : "", to);
    fputs("}}", to);
}

void report_published_json(const struct report *report, FILE *to) {
    const char *comma = "\n";
    text(",\"published\":{\"source\":", PUBLISHED_SOURCE, to);
    text(",\"machine\":", PUBLISHED_MACHINE, to);
    fputs(",\"measured_here\":false,\"beside\":[", to);
    for (size_t i = 0; i < report->count;) {
        struct row row = row_at(report, i);
        for (size_t k = 0; any_match(&row) && k < published_count; k++)
            for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++)
                if (matches(&published[k], row.cell)) {
                    fputs(comma, to);
                    json_bar(&row, &published[k], rung, to);
                    comma = ",\n";
                }
        i += row.cells;
    }
    fputs("\n]}", to);
}

void report_published_csv_head(FILE *to) {
    fputs("to_sip_phys,paper_kind,paper_cycles,paper_cycles_origin,paper_instructions,"
          "paper_instructions_origin,",
          to);
}

/* The fields of one unit; empty when the paper has no such figure. */
static void csv_unit(const struct report_cell *cell, const char *unit, FILE *to) {
    for (size_t i = 0; i < published_count; i++) {
        if (strcmp(published[i].unit, unit) || !matches(&published[i], cell))
            continue;
        for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++) {
            enum published_origin origin = published[i].bar[rung].origin;
            if (strcmp(cell->layout, published_layout(rung)) || origin == PUBLISHED_NOT)
                continue;
            record_print_number(published[i].bar[rung].ratio, to);
            fprintf(to, ",%s,", published_origin_text(origin));
            return;
        }
    }
    fputs(",,", to);
}

void report_published_csv(const struct report *report, const struct report_cell *cell, FILE *to) {
    const char *why, *kind = "";
    double ratio = NAN;
    int on_a_rung = 0;
    for (size_t i = 0; i < report->count;) {
        struct row row = row_at(report, i);
        for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++)
            if (find(&row, rung) == cell && any_match(&row)) {
                on_a_rung = 1;
                ratio = ratio_of(&row, rung, &why);
            }
        i += row.cells;
    }
    for (size_t i = 0; on_a_rung && i < published_count; i++)
        if (matches(&published[i], cell))
            kind = published[i].kind;
    if (isfinite(ratio))
        record_print_number(ratio, to);
    fprintf(to, ",%s,", kind);
    csv_unit(cell, "cycles", to);
    csv_unit(cell, "instructions", to);
}
