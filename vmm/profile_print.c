/* A profile for people, and for programs. */
#include "profile.h"
#include "records.h"
#include "table.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT "instructions"

/* What a row is called in this view. */
static const char *row_where(const struct profile_row *row, const struct profile_view *view) {
    return view->by == PROFILE_BY_DOMAIN ? row->domain : row->where;
}
static const char *row_function(const struct profile_row *row, const struct profile_view *view) {
    return view->by == PROFILE_BY_FUNCTION ? row->function : "";
}

static int row_compare(const void *left, const void *right) {
    const struct profile_row *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    int order = strcmp(a->where, b->where);
    return order ? order : strcmp(a->function, b->function);
}

/* Adds up rows of one name, largest first; those that hold nothing go. */
static void rows_settle(struct profile_op *op, const struct profile_view *view) {
    size_t kept = 0;
    for (size_t i = 0; i < op->rows; i++) {
        size_t at = 0;
        while (at < kept &&
               (strcmp(row_where(&op->row[at], view), row_where(&op->row[i], view)) ||
                strcmp(row_function(&op->row[at], view), row_function(&op->row[i], view))))
            at++;
        if (at < kept)
            op->row[at].count += op->row[i].count;
        else
            op->row[kept++] = op->row[i];
    }
    op->rows = 0;
    for (size_t i = 0; i < kept; i++)
        if (fabs(op->row[i].count) > PROFILE_ROUNDING)
            op->row[op->rows++] = op->row[i];
    if (op->rows)
        qsort(op->row, op->rows, sizeof(*op->row), row_compare);
}

static double share(const struct profile_op *op, double count) {
    return op->total > 0 ? count / op->total : NAN;
}

/* How many rows are printed; the others add up to *rest. */
static size_t rows_shown(const struct profile_op *op, const struct profile_view *view,
                         double *rest) {
    size_t shown = view->top && view->top < op->rows ? view->top : op->rows;
    *rest = 0;
    for (size_t i = shown; i < op->rows; i++)
        *rest += op->row[i].count;
    return shown;
}

/* ---- text ---- */

static void text_row(struct table *table, const struct profile_op *op,
                     const struct profile_view *view, const char *where, const char *function,
                     double count) {
    char number[32];
    table_add(table, "%s", where);
    if (view->by == PROFILE_BY_FUNCTION)
        table_add(table, "%s", function);
    table_add(table, "%s", table_number(number, count));
    table_add(table, "%.1f", 100 * share(op, count));
}

static int text_op(const struct profile_op *op, const struct profile_view *view, FILE *to) {
    int by_function = view->by == PROFILE_BY_FUNCTION;
    struct table *table = table_create(by_function ? 4 : 3, by_function ? 2 : 1);
    double rest;
    if (!table)
        return -ENOMEM;
    fprintf(to, "%s: %s, %s per operation in %s, %s\n\n", op->name, op->kind, UNIT, view->layout,
            view->safety);
    table_add(table, "%s", view->by == PROFILE_BY_DOMAIN ? "domain" : "where");
    if (by_function)
        table_add(table, "function");
    table_add(table, UNIT);
    table_add(table, "%%");
    size_t shown = rows_shown(op, view, &rest);
    for (size_t i = 0; i < shown; i++)
        text_row(table, op, view, row_where(&op->row[i], view), op->row[i].function,
                 op->row[i].count);
    char others[48];
    snprintf(others, sizeof(others), "%zu more", op->rows - shown);
    if (shown < op->rows)
        text_row(table, op, view, others, "", rest);
    text_row(table, op, view, "total", "", op->total);
    int status = table_print(table, TABLE_TEXT, to);
    if (fabs(op->total - op->measured) > PROFILE_ROUNDING)
        fprintf(to,
                "\nThe median of the samples is %.6g: %+.6g, which the trace and the clock count "
                "differently.\n",
                op->measured, op->measured - op->total);
    return status;
}

int profile_print_text(struct profile *profile, const struct profile_view *view, FILE *to) {
    int status = 0;
    for (size_t i = 0; !status && i < profile->ops; i++) {
        rows_settle(&profile->op[i], view);
        if (i)
            fputc('\n', to);
        status = text_op(&profile->op[i], view, to);
    }
    return status;
}

/* ---- JSON and CSV ---- */

static void json_text(const char *before, const char *text, FILE *to) {
    fputs(before, to);
    record_print_string(text, to);
}
static void json_number(const char *before, double value, FILE *to) {
    fputs(before, to);
    record_print_number(value, to);
}

static void json_row(const struct profile_op *op, const struct profile_view *view,
                     const struct profile_row *row, FILE *to) {
    json_text(view->by == PROFILE_BY_DOMAIN ? "{\"domain\":" : "{\"where\":", row_where(row, view),
              to);
    if (view->by == PROFILE_BY_FUNCTION) {
        json_text(",\"function\":", row->function, to);
        json_text(",\"domain\":", row->domain, to);
    }
    json_number(",\"instructions\":", row->count, to);
    json_number(",\"share\":", share(op, row->count), to);
    fputs("}", to);
}

int profile_print_json(struct profile *profile, const struct profile_view *view, FILE *to) {
    json_text("{\"layout\":", view->layout, to);
    json_text(",\"workload\":", view->workload, to);
    json_text(",\"safety\":", view->safety, to);
    fputs(",\"backend\":\"qemu\",\"unit\":\"" UNIT "\",\"operations\":[", to);
    for (size_t i = 0; i < profile->ops; i++) {
        struct profile_op *op = &profile->op[i];
        double rest;
        rows_settle(op, view);
        size_t shown = rows_shown(op, view, &rest);
        json_text(i ? ",\n {\"op\":" : "\n {\"op\":", op->name, to);
        json_text(",\"kind\":", op->kind, to);
        json_number(",\"median\":", op->measured, to);
        json_number(",\"total\":", op->total, to);
        json_number(",\"rest\":", rest, to);
        fputs(",\"rows\":[", to);
        for (size_t k = 0; k < shown; k++) {
            fputs(k ? ",\n  " : "\n  ", to);
            json_row(op, view, &op->row[k], to);
        }
        fputs("]}", to);
    }
    fputs("]}\n", to);
    return 0;
}

/* Names here hold neither commas nor quotes: those of files are checked, and symbols are C's. */
int profile_print_csv(struct profile *profile, const struct profile_view *view, FILE *to) {
    int by_domain = view->by == PROFILE_BY_DOMAIN;
    fprintf(to, "layout,workload,op,kind,%s,function,instructions,share\r\n",
            by_domain ? "domain" : "where");
    for (size_t i = 0; i < profile->ops; i++) {
        struct profile_op *op = &profile->op[i];
        double rest;
        rows_settle(op, view);
        size_t shown = rows_shown(op, view, &rest);
        for (size_t k = 0; k <= shown; k++) {
            const struct profile_row *row = &op->row[k];
            if (k == shown && shown == op->rows)
                break;
            fprintf(to, "%s,%s,%s,%s,%s,%s,", view->layout, view->workload, op->name, op->kind,
                    k < shown ? row_where(row, view) : "",
                    k < shown ? row_function(row, view) : "");
            record_print_number(k < shown ? row->count : rest, to);
            fputc(',', to);
            record_print_number(share(op, k < shown ? row->count : rest), to);
            fputs("\r\n", to);
        }
    }
    return 0;
}
