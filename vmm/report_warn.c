/* The warnings at the top of a report: what its reader must know before the figures. */
#include "report.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int warn(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int warn(struct report *report, const char *format, ...) {
    char **more = realloc(report->warning, (report->warnings + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    report->warning = more;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&more[report->warnings], format, args);
    va_end(args);
    if (length < 0)
        return -ENOMEM;
    report->warnings++;
    return 0;
}

int report_warn(struct report *report, const char *text) { return warn(report, "%s", text); }

static int warn_flag(struct report *report, enum report_flag flag) {
    char names[256] = "", label[128];
    size_t count = 0, used = 0;
    for (size_t i = 0; i < report->count; i++) {
        if (!(report->cell[i].flags >> flag & 1))
            continue;
        if (count++ < 3 && used < sizeof(names))
            used += (size_t)snprintf(
                names + used, sizeof(names) - used, "%s%s in %s", count > 1 ? ", " : "",
                report_cell_label(&report->cell[i], label, sizeof(label)), report->cell[i].layout);
    }
    return !count ? 0
                  : warn(report, "%zu of %zu cells: %s (%s%s)", count, report->count,
                         report_flag_text(flag), names, count > 3 ? ", ..." : "");
}

int report_warn_all(struct report *report) {
    const struct result_data *data = report->data;
    size_t failed = 0, unavailable = 0, bases = 0, hosts = 1;
    json_int_t expected = json_integer_value(json_object_get(data->manifest, "cells"));
    int code = 0;
    if (!data->complete && expected > 0)
        code = warn(report,
                    "half-written set, %zu cells: the run did not finish (%zu records; a whole set "
                    "has %" JSON_INTEGER_FORMAT " boots)",
                    report->count, data->count, expected);
    else if (!data->complete)
        code = warn(report, "half-written set, %zu cells: the run did not finish", report->count);
    if (!code && data->torn)
        code = warn(report, "the last line of samples.jsonl is torn and was left out");
    for (size_t i = 0; i < data->count; i++) {
        hosts += !strcmp(data->record[i].unit, "cycles") && hosts == 1 &&
                 strcmp(data->record[i].host, data->record[0].host);
    }
    if (!code && data->strangers)
        code = warn(report, "%zu records are of another experiment than the manifest",
                    data->strangers);
    if (!code && hosts > 1)
        code = warn(report, "records in cycles come from more than one host");
    for (size_t i = 0; i < report->count; i++) {
        const struct report_cell *cell = &report->cell[i];
        failed += !strcmp(cell->status, "failed");
        unavailable += !strcmp(cell->status, "unavailable");
        bases += report_cell_simulated(cell) && !strcmp(cell->layout, report->baseline);
    }
    if (!code && failed)
        code = warn(report, "%zu of %zu cells failed", failed, report->count);
    if (!code && unavailable)
        code = warn(report, "%zu of %zu cells unavailable: the machine lacks what they ask for",
                    unavailable, report->count);
    if (!code && bases)
        code = warn(report, "%zu cells of the baseline are simulated: no ratio to them", bases);
    for (enum report_flag flag = 0; !code && flag < REPORT_FLAGS; flag++)
        code = warn_flag(report, flag);
    return code;
}
