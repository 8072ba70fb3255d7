/*
 * Ratios beside the paper's, on round figures made up here: which are laid side by side, which have no
 * ratio, and that nothing of it is there unless asked for.
 */
#include "helpers.h"
#include "vmm/published.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct error error;

static struct report *make(void (*print)(FILE *)) {
    struct result_data *data = result_data_create();
    struct report *report;
    char *text;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    print(to);
    fclose(to);
    FILE *from = fmemopen(text, bytes, "r");
    cr_assert_eq(result_data_read(data, from, "made up", &error), 0, "%s", error.text);
    fclose(from);
    free(text);
    data->complete = 1;
    cr_assert_eq(report_create(data, NULL, &report, &error), 0, "%s", error.text);
    report->published = 1;
    return report;
}

static void add(FILE *to, const char *layout, const char *workload, const char *op, double cost) {
    struct record record = record_make(layout, 0, cost, cost);
    record.workload = workload;
    snprintf(record.op, sizeof(record.op), "%s", op);
    record.params.count = 1; /* bytes */
    record.params.item[0].value = 1;
    if (!strcmp(workload, "webfiles"))
        snprintf(record.params.item[0].name, sizeof(record.params.item[0].name), "passes");
    snprintf(record.safety, sizeof(record.safety), "%s",
             strcmp(layout, "unchecked") ? "checked" : "unchecked");
    record_print(&record, to);
}

static void print_all(FILE *to) {
    for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++) {
        add(to, published_layout(rung), "webfiles", "read-file", 90 + 10 * (double)rung);
        add(to, published_layout(rung), "ping-pong-peers", "ping-pong", 90 + 10 * (double)rung);
    }
    add(to, "microkernel", "webfiles", "read-file", 500);
    add(to, "hip-r3", "heap", "heap", 500);
}

/* The bars of a report as JSON has them; `layout`, `workload` and the paper's unit tell which. */
static json_t *bar_of(json_t *json, const char *layout, const char *workload, const char *unit) {
    size_t i;
    json_t *bar;
    json_array_foreach(json_object_get(json_object_get(json, "published"), "beside"), i, bar) {
        const char *theirs;
        cr_assert_eq(json_unpack(bar, "{s:{s:s}}", "paper", "unit", &theirs), 0);
        if (!strcmp(json_string_value(json_object_get(bar, "layout")), layout) &&
            !strcmp(json_string_value(json_object_get(bar, "workload")), workload) &&
            !strcmp(theirs, unit))
            return bar;
    }
    return NULL;
}

static json_t *json_of(void (*print)(FILE *)) {
    struct report *report = make(print);
    char *text = report_text(report, "json");
    json_error_t why;
    json_t *json = json_loads(text, 0, &why);
    cr_assert_not_null(json, "%s", why.text);
    free(text);
    report_drop(report);
    return json;
}

static double ratio_of(const json_t *bar, const char *whose) {
    const json_t *ratio = json_object_get(json_object_get(bar, whose), "ratio");
    return json_is_null(ratio) ? NAN : json_number_value(ratio);
}

static const char *said(const json_t *bar, const char *whose, const char *key) {
    return json_string_value(json_object_get(json_object_get(bar, whose), key));
}

/* ---- the table ---- */

Test(published, sip_phys_is_the_base_of_every_operation) {
    for (size_t i = 0; i < published_count; i++) {
        cr_assert_eq(published[i].bar[PUBLISHED_SIP_PHYS].origin, PUBLISHED_BASE);
        cr_assert_eq(published[i].bar[PUBLISHED_SIP_PHYS].ratio, 1);
        cr_assert_not_null(published[i].ours[0].workload);
        for (enum published_rung rung = 0; rung < PUBLISHED_RUNGS; rung++)
            cr_assert_eq(published[i].bar[rung].origin == PUBLISHED_NOT,
                         !(published[i].bar[rung].ratio > 0), "%s", published[i].name);
    }
}

/* The abstract has hip-r3 33 % above sip-phys and 25 % above sip-page, and checks below 5 %. */
Test(published, webfiles_is_what_the_abstract_says) {
    for (size_t i = 0; i < published_count; i++)
        if (!strcmp(published[i].name, "WebFiles") && !strcmp(published[i].unit, "cycles")) {
            double r3 = published[i].bar[PUBLISHED_HIP_R3].ratio;
            cr_assert_float_eq(r3, 1.33, 0.005);
            cr_assert_float_eq(r3 / published[i].bar[PUBLISHED_SIP_PAGE].ratio, 1.25, 0.005);
            cr_assert_gt(published[i].bar[PUBLISHED_UNCHECKED].ratio, 0.95);
            return;
        }
    cr_assert_fail("no WebFiles");
}

/* ---- side by side ---- */

Test(published, ratios_to_sip_phys_stand_beside_the_papers) {
    json_t *json = json_of(print_all);
    const json_t *bar = bar_of(json, "hip-r3", "webfiles", "cycles");
    cr_assert_float_eq(ratio_of(bar, "ours"), 1.4, 1e-12);
    cr_assert_float_eq(ratio_of(bar, "paper"), 1.33, 1e-12);
    cr_assert_str_eq(said(bar, "paper", "origin"), "printed");
    bar = bar_of(json, "hip-r3", "webfiles", "instructions");
    cr_assert_float_eq(ratio_of(bar, "paper"), 1.19, 1e-12);
    cr_assert_str_eq(said(bar, "paper", "origin"), "read off a chart");
    bar = bar_of(json, "unchecked", "webfiles", "instructions");
    cr_assert_float_eq(ratio_of(bar, "ours"), 0.9, 1e-12);
    cr_assert(isnan(ratio_of(bar, "paper")));
    cr_assert_str_eq(said(bar, "paper", "origin"), "not published");
    json_decref(json);
}

Test(published, one_way_is_told_from_a_round_trip) {
    json_t *json = json_of(print_all);
    const json_t *bar = bar_of(json, "hip-r3-s", "ping-pong-peers", "cycles");
    cr_assert_str_eq(said(bar, "ours", "kind"), "round-trip");
    cr_assert_str_eq(said(bar, "paper", "kind"), "likely one-way");
    cr_assert_float_eq(ratio_of(bar, "paper"), 9.6, 1e-12);
    json_decref(json);
}

Test(published, layouts_and_operations_that_the_paper_has_not_are_left_out) {
    json_t *json = json_of(print_all);
    cr_assert_null(bar_of(json, "microkernel", "webfiles", "cycles"));
    cr_assert_null(bar_of(json, "hip-r3", "heap", "cycles"));
    cr_assert(json_is_false(json_object_get(json_object_get(json, "published"), "measured_here")));
    json_decref(json);
}

Test(published, people_are_told_what_is_read_off_a_chart) {
    static const char *const format[] = {"text", "md", "html"};
    struct report *report = make(print_all);
    for (size_t i = 0; i < sizeof(format) / sizeof(format[0]); i++) {
        char *text = report_text(report, format[i]);
        cr_assert_not_null(strstr(text, "Beside the paper"));
        cr_assert_not_null(strstr(text, "Deconstructing"));
        cr_assert_not_null(strstr(text, "≈9.60"), "%s", text);
        cr_assert_not_null(strstr(text, "None of them was measured"));
        cr_assert_not_null(strstr(text, "most likely one way"));
        free(text);
    }
    report_drop(report);
}

Test(published, html_has_a_bar_of_ours_beside_theirs) {
    struct report *report = make(print_all);
    char *text = report_text(report, "html");
    cr_assert_not_null(strstr(text, ">1.40× ours<"));
    cr_assert_not_null(strstr(text, ">1.33× paper<"));
    cr_assert_not_null(strstr(text, ">1.19× paper, off a chart<"));
    free(text);
    report_drop(report);
}

Test(published, csv_has_the_papers_ratios_in_columns_of_their_own) {
    struct report *report = make(print_all);
    char *text = report_text(report, "csv");
    cr_assert_not_null(strstr(text, ",floor_lacks,to_sip_phys,paper_kind,paper_cycles,"));
    cr_assert_not_null(strstr(text, ",1.4,whole run,1.33,printed,1.19,read off a chart,"));
    cr_assert_not_null(strstr(text, ",0.9,whole run,0.953,printed,,,"));
    size_t fields[2] = {0}; /* of the head and of the first row, where no text has a comma */
    const char *line = text;
    for (size_t i = 0; i < 2; i++, line++)
        for (; *line != '\n'; line++)
            fields[i] += *line == ',';
    cr_assert_eq(fields[0], fields[1]);
    free(text);
    report_drop(report);
}

/* ---- no ratio ---- */

static void print_without_base(FILE *to) {
    add(to, "hip-r3", "webfiles", "read-file", 130);
    add(to, "sip-page", "webfiles", "read-file", 100);
}

Test(published, without_sip_phys_there_is_no_ratio_but_a_sentence) {
    json_t *json = json_of(print_without_base);
    const json_t *bar = bar_of(json, "hip-r3", "webfiles", "cycles");
    cr_assert(isnan(ratio_of(bar, "ours")));
    cr_assert_not_null(strstr(said(bar, "ours", "why"), "no sip-phys"));
    cr_assert_float_eq(ratio_of(bar, "paper"), 1.33, 1e-12);
    json_decref(json);
    struct report *report = make(print_without_base);
    char *text = report_text(report, "text");
    cr_assert_not_null(strstr(text, "no ratio: The set has no sip-phys"), "%s", text);
    free(text);
    text = report_text(report, "html");
    cr_assert_not_null(strstr(text, "ours: no ratio"));
    free(text);
    report_drop(report);
}

static void print_other_code(FILE *to) {
    add(to, "sip-phys", "webfiles", "read-file", 100);
    struct record record = record_make("hip-r3", 0, 130, 130);
    record.workload = "webfiles";
    snprintf(record.op, sizeof(record.op), "read-file");
    record.params = (struct config_params){.item = {{"passes", 1}}, .count = 1};
    snprintf(record.safety, sizeof(record.safety), "unchecked");
    record_print(&record, to);
}

Test(published, a_rung_with_another_kind_of_code_has_no_ratio) {
    json_t *json = json_of(print_other_code);
    const json_t *bar = bar_of(json, "hip-r3", "webfiles", "cycles");
    cr_assert(isnan(ratio_of(bar, "ours")));
    cr_assert_not_null(strstr(said(bar, "ours", "why"), "not of the kind"));
    json_decref(json);
}

static void print_none(FILE *to) { add(to, "hip-r3", "heap", "heap", 500); }

Test(published, a_set_without_such_operations_says_so) {
    struct report *report = make(print_none);
    char *text = report_text(report, "text");
    cr_assert_not_null(strstr(text, "The paper published no operation of this set"));
    free(text);
    report_drop(report);
}

Test(published, nothing_is_there_unless_asked_for) {
    static const char *const format[] = {"text", "md", "html", "json", "csv"};
    struct report *report = make(print_all);
    report->published = 0;
    for (size_t i = 0; i < sizeof(format) / sizeof(format[0]); i++) {
        char *text = report_text(report, format[i]);
        cr_assert_null(strstr(text, "paper"));
        cr_assert_null(strstr(text, "published"));
        free(text);
    }
    report_drop(report);
}
