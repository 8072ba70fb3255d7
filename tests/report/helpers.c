/*
 * What the suites of this folder share.
 */
#include "helpers.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *temp_make(char path[static 256]) {
    const char *root = getenv("TMPDIR");
    snprintf(path, 256, "%s/bulkhead-report-XXXXXX", root ? root : "/tmp");
    cr_assert_not_null(mkdtemp(path));
    return path;
}

void temp_remove(const char *path) {
    static const char *const file[] = {"samples.jsonl", "manifest.json", "manifest.json.part"};
    char name[512];
    for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
        snprintf(name, sizeof(name), "%s/%s", path, file[i]);
        unlink(name);
    }
    cr_assert_eq(rmdir(path), 0);
}

char *file_read(const char *path) {
    FILE *from = fopen(path, "r");
    cr_assert_not_null(from, "%s", path);
    char *text = NULL;
    size_t bytes = 0;
    if (getdelim(&text, &bytes, '\0', from) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(from);
    return text;
}

void file_write(const char *path, const char *text) {
    FILE *to = fopen(path, "w");
    cr_assert_not_null(to, "%s", path);
    fputs(text, to);
    cr_assert_eq(fclose(to), 0);
}

struct report *report_make(const char *dir, const char *baseline) {
    struct error error;
    struct result_data *data;
    struct report *report;
    cr_assert_eq(chdir(REPORT_DATA), 0);
    cr_assert_eq(result_set_load(dir, &data, &error), 0, "%s", error.text);
    cr_assert_eq(report_create(data, baseline, &report, &error), 0, "%s", error.text);
    return report;
}

void report_drop(struct report *report) {
    struct result_data *data = (struct result_data *)report->data;
    report_free(report);
    result_data_free(data);
}

char *report_text(const struct report *report, const char *format) {
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    int code = !strcmp(format, "json")   ? report_print_json(report, to)
               : !strcmp(format, "csv")  ? report_print_csv(report, to)
               : !strcmp(format, "html") ? report_print_html(report, to)
                                         : report_print_text(report, !strcmp(format, "md"), to);
    cr_assert_eq(code, 0);
    fclose(to);
    return text;
}

json_t *manifest_make(const char *unit) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:[s,s], s:[s], s:{s:s}, "
                     "s:{s:{s:s, s:s}, s:s}}",
                     "experiment", "trial", "backend", "kvm", "backend_version", "1", "unit", unit,
                     "trust", "real", "commit", "abc", "seed", 7, "cells", 4, "layouts", "near",
                     "far", "workloads", "call", "images", "kernel.elf", "0a", "host", "cpu",
                     "model", "m", "microcode", "1", "kernel", "6.1");
}

struct record record_make(const char *layout, uint32_t boot, double first, double second) {
    static double samples[8][2]; /* so that several records can be alive */
    static unsigned next;
    double *values = samples[next++ % 8];
    values[0] = first;
    values[1] = second;
    return (struct record){
        .experiment = "trial",
        .layout = layout,
        .workload = "call",
        .params = {.item = {{"bytes", 64}, {"rounds", -1}}, .count = 2},
        .op = "call",
        .kind = "round-trip",
        .unit = "cycles",
        .backend = "kvm",
        .boot = boot,
        .n = 2,
        .samples = values,
        .events = {2, 0, 0, 1, 96.5, 2, 0},
        .has_events = 1,
        .status = "ok",
        .oracle = 0xfedcba9876543210,
        .overhead = 3.25,
        .trust = "real",
        .host = "alpha",
        .note = "as is",
        .safety = "checked",
    };
}
