/*
 * A report for programs: JSON and CSV, with every digit.
 */
#include "report.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *const event_name[RESULT_EVENTS_NAMED] = RESULT_EVENT_NAMES;

/* ---- JSON ---- */

static void json_text(const char *key, const char *text, FILE *to) {
    fprintf(to, ",\"%s\":", key);
    record_print_string(text, to);
}

static void json_number(const char *key, double value, FILE *to) {
    fprintf(to, ",\"%s\":", key);
    record_print_number(value, to);
}

struct list {
    FILE *to;
    const char *comma;
};

static void json_name(const char *name, void *into) {
    struct list *list = into;
    fputs(list->comma, list->to);
    record_print_string(name, list->to);
    list->comma = ",";
}

static void print_floor(const struct report_cell *cell, FILE *to) {
    struct list list = {to, ""};
    json_number("floor", cell->floor, to);
    json_number("over_floor", cell->over_floor, to);
    fputs(",\"floor_lacks\":[", to);
    report_floor_lacks(cell, json_name, &list);
    fputs("]", to);
}

static void print_cell(const struct report_cell *cell, FILE *to) {
    fputs("  {\"layout\":", to);
    record_print_string(cell->layout, to);
    json_text("workload", cell->workload, to);
    fputs(",\"params\":", to);
    record_print_params(cell->params, to);
    json_text("op", cell->op, to);
    json_text("kind", cell->kind, to);
    json_text("unit", cell->unit, to);
    json_text("backend", cell->backend, to);
    json_number("median", cell->median, to);
    json_number("lo", cell->lo, to);
    json_number("hi", cell->hi, to);
    json_number("min", cell->min, to);
    fprintf(to, ",\"n\":%zu", cell->n);
    json_number("ratio", cell->ratio, to);
    json_number("software_tax", cell->tax.software, to);
    json_number("hardware_tax", cell->tax.hardware, to);
    fputs(",\"events\":", to);
    record_print_events(cell->events, cell->has_events, to);
    json_text("status", cell->status, to);
    json_text("reason", cell->reason, to);
    json_number("q1", cell->q1, to);
    json_number("q3", cell->q3, to);
    json_number("mad", cell->mad, to);
    fprintf(to, ",\"boots\":%zu", cell->boots);
    json_number("ratio_lo", cell->ratio_lo, to);
    json_number("ratio_hi", cell->ratio_hi, to);
    json_text("trust", cell->trust, to);
    json_text("note", cell->note, to);
    json_text("safety", cell->safety, to);
    json_text("host", cell->host, to);
    print_floor(cell, to);
    fprintf(to, ",\"oracle\":\"%016" PRIx64 "\",\"warnings\":[", cell->oracle);
    const char *comma = "";
    for (enum report_flag flag = 0; flag < REPORT_FLAGS; flag++) {
        if (!(cell->flags >> flag & 1))
            continue;
        fputs(comma, to);
        record_print_string(report_flag_text(flag), to);
        comma = ",";
    }
    fputs("]}", to);
}

static void print_cells(const struct report_cell *cell, size_t count, FILE *to) {
    for (size_t i = 0; i < count; i++) {
        print_cell(&cell[i], to);
        fputs(i + 1 < count ? ",\n" : "\n", to);
    }
}

int report_print_json(const struct report *report, FILE *to) {
    fputs("{\"baseline\":", to);
    record_print_string(report->baseline, to);
    fprintf(to, ",\"complete\":%s,\"warnings\":[", report->data->complete ? "true" : "false");
    for (size_t i = 0; i < report->warnings; i++) {
        fputs(i ? "," : "", to);
        record_print_string(report->warning[i], to);
    }
    fputs("],\"cells\":[\n", to);
    print_cells(report->cell, report->count, to);
    fputs("],\"primitives\":[\n", to);
    print_cells(report->primitive, report->primitives, to);
    fputs("]", to);
    if (report->published)
        report_published_json(report, to);
    fputs("}\n", to);
    return 0;
}

/* ---- CSV (RFC 4180) ---- */

static void csv_text(const char *text, FILE *to) {
    int quoted = text[strcspn(text, ",\"\r\n")] != '\0';
    if (quoted)
        fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    if (quoted)
        fputc('"', to);
    fputc(',', to);
}

static void csv_number(double value, FILE *to) {
    if (isfinite(value))
        record_print_number(value, to);
    fputc(',', to);
}

static void print_row(const struct report *report, const struct report_cell *cell, FILE *to) {
    char list[REPORT_LACKS_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < cell->params->count && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s=%" PRId64, i ? " " : "",
                                 cell->params->item[i].name, cell->params->item[i].value);
    csv_text(cell->layout, to);
    csv_text(cell->workload, to);
    csv_text(list, to);
    csv_text(cell->op, to);
    csv_text(cell->kind, to);
    csv_text(cell->unit, to);
    csv_text(cell->backend, to);
    csv_text(cell->status, to);
    const double number[] = {cell->median, cell->lo, cell->hi, cell->min,
                             cell->q1,     cell->q3, cell->mad};
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++)
        csv_number(number[i], to);
    fprintf(to, "%zu,%zu,", cell->n, cell->boots);
    csv_number(cell->ratio, to);
    csv_number(cell->ratio_lo, to);
    csv_number(cell->ratio_hi, to);
    for (size_t i = 0; i < RESULT_EVENTS_NAMED; i++)
        csv_number(cell->has_events ? cell->events[i] : NAN, to);
    csv_number(cell->floor, to);
    csv_number(cell->over_floor, to);
    csv_text(report_floor_lacks_text(cell, list), to);
    if (report->published)
        report_published_csv(report, cell, to);
    csv_text(cell->trust, to);
    csv_text(cell->reason, to);
    csv_text(cell->note, to);
    list[0] = '\0';
    used = 0;
    for (enum report_flag flag = 0; flag < REPORT_FLAGS && used < sizeof(list); flag++)
        if (cell->flags >> flag & 1)
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? "; " : "",
                                     report_flag_text(flag));
    int quoted = list[strcspn(list, ",")] != '\0'; /* these sentences hold no quotes */
    fprintf(to, "%s%s%s\r\n", quoted ? "\"" : "", list, quoted ? "\"" : "");
}

int report_print_csv(const struct report *report, FILE *to) {
    fputs("layout,workload,params,op,kind,unit,backend,status,median,lo,hi,min,q1,q3,mad,n,boots,"
          "ratio,ratio_lo,ratio_hi,",
          to);
    for (size_t i = 0; i < RESULT_EVENTS_NAMED; i++)
        fprintf(to, "%s,", event_name[i]);
    fputs("floor,over_floor,floor_lacks,", to);
    if (report->published)
        report_published_csv_head(to);
    fputs("trust,reason,note,warnings\r\n", to);
    for (size_t i = 0; i < report->count; i++)
        print_row(report, &report->cell[i], to);
    for (size_t i = 0; i < report->primitives; i++)
        print_row(report, &report->primitive[i], to);
    return 0;
}
