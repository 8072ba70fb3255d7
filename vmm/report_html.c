/*
 * A report as one page of HTML that needs nothing else: the sections of the other forms, and a bar
 * for each layout, stacked by what its cost is made of.
 */
#include "report_page.h"
#include <math.h>
#include <string.h>

#define LETTER_WIDTH                                                                               \
    7 /* units of the drawing, which are pixels at its full size; room, not exact */
#define BAR_WIDTH 240
#define VALUE_WIDTH 80
#define LINE_HEIGHT 20
#define WHY_LETTERS 42 /* of a reason in the place of a bar; all of it is in the bar's title */

enum segment {
    SEGMENT_WORK,     /* unchecked code in one domain */
    SEGMENT_SOFTWARE, /* then the taxes */
    SEGMENT_PAGING,
    SEGMENT_DOMAIN,
    SEGMENT_RING,
    SEGMENT_HARDWARE, /* of a layout that is not on the ladder */
    SEGMENT_WHOLE,    /* of a cost that could not be split */
    SEGMENTS
};
static const char *const segment_name[SEGMENTS] = {
    "the work itself, unchecked in one domain",
    "software isolation",
    "paging",
    "domains",
    "ring 3, own heaps and copies",
    "hardware isolation, not split",
    "not split",
};

static const char style[] =
    ":root{color-scheme:light dark;--back:#fff;--text:#1d2329;--faint:#5d6873;--line:#d9dee3;"
    "--note:#fff4d6;--s0:#aab4be;--s1:#2b6fce;--s2:#d99400;--s3:#14906a;--s4:#c8403a;--s5:#7a4fb5;"
    "--s6:#77828d}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#14181c;--text:#e4e8ec;--faint:#9aa5b0;"
    "--line:#343c44;--note:#3a2f10;--s0:#5c6772;--s1:#5b9bf0;--s2:#e8b040;--s3:#3cc498;"
    "--s4:#f0736b;--s5:#aa86e0;--s6:#8a95a0}}\n"
    "body{margin:2rem auto;max-width:68rem;padding:0 1rem;background:var(--back);"
    "color:var(--text);font:15px/1.5 system-ui,sans-serif}\n"
    "h1,h2,h3{line-height:1.25}h2{margin-top:2.5rem}h3{font-size:1rem;margin:1.5rem 0 .4rem}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}"
    "dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".warning{background:var(--note);padding:.4rem .7rem;border-left:4px solid var(--s2)}\n"
    ".footnote{font-size:.87rem;color:var(--faint);margin:.2rem 0}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.15rem .7rem;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--line)}\n"
    "th{font-weight:600}th.label{text-align:left;white-space:normal}\n"
    ".bars{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1rem 2rem}\n"
    "figure{margin:0}figcaption{font-weight:600;font-size:.9rem}\n"
    ".sim rect{opacity:.45;stroke:currentColor;stroke-dasharray:3 2}\n"
    "svg{width:100%;height:auto;display:block;font-size:11px}svg text{fill:currentColor}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;list-style:none;"
    "font-size:.87rem}\n"
    ".legend svg{width:12px;display:inline-block;margin-right:.4rem}\n"
    ".s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}"
    ".s4{fill:var(--s4)}.s5{fill:var(--s5)}.s6{fill:var(--s6)}\n";

static void print_escaped(const char *text, FILE *to) {
    for (; *text; text++)
        table_print_char((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, TABLE_HTML, to);
}

/* ---- bars ---- */

/*
 * The lengths of a bar's segments, which add up to the cell's ratio. A step that makes an operation
 * cheaper has no length: it shortens what is before it.
 */
static void fill_bar(const struct report_cell *cell, double bar[SEGMENTS]) {
    const struct report_tax *tax = &cell->tax;
    memset(bar, 0, SEGMENTS * sizeof(*bar));
    if (!isfinite(tax->software) || !isfinite(tax->hardware)) {
        bar[SEGMENT_WHOLE] = cell->ratio;
        return;
    }
    bar[SEGMENT_WORK] = cell->ratio - tax->software - tax->hardware;
    bar[SEGMENT_SOFTWARE] = tax->software;
    if (isfinite(tax->part[0]))
        memcpy(&bar[SEGMENT_PAGING], tax->part, sizeof(tax->part));
    else
        bar[SEGMENT_HARDWARE] = tax->hardware;
    for (size_t i = 1; i < SEGMENTS; i++)
        for (size_t k = i; k-- > 0 && bar[i] < 0;) {
            double taken = fmin(bar[k], -bar[i]);
            bar[k] -= taken;
            bar[i] += taken;
        }
}
_Static_assert(SEGMENT_PAGING + PART_DOMAIN == SEGMENT_DOMAIN &&
                   SEGMENT_PAGING + PART_RING == SEGMENT_RING,
               "parts are copied in one go");

/* What a pointer over the bar is told. */
static void print_title(const struct report_cell *cell, FILE *to) {
    char number[32];
    fputs("<title>", to);
    print_escaped(cell->layout, to);
    if (isfinite(cell->median)) {
        fprintf(to, ": %s ", table_number(number, cell->median));
        print_escaped(cell->unit, to);
    }
    if (isfinite(cell->tax.software))
        fprintf(to, ", software %.1f %%", cell->tax.software * 100);
    if (isfinite(cell->tax.hardware))
        fprintf(to, ", hardware %.1f %%", cell->tax.hardware * 100);
    if (strcmp(cell->status, "ok")) {
        fputs("; ", to);
        print_escaped(cell->status, to);
        fputs(": ", to);
        print_escaped(cell->reason, to);
    }
    fputs("</title>", to);
}

static void print_bar(const struct report_cell *cell, size_t left, double scale, size_t line,
                      FILE *to) {
    const double top = (double)line * LINE_HEIGHT;
    double bar[SEGMENTS], at = (double)left;
    const int simulated = report_cell_simulated(cell);
    char why[WHY_LETTERS + 1];
    fputs(simulated ? "<g class=\"sim\">" : "<g>", to);
    print_title(cell, to);
    fprintf(to, "<text x=\"%zu\" y=\"%.0f\" text-anchor=\"end\">", left - LETTER_WIDTH, top + 14);
    print_escaped(cell->layout, to);
    fputs("</text>", to);
    if (!isfinite(cell->ratio)) {
        fprintf(to, "<text x=\"%zu\" y=\"%.0f\">", left, top + 14);
        snprintf(why, sizeof(why), "%s%s%s", report_cell_measured(cell) ? "no ratio" : cell->status,
                 cell->reason[0] ? ": " : "", cell->reason);
        print_escaped(why, to);
        fputs("</text></g>\n", to);
        return;
    }
    fill_bar(cell, bar);
    for (size_t i = 0; i < SEGMENTS; i++) {
        double width = bar[i] * scale;
        if (!(width > 0))
            continue;
        fprintf(to, "<rect class=\"s%zu\" x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%d\"/>", i,
                at, top + 3, width, LINE_HEIGHT - 6);
        at += width;
    }
    fprintf(to, "<text x=\"%.2f\" y=\"%.0f\">%.*f×%s</text></g>\n", at + 5, top + 14,
            cell->ratio < 99.95 ? 2 : 0, cell->ratio, simulated ? " " SIMULATED_MARK : "");
}

static void print_chart(const struct page *page, const struct report_grid *grid,
                        const struct report_column *column) {
    FILE *to = page->to;
    double most = 0;
    size_t longest = 0;
    char origin[300];
    for (size_t i = 0; i < column->cells; i++) {
        size_t length = strlen(column->cell[i].layout);
        longest = length > longest ? length : longest;
        most = column->cell[i].ratio > most ? column->cell[i].ratio : most;
    }
    if (!(most > 0))
        return;
    const size_t left = (longest + 1) * LETTER_WIDTH;
    fputs("<figure><figcaption>", to);
    if (!grid->gathered) {
        print_escaped(grid->workload, to);
        fputc(' ', to);
    }
    print_escaped(column->label, to);
    print_escaped(page_grid_origin(page, grid, origin), to);
    fprintf(to, "</figcaption>\n<svg viewBox=\"0 0 %zu %zu\" role=\"img\">\n",
            left + BAR_WIDTH + VALUE_WIDTH, column->cells * LINE_HEIGHT);
    for (size_t i = 0; i < column->cells; i++)
        print_bar(&column->cell[i], left, BAR_WIDTH / most, i, to);
    fputs("</svg></figure>\n", to);
}

static void print_legend(int simulated, FILE *to) {
    fputs("<ul class=\"legend\">", to);
    for (size_t i = 0; i < SEGMENTS; i++)
        fprintf(to,
                "<li><svg viewBox=\"0 0 12 12\"><rect class=\"s%zu\" width=\"12\" height=\"12\"/>"
                "</svg>%s</li>",
                i, segment_name[i]);
    if (simulated)
        fputs("<li><svg viewBox=\"0 0 12 12\"><g class=\"sim\"><rect class=\"s0\" width=\"12\" "
              "height=\"12\"/></g></svg>dashed, " SIMULATED_MARK
              ": simulated, without what the CPU "
              "lacks</li>",
              to);
    fputs("</ul>\n", to);
}

static void print_charts(struct page *page) {
    char text[512];
    page_heading(page, "The ladder");
    snprintf(
        text, sizeof(text),
        "Cost of an operation over that of %s, stacked by what it is made of. Each chart has a "
        "scale of its own. A step that makes an operation cheaper shortens what is before it.",
        page->report->baseline);
    page_paragraph(page, text);
    int simulated = 0;
    for (size_t i = 0; i < page->report->count; i++)
        simulated |= report_cell_simulated(&page->report->cell[i]);
    print_legend(simulated, page->to);
    fputs("<div class=\"bars\">\n", page->to);
    for (size_t i = 0; i < page->grids; i++)
        for (size_t k = 0; k < page->grid[i].columns; k++)
            print_chart(page, &page->grid[i], &page->grid[i].column[k]);
    fputs("</div>\n", page->to);
}

/* ---- the page ---- */

int report_print_html(const struct report *report, FILE *to) {
    struct page page;
    if (!page_begin(&page, report, TABLE_HTML, to)) {
        fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width\">\n"
              "<meta http-equiv=\"Content-Security-Policy\" "
              "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>",
              to);
        print_escaped(manifest_text(report->data->manifest, "experiment"), to);
        fprintf(to, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
        page_head(&page);
        if (page.grids)
            print_charts(&page);
        page_figures(&page);
        page_taxes(&page);
        page_events(&page);
        page_floors(&page);
        page_published(&page);
        page_footnotes(&page);
        fputs("</body>\n</html>\n", to);
    }
    return page_end(&page);
}
