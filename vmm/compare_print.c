/*
 * A comparison as text for people and as JSON for programs.
 */
#include "compare.h"
#include "table.h"
#include <errno.h>
#include <math.h>
#include <string.h>

static char letter(size_t set) { return (char)('A' + set); }

/* ---- text ---- */

/* Nothing that a terminal could obey; a text of several lines only differs or not. */
static void print_value(const char *value, FILE *to) {
    if (!value)
        value = "(not told)";
    if (strchr(value, '\n'))
        value = "(differs; see the manifest)";
    for (; *value; value++)
        fputc((unsigned char)*value < ' ' || *value == 0x7f ? '?' : *value, to);
    fputc('\n', to);
}

static void print_head(const struct compare *compare, FILE *to) {
    for (size_t s = 0; s < compare->sets; s++) {
        const struct report *report = compare->report[s];
        fprintf(to, "%c  ", letter(s));
        print_value(report->data->dir, to);
        fprintf(to, "   %s, %s, %zu cells: ", report->cell[0].backend, report->cell[0].unit,
                report->count);
        print_value(manifest_text(report->data->manifest, "host.cpu.model"), to);
    }
    fputc('\n', to);
    fputs(compare->differences ? "made differently\n" : "made alike: no manifest key differs\n",
          to);
    for (size_t i = 0; i < compare->differences; i++) {
        fputs("  ", to);
        print_value(compare->difference[i].key, to);
        for (size_t s = 0; s < compare->sets; s++) {
            fprintf(to, "    %c  ", letter(s));
            print_value(compare->difference[i].value[s], to);
        }
    }
    fputc('\n', to);
    for (size_t i = 0; i < compare->warnings; i++)
        fprintf(to, "WARNING: %s\n", compare->warning[i]);
    size_t warnings = compare->warnings;
    for (size_t s = 0; s < compare->sets; s++)
        for (size_t i = 0; i < compare->report[s]->warnings; i++, warnings++)
            fprintf(to, "WARNING: %c: %s\n", letter(s), compare->report[s]->warning[i]);
    if (warnings)
        fputc('\n', to);
}

static void add_median(struct table *table, const struct report_cell *cell) {
    char median[32], lo[32], hi[32];
    const char *mark = cell && report_cell_simulated(cell) ? " " SIMULATED_MARK : "";
    if (!cell)
        table_add(table, "not there");
    else if (!report_cell_measured(cell))
        table_add(table, "%s", cell->status);
    else if (isfinite(cell->lo) && cell->lo != cell->hi)
        table_add(table, "%s [%s–%s]%s", table_number(median, cell->median),
                  table_number(lo, cell->lo), table_number(hi, cell->hi), mark);
    else
        table_add(table, "%s%s", table_number(median, cell->median), mark);
}

static void add_ratio(struct table *table, const struct compare_row *row, size_t set) {
    const struct compare_ratio *ratio = &row->ratio[set];
    const char *mark = report_cell_simulated(row->cell[0]) || report_cell_simulated(row->cell[set])
                           ? " " SIMULATED_MARK
                           : "";
    if (!isfinite(ratio->value))
        table_add(table, "-");
    else if (isfinite(ratio->lo) && ratio->lo != ratio->hi)
        table_add(table, "%.3f× [%.3f–%.3f] %s%s", ratio->value, ratio->lo, ratio->hi,
                  ratio->verdict, mark);
    else
        table_add(table, "%.3f× %s%s", ratio->value, ratio->verdict, mark);
}

static int in_all(const struct compare *compare, const struct compare_row *row) {
    for (size_t s = 0; s < compare->sets; s++)
        if (!row->cell[s])
            return 0;
    return 1;
}

static const struct report_cell *any_cell(const struct compare_row *row) {
    size_t s = 0;
    while (!row->cell[s])
        s++;
    return row->cell[s];
}

static int print_rows(const struct compare *compare, FILE *to) {
    struct table *table = table_create(2 + 2 * compare->sets - 1, 2);
    char label[128];
    if (!table)
        return -ENOMEM;
    table_add(table, "per operation");
    table_add(table, "layout");
    for (size_t s = 0; s < compare->sets; s++) {
        table_add(table, "%c", letter(s));
        if (s)
            table_add(table, "%c/A", letter(s));
    }
    for (size_t i = 0; i < compare->rows; i++) {
        const struct compare_row *row = &compare->row[i];
        if (!in_all(compare, row))
            continue;
        const struct report_cell *cell = any_cell(row);
        table_add(table, "%s, %s", report_cell_label(cell, label, sizeof(label)), cell->kind);
        table_add(table, "%s", cell->layout);
        for (size_t s = 0; s < compare->sets; s++) {
            add_median(table, row->cell[s]);
            if (s)
                add_ratio(table, row, s);
        }
    }
    return table_print(table, TABLE_TEXT, to);
}

/* One line for each event of each operation that the sets count differently. */
static int print_events(const struct compare *compare, FILE *to) {
    static const char *const name[RESULT_EVENTS_NAMED] = RESULT_EVENT_NAMES;
    struct table *table = NULL;
    char label[128], number[32];
    for (size_t i = 0; i < compare->rows; i++)
        for (size_t k = 0; in_all(compare, &compare->row[i]) && k < RESULT_EVENTS_NAMED; k++) {
            const struct report_cell *const *cell = compare->row[i].cell;
            int differ = 0;
            for (size_t s = 1; s < compare->sets; s++)
                differ |= compare_events_differ(cell[0], cell[s], k);
            if (!differ)
                continue;
            if (!table) {
                table = table_create(3 + compare->sets, 3);
                if (!table)
                    return -ENOMEM;
                table_add(table, "events per operation");
                table_add(table, "layout");
                table_add(table, "event");
                for (size_t s = 0; s < compare->sets; s++)
                    table_add(table, "%c", letter(s));
            }
            table_add(table, "%s", report_cell_label(cell[0], label, sizeof(label)));
            table_add(table, "%s", cell[0]->layout);
            table_add(table, "%s", name[k]);
            for (size_t s = 0; s < compare->sets; s++)
                table_add(table, "%s", table_number(number, cell[s]->events[k]));
        }
    if (!table)
        return 0;
    fputc('\n', to);
    return table_print(table, TABLE_TEXT, to);
}

/* Why a cell has no figures, or which are not to be taken for real ones. */
static void print_reasons(const struct compare *compare, FILE *to) {
    char label[128];
    int any = 0;
    for (size_t i = 0; i < compare->rows; i++)
        for (size_t s = 0; s < compare->sets; s++) {
            const struct report_cell *cell = compare->row[i].cell[s];
            if (!cell || !strcmp(cell->status, "ok"))
                continue;
            if (!any++)
                fputs("\nnot ok\n", to);
            fprintf(to, "  %c  %s in %s: %s: ", letter(s),
                    report_cell_label(cell, label, sizeof(label)), cell->layout, cell->status);
            print_value(cell->reason, to);
        }
}

int compare_print_text(const struct compare *compare, FILE *to) {
    char label[128];
    print_head(compare, to);
    int code = print_rows(compare, to);
    if (!code)
        code = print_events(compare, to);
    print_reasons(compare, to);
    for (size_t i = 0, gaps = 0; i < compare->rows; i++) {
        const struct compare_row *row = &compare->row[i];
        if (in_all(compare, row))
            continue;
        if (!gaps++)
            fputs("\nnot in every set\n", to);
        const struct report_cell *cell = any_cell(row);
        fprintf(to, "  %s in %s: only in", report_cell_label(cell, label, sizeof(label)),
                cell->layout);
        for (size_t s = 0; s < compare->sets; s++)
            if (row->cell[s])
                fprintf(to, " %c", letter(s));
        fputc('\n', to);
    }
    return code;
}

/* ---- JSON ---- */

static void print_member(const char *key, double value, FILE *to) {
    fprintf(to, ",\"%s\":", key);
    record_print_number(value, to);
}

static void print_row(const struct compare *compare, const struct compare_row *row, FILE *to) {
    const struct report_cell *any = any_cell(row);
    const struct {
        const char *key, *text;
    } name[] = {{"layout", any->layout},
                {"workload", any->workload},
                {"op", any->op},
                {"kind", any->kind},
                {"unit", any->unit}};
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        fprintf(to, "%s\"%s\":", i ? "," : "{", name[i].key);
        record_print_string(name[i].text, to);
    }
    fputs(",\"params\":", to);
    record_print_params(any->params, to);
    fputs(",\"sets\":[", to);
    for (size_t s = 0; s < compare->sets; s++) {
        const struct report_cell *cell = row->cell[s];
        fputs(s ? "," : "", to);
        if (!cell) {
            fputs("null", to);
            continue;
        }
        fputs("{\"backend\":", to);
        record_print_string(cell->backend, to);
        fputs(",\"status\":", to);
        record_print_string(cell->status, to);
        fputs(",\"reason\":", to);
        record_print_string(cell->reason, to);
        print_member("median", cell->median, to);
        print_member("lo", cell->lo, to);
        print_member("hi", cell->hi, to);
        fprintf(to, ",\"n\":%zu,\"boots\":%zu,\"events\":", cell->n, cell->boots);
        record_print_events(cell->events, cell->has_events, to);
        if (s && row->cell[0]) {
            print_member("ratio", row->ratio[s].value, to);
            print_member("ratio_lo", row->ratio[s].lo, to);
            print_member("ratio_hi", row->ratio[s].hi, to);
            fprintf(to, ",\"verdict\":\"%s\"", row->ratio[s].verdict);
        }
        fputc('}', to);
    }
    fputs("]}", to);
}

static void print_strings(char *const *text, size_t count, const char *prefix, const char **comma,
                          FILE *to) {
    for (size_t i = 0; i < count; i++) {
        char line[1024];
        snprintf(line, sizeof(line), "%s%s", prefix, text[i]);
        fputs(*comma, to);
        record_print_string(line, to);
        *comma = ",";
    }
}

int compare_print_json(const struct compare *compare, FILE *to) {
    const char *comma = "";
    fputs("{\"sets\":[", to);
    for (size_t s = 0; s < compare->sets; s++) {
        fputs(s ? ",{\"dir\":" : "{\"dir\":", to);
        record_print_string(compare->report[s]->data->dir, to);
        fprintf(to, ",\"complete\":%s}", compare->report[s]->data->complete ? "true" : "false");
    }
    fputs("],\"differences\":[", to);
    for (size_t i = 0; i < compare->differences; i++) {
        fputs(i ? ",\n  {\"key\":" : "\n  {\"key\":", to);
        record_print_string(compare->difference[i].key, to);
        fputs(",\"values\":[", to);
        for (size_t s = 0; s < compare->sets; s++) {
            fputs(s ? "," : "", to);
            if (compare->difference[i].value[s])
                record_print_string(compare->difference[i].value[s], to);
            else
                fputs("null", to);
        }
        fputs("]}", to);
    }
    fputs("],\"warnings\":[", to);
    print_strings(compare->warning, compare->warnings, "", &comma, to);
    for (size_t s = 0; s < compare->sets; s++) {
        const char prefix[] = {letter(s), ':', ' ', '\0'};
        print_strings(compare->report[s]->warning, compare->report[s]->warnings, prefix, &comma,
                      to);
    }
    fputs("],\"cells\":[", to);
    for (size_t i = 0; i < compare->rows; i++) {
        fputs(i ? ",\n  " : "\n  ", to);
        print_row(compare, &compare->row[i], to);
    }
    fputs("\n]}\n", to);
    return 0;
}
