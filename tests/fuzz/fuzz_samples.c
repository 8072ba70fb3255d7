/*
 * Fuzzes the reader of samples.jsonl and, where it accepts, the report: any bytes give a sentence or a
 * report, never a crash, and what was read once is read again after it was written.
 */
#include "vmm/report.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check_again(const struct result_data *data) {
    char *text = NULL;
    size_t bytes = 0;
    struct error error;
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        abort();
    for (size_t i = 0; i < data->count; i++)
        record_print(&data->record[i], to);
    fclose(to);
    struct result_data *again = result_data_create();
    FILE *from = bytes ? fmemopen(text, bytes, "r") : NULL;
    if (!again || (from && result_data_read(again, from, "again", &error)) ||
        again->count != data->count)
        abort();
    if (from)
        fclose(from);
    result_data_free(again);
    free(text);
}

static void print_all(const struct report *report) {
    FILE *to = fopen("/dev/null", "w");
    if (!to)
        abort();
    report_print_text(report, 0, to);
    report_print_text(report, 1, to);
    report_print_html(report, to);
    report_print_csv(report, to);
    report_print_json(report, to);
    fclose(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    struct error error;
    struct report *report;
    struct result_data *data = result_data_create();
    FILE *from = count ? fmemopen((void *)bytes, count, "r") : NULL;
    if (from && data && !result_data_read(data, from, "input", &error)) {
        check_again(data);
        if (!report_create(data, NULL, &report, &error)) {
            print_all(report);
            report_free(report);
        }
    }
    if (from)
        fclose(from);
    result_data_free(data);
    return 0;
}
