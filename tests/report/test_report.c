/*
 * Reports: cells, ratios, warnings, and their forms. data/golden holds what an earlier `bulkhead report`
 * printed in data/: it shows changes, not that the figures are right; golden.sh writes it anew.
 */
#include "helpers.h"
#include "vmm/command.h"
#include "vmm/report.h"
#include "vmm/table.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error error;
static struct result_data *data;

static const struct report_cell *find(const struct report *report, const char *layout,
                                      const char *op) {
    for (size_t i = 0; i < report->count; i++)
        if (!strcmp(report->cell[i].layout, layout) && !strcmp(report->cell[i].op, op))
            return &report->cell[i];
    cr_assert_fail("no cell %s of %s", op, layout);
    return NULL;
}

static int has_warning(const struct report *report, const char *words) {
    for (size_t i = 0; i < report->warnings; i++)
        if (strstr(report->warning[i], words))
            return 1;
    return 0;
}

/* ---- forms ---- */

struct golden {
    char dir[24], format[8];
};

ParameterizedTestParameters(report, forms_are_as_before) {
    static struct golden golden[] = {
        {"ladder", "txt"},   {"ladder", "md"},       {"ladder", "csv"},     {"ladder", "json"},
        {"timed", "txt"},    {"timed", "md"},        {"timed", "csv"},      {"timed", "json"},
        {"taxes", "txt"},    {"taxes", "md"},        {"taxes", "html"},     {"taxes", "json"},
        {"torn", "txt"},     {"boot-failed", "txt"}, {"unit-mix", "txt"},   {"simulated", "txt"},
        {"simulated", "md"}, {"simulated", "csv"},   {"simulated", "json"}, {"simulated", "html"},
    };
    return cr_make_param_array(struct golden, golden, sizeof(golden) / sizeof(golden[0]));
}

ParameterizedTest(struct golden *golden, report, forms_are_as_before) {
    char path[256];
    struct report *report = report_make(golden->dir, NULL);
    char *text = report_text(report, golden->format);
    snprintf(path, sizeof(path), REPORT_DATA "/golden/%s.%s", golden->dir, golden->format);
    char *expected = file_read(path);
    cr_assert_str_eq(text, expected, "%s differs:\n%s", path, text);
    free(expected);
    free(text);
    report_drop(report);
}

Test(report, json_has_the_promised_keys) {
    static const char *const key[] = {"layout", "workload", "params", "op",     "kind",
                                      "unit",   "backend",  "median", "lo",     "hi",
                                      "min",    "n",        "ratio",  "events", "status"};
    static const char *const dir[] = {"ladder", "timed", "unit-mix", "boot-failed"};
    for (size_t d = 0; d < sizeof(dir) / sizeof(dir[0]); d++) {
        struct report *report = report_make(dir[d], NULL);
        char *text = report_text(report, "json");
        json_error_t why;
        json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &why), *cell;
        size_t i;
        cr_assert_not_null(json, "%s", why.text);
        cr_assert_str_eq(json_string_value(json_object_get(json, "baseline")), report->baseline);
        cr_assert_eq(json_array_size(json_object_get(json, "cells")), report->count);
        json_array_foreach(json_object_get(json, "cells"), i, cell) {
            for (size_t k = 0; k < sizeof(key) / sizeof(key[0]); k++)
                cr_assert_not_null(json_object_get(cell, key[k]), "%s", key[k]);
        }
        json_decref(json);
        free(text);
        report_drop(report);
    }
}

Test(report, csv_has_one_row_a_cell) {
    struct report *report = report_make("timed", NULL);
    char *text = report_text(report, "csv");
    size_t rows = 0;
    for (const char *at = text; (at = strstr(at, "\r\n")); at += 2)
        rows++;
    cr_assert_eq(rows, report->count + 1);
    cr_assert_not_null(strstr(text, "\"SIP client: page fault at 0x10, \"\"main\"\", rip 0x42\""));
    free(text);
    report_drop(report);
}

static size_t widest_line(const char *text) {
    size_t widest = 0, width = 0;
    for (; *text; text++) {
        width = *text == '\n' ? 0 : width + ((*text & 0xc0) != 0x80);
        widest = width > widest ? width : widest;
    }
    return widest;
}

Test(report, text_fits_whatever_the_number_of_layouts) {
    static const char *const layout[] = {"sip-phys", "sip-page",    "hip-r0",     "hip-r0-s",
                                         "hip-r3",   "hip-r3-s",    "monolithic", "microkernel",
                                         "own-one",  "own-number-2"};
    char dir[256];
    struct result_set *set;
    temp_make(dir);
    cr_assert_eq(result_set_create(&set, dir, 0, manifest_make("cycles"), &error), 0);
    for (size_t i = 0; i < 10; i++)
        for (uint32_t boot = 0; boot < 5; boot++) {
            struct record record = record_make(layout[i], boot, 1e6 * (double)(i + 1), 1e6 + boot);
            cr_assert_eq(result_set_append(set, &record, &error), 0, "%s", error.text);
        }
    cr_assert_eq(result_set_finish(set, 1, &error), 0);
    struct report *report = report_make(dir, NULL);
    char *text = report_text(report, "txt");
    cr_assert_leq(widest_line(text), TABLE_WIDTH, "\n%s", text);
    for (size_t i = 0; i < 10; i++)
        cr_assert_not_null(strstr(text, layout[i]));
    free(text);
    report_drop(report);
    temp_remove(dir);
}

static void expect_once(const char *text, const char *words) {
    const char *at = strstr(text, words);
    cr_assert_not_null(at, "no \"%s\" in:\n%s", words, text);
    cr_assert_null(strstr(at + 1, words), "more than one \"%s\" in:\n%s", words, text);
}

Test(report, sizes_and_layouts_with_equal_events_share_a_row) {
    struct report *report = report_make("taxes", NULL);
    char *text = report_text(report, "md");
    expect_once(text, "ping-pong, rounds=10, 1 B ... 32 KiB: events per operation\n");
    expect_once(text, "| hip-r3, monolithic | 4 | 2 | 2 | 2 | see below | 2 |\n");
    expect_once(text, "| hip-r3, hip-r3-s, monolithic, microkernel | 34 | 2,080 | 65,568 |\n");
    free(text);
    report_drop(report);
}

Test(report, sizes_whose_events_differ_have_rows_of_their_own) {
    struct report *report = report_make("taxes", NULL);
    char *text = report_text(report, "md");
    expect_once(text, "| allocate 16 B | sip-phys, sip-page | 0 |\n");
    expect_once(text, "| allocate 1,000 B | sip-phys | 0 |\n");
    expect_once(text, "| allocate 1,000 B | sip-page | 1 |\n");
    free(text);
    report_drop(report);
}

Test(report, workloads_with_one_operation_share_a_table) {
    struct report *report = report_make("taxes", NULL);
    char *text = report_text(report, "md");
    expect_once(text, "### operations: single, instructions; median (ratio to unchecked)\n\n"
                      "| layout | abi-call | yield |\n");
    expect_once(text, "### ping-pong, rounds=10: round-trip, instructions; median (ratio to "
                      "unchecked)\n\n| layout | 1 B | 1 KiB | 32 KiB |\n");
    free(text);
    report_drop(report);
}

Test(report, a_cell_that_failed_has_no_events) {
    struct report *report = report_make("boot-failed", NULL);
    char *text = report_text(report, "md");
    expect_once(text, "| layouts | crossings |\n|---|---:|\n| sip-phys | 0 |\n");
    free(text);
    report_drop(report);
}

Test(report, html_obeys_nothing_that_it_was_given) {
    static const char hostile[] = "<script src=\"//x\">'&";
    char dir[256];
    struct result_set *set;
    temp_make(dir);
    json_t *manifest = manifest_make("cycles");
    json_object_set_new(manifest, "experiment", json_string("</title>\x1b<b>"));
    cr_assert_eq(result_set_create(&set, dir, 0, manifest, &error), 0);
    for (uint32_t boot = 0; boot < 5; boot++) {
        struct record record = record_make(hostile, boot, 10, 11);
        record.workload = record.backend = hostile;
        snprintf(record.op, sizeof(record.op), "%s", hostile);
        snprintf(record.note, sizeof(record.note), "%s", hostile);
        snprintf(record.params.item[0].name, CONFIG_NAME_BYTES, "%s", hostile);
        cr_assert_eq(result_set_append(set, &record, &error), 0, "%s", error.text);
    }
    cr_assert_eq(result_set_finish(set, 1, &error), 0);
    struct report *report = report_make(dir, NULL);
    char *text = report_text(report, "html");
    cr_assert_null(strstr(text, "<script"));
    cr_assert_null(strstr(text, "src=\""));
    cr_assert_null(strstr(text, "\x1b"));
    cr_assert_null(strstr(text, "'&"));
    expect_once(text, "</title>\n<style>");
    cr_assert_not_null(strstr(text, "&#60;script src=&#34;//x&#34;&#62;&#39;&#38;"));
    free(text);
    report_drop(report);
    temp_remove(dir);
}

Test(report, sizes_for_people) {
    static const struct {
        int64_t bytes;
        const char *text;
    } size[] = {{0, "0 B"},         {1, "1 B"},           {1000, "1,000 B"},
                {1024, "1 KiB"},    {1536, "1,536 B"},    {32768, "32 KiB"},
                {1 << 20, "1 MiB"}, {3ll << 30, "3 GiB"}, {-1024, "-1 KiB"}};
    char text[64];
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        struct config_param param = {"bytes", size[i].bytes};
        cr_assert_str_eq(report_param_text(&param, text), size[i].text);
    }
    struct config_param rounds = {"rounds", 1024};
    cr_assert_str_eq(report_param_text(&rounds, text), "rounds=1024");
}

Test(report, numbers_for_people) {
    char text[32];
    cr_assert_str_eq(table_number(text, 0), "0");
    cr_assert_str_eq(table_number(text, 999), "999");
    cr_assert_str_eq(table_number(text, 1000), "1,000");
    cr_assert_str_eq(table_number(text, 1234567.8), "1,234,568");
    cr_assert_str_eq(table_number(text, -13029), "-13,029");
    cr_assert_str_eq(table_number(text, -0.25), "-0.25");
    cr_assert_str_eq(table_number(text, 42.25), "42.2");
    cr_assert_str_eq(table_number(text, 3.14159), "3.14");
    cr_assert_str_eq(table_number(text, 999.96), "1,000.0");
    cr_assert_str_eq(table_number(text, 2e15), "2e+15");
    cr_assert_str_eq(table_number(text, NAN), "-");
}

/* ---- cells ---- */

Test(report, every_cell_of_the_grid_is_there_and_in_order) {
    static const char *const order[] = {"sip-phys", "sip-page", "hip-r0-s", "hip-r3-s"};
    struct report *report = report_make("ladder", NULL);
    cr_assert_eq(report->count, 16);
    for (size_t i = 0; i < report->count; i++) {
        cr_assert_str_eq(report->cell[i].layout, order[i % 4]);
        cr_assert_str_eq(report->cell[i].status, "ok");
        cr_assert_eq(report->cell[i].lo, report->cell[i].median);
        cr_assert_eq(report->cell[i].hi, report->cell[i].median);
        cr_assert_eq(report->cell[i].flags, 0);
    }
    cr_assert_str_eq(report->cell[0].workload, "abi-call");
    cr_assert_eq(report->cell[4].params->item[0].value, 1);
    cr_assert_eq(report->cell[8].params->item[0].value, 64);
    cr_assert_eq(report->cell[12].params->item[0].value, 4096);
    cr_assert_eq(report->warnings, 0);
    report_drop(report);
}

Test(report, ratios_are_to_the_baseline) {
    struct report *report = report_make("ladder", NULL);
    cr_assert_str_eq(report->baseline, "sip-phys");
    cr_assert_float_eq(find(report, "hip-r3-s", "abi-call")->ratio, 71.0 / 12, 1e-12);
    cr_assert_eq(find(report, "sip-phys", "abi-call")->ratio, 1);
    report_drop(report);
    report = report_make("ladder", "hip-r3-s");
    cr_assert_float_eq(find(report, "sip-phys", "abi-call")->ratio, 12.0 / 71, 1e-12);
    report_drop(report);
}

Test(report, baseline_is_the_first_rung_that_is_there) {
    struct report *report = report_make("timed", NULL);
    cr_assert_str_eq(report->baseline, "sip-page");
    report_drop(report);
    report = report_make("taxes", NULL);
    cr_assert_str_eq(report->baseline, "unchecked");
    report_drop(report);
    report = report_make("unknown-layouts", NULL);
    cr_assert_str_eq(report->baseline, "alpha");
    report_drop(report);
}

Test(report, an_unknown_baseline_is_refused_with_a_suggestion) {
    struct report *report;
    cr_assert_eq(chdir(REPORT_DATA), 0);
    cr_assert_eq(result_set_load("ladder", &data, &error), 0);
    cr_assert_eq(report_create(data, "sip-phsy", &report, &error), -EINVAL);
    cr_assert_not_null(strstr(error.text, "did you mean \"sip-phys\"?"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "sip-phys, sip-page, hip-r0-s, hip-r3-s"));
    result_data_free(data);
}

Test(report, intervals_are_over_boots_and_not_over_samples) {
    struct report *report = report_make("timed", NULL);
    const struct report_cell *cell = find(report, "hip-r0", "yield");
    cr_assert_eq(cell->boots, 6);
    cr_assert_eq(cell->n, 24);
    cr_assert_eq(cell->median, 168); /* of 160 163 166 170 175 180 */
    cr_assert(cell->lo >= 160 && cell->lo < 166 && cell->hi > 170 && cell->hi <= 180);
    cr_assert_eq(cell->min, 159);
    cr_assert(cell->flags & 1u << CELL_DRIFT);
    cr_assert_not(cell->flags & 1u << CELL_FEW_BOOTS);
    report_drop(report);
}

Test(report, one_boot_of_time_has_no_interval) {
    struct report *report = report_make("few-boots", NULL);
    cr_assert(isnan(find(report, "hip-r0", "yield")->lo));
    cr_assert(isfinite(find(report, "sip-page", "yield")->lo));
    cr_assert(isfinite(find(report, "hip-r0", "yield")->ratio));
    cr_assert(isnan(find(report, "hip-r0", "yield")->ratio_lo));
    cr_assert(find(report, "hip-r0", "yield")->flags & 1u << CELL_FEW_BOOTS);
    cr_assert(has_warning(report, "fewer than 5 boots"));
    report_drop(report);
}

Test(report, what_has_no_figures_takes_its_place_beside_those_that_have) {
    struct report *report = report_make("timed", NULL);
    const struct report_cell *cell = find(report, "hip-pcid", "yield");
    cr_assert_str_eq(cell->status, "unavailable");
    cr_assert_str_eq(cell->kind, "round-trip");
    cr_assert(isnan(cell->median));
    cr_assert_str_eq(find(report, "hip-tag", "yield")->status, "simulated");
    cr_assert_str_eq(find(report, "hip-tag", "")->status, "failed"); /* nobody ran that workload */
    report_drop(report);
}

Test(report, a_boot_that_failed_taints_the_cell) {
    struct report *report = report_make("boot-failed", NULL);
    const struct report_cell *cell = find(report, "sip-page", "abi-call");
    cr_assert_eq(report->count, 2);
    cr_assert_str_eq(cell->status, "failed");
    cr_assert_str_eq(cell->reason, "timeout after 10 s");
    cr_assert(cell->flags & 1u << CELL_BOOT_FAILED);
    cr_assert(isnan(cell->ratio));
    report_drop(report);
}

Test(report, an_operation_that_failed_in_one_boot_is_tainted_too) {
    char dir[256];
    struct result_set *set;
    temp_make(dir);
    cr_assert_eq(result_set_create(&set, dir, 0, manifest_make("cycles"), &error), 0);
    struct record record = record_make("near", 0, 1, 2);
    cr_assert_eq(result_set_append(set, &record, &error), 0);
    record.boot = 1;
    record.n = 0;
    record.status = "failed";
    snprintf(record.reason, sizeof(record.reason), "wrong checksum");
    cr_assert_eq(result_set_append(set, &record, &error), 0, "%s", error.text);
    cr_assert_eq(result_set_finish(set, 1, &error), 0);
    struct report *report = report_make(dir, NULL);
    cr_assert_eq(report->count, 1);
    cr_assert_eq(report->cell[0].boots, 1);
    cr_assert_str_eq(report->cell[0].status, "failed");
    cr_assert(report->cell[0].flags & 1u << CELL_BOOT_FAILED);
    report_drop(report);
    temp_remove(dir);
}

Test(report, units_are_never_merged) {
    struct report *report = report_make("unit-mix", NULL);
    cr_assert_eq(report->count, 3);
    for (size_t i = 0; i < report->count; i++)
        cr_assert_eq(report->cell[i].boots, 1);
    cr_assert(has_warning(report, "more than one unit"));
    cr_assert(has_warning(report, "the clock is not real"));
    report_drop(report);
}

Test(report, a_half_written_set_is_called_that) {
    struct report *report = report_make("incomplete", NULL);
    cr_assert(has_warning(report, "half-written set, 2 cells"));
    report_drop(report);
    report = report_make("torn", NULL);
    cr_assert(has_warning(report, "half-written"));
    cr_assert(has_warning(report, "torn"));
    report_drop(report);
}

Test(report, counts_that_differ_and_wrong_work_are_flagged) {
    struct report *report = report_make("inexact", NULL);
    cr_assert(find(report, "sip-page", "abi-call")->flags & 1u << CELL_INEXACT);
    cr_assert_not(find(report, "sip-phys", "abi-call")->flags & 1u << CELL_INEXACT);
    report_drop(report);
    report = report_make("oracle", NULL);
    cr_assert(find(report, "sip-page", "abi-call")->flags & 1u << CELL_ORACLE);
    report_drop(report);
}

Test(report, an_empty_set_is_no_report) {
    struct report *report;
    cr_assert_eq(chdir(REPORT_DATA), 0);
    cr_assert_eq(result_set_load("no-records", &data, &error), 0);
    cr_assert_eq(report_create(data, NULL, &report, &error), -EINVAL);
    cr_assert_not_null(strstr(error.text, "no records"));
    result_data_free(data);
}

/* ---- the command ---- */

/* Runs the command with `argv`, whose first is its name, in data/. */
static int run_command(int argc, char **argv) {
    cr_redirect_stdout();
    cr_redirect_stderr();
    cr_assert_eq(chdir(REPORT_DATA), 0);
    return cmd_report(argc, argv);
}
#define RUN(...)                                                                                   \
    run_command(sizeof((char *[]){"", ##__VA_ARGS__}) / sizeof(char *),                            \
                (char *[]){"bulkhead report", ##__VA_ARGS__, NULL})

Test(report, command_reports) {
    cr_assert_eq(RUN("ladder", "--format", "json", "--baseline", "sip-page"), STATUS_DONE);
}
Test(report, command_prints_html) { cr_assert_eq(RUN("taxes", "--format", "html"), STATUS_DONE); }
Test(report, command_refuses_a_baseline_with_status_1) {
    cr_assert_eq(RUN("ladder", "--baseline", "nobody"), STATUS_INPUT);
}
Test(report, command_refuses_a_broken_set_with_status_1) {
    cr_assert_eq(RUN("bad-json"), STATUS_INPUT);
}
Test(report, command_refuses_no_set_with_status_1) { cr_assert_eq(RUN("nowhere"), 1); }
Test(report, no_folder_is_a_usage_error, .exit_code = STATUS_USAGE) { RUN(); }
Test(report, two_folders_with_the_same_cells_are_refused) {
    cr_assert_eq(RUN("ladder", "torn"), STATUS_INPUT);
}
Test(report, an_unknown_format_is_a_usage_error, .exit_code = STATUS_USAGE) {
    RUN("ladder", "--format", "pdf");
}
