/*
 * What isolation costs: the taxes as docs/results.md defines them, on the round figures of data/taxes,
 * and what is unknown when a figure is missing.
 */
#include "helpers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 1e-12

static const struct report_cell *find(const struct report *report, const char *layout,
                                      const char *workload, int64_t bytes) {
    for (size_t i = 0; i < report->count; i++) {
        const struct report_cell *cell = &report->cell[i];
        if (!strcmp(cell->layout, layout) && !strcmp(cell->workload, workload) &&
            (!bytes || cell->params->item[0].value == bytes))
            return cell;
    }
    cr_assert_fail("no cell of %s in %s", workload, layout);
    return NULL;
}

static const struct report_tax *tax_of(const struct report *report, const char *layout,
                                       const char *workload, int64_t bytes) {
    return &find(report, layout, workload, bytes)->tax;
}

static void expect_parts(const struct report_tax *tax, double paging, double domain, double ring) {
    cr_assert_float_eq(tax->part[PART_PAGING], paging, NEAR);
    cr_assert_float_eq(tax->part[PART_DOMAIN], domain, NEAR);
    cr_assert_float_eq(tax->part[PART_RING], ring, NEAR);
    cr_assert_null(tax->gap);
}

Test(taxes, checked_code_pays_software_tax_and_the_rungs_share_the_hardware_tax) {
    struct report *report = report_make("taxes", NULL);
    static const struct {
        const char *layout;
        double hardware, paging, domain, ring;
    } rung[] = {{"sip-phys", 0, 0, 0, 0},           {"sip-page", 0.05, 0.05, 0, 0},
                {"hip-r0", 0.10, 0.05, 0.05, 0},    {"hip-r0-s", 0.20, 0.05, 0.15, 0},
                {"hip-r3", 1.90, 0.05, 0.05, 1.80}, {"hip-r3-s", 2.30, 0.05, 0.15, 2.10}};
    for (size_t i = 0; i < sizeof(rung) / sizeof(rung[0]); i++) {
        const struct report_tax *tax = tax_of(report, rung[i].layout, "abi-call", 0);
        cr_assert_float_eq(tax->software, 0.10, NEAR);
        cr_assert_float_eq(tax->hardware, rung[i].hardware, NEAR, "%s", rung[i].layout);
        expect_parts(tax, rung[i].paging, rung[i].domain, rung[i].ring);
    }
    report_drop(report);
}

Test(taxes, unchecked_code_pays_hardware_tax_only) {
    struct report *report = report_make("taxes", NULL);
    const struct report_tax *tax = tax_of(report, "microkernel", "abi-call", 0);
    cr_assert_eq(tax->software, 0);
    cr_assert_float_eq(tax->hardware, 2.10, NEAR);
    cr_assert(isnan(tax->part[PART_RING])); /* not on the ladder */
    cr_assert_null(tax->gap);
    tax = tax_of(report, "unchecked", "abi-call", 0);
    cr_assert_eq(tax->software, 0);
    cr_assert_eq(tax->hardware, 0);
    report_drop(report);
}

Test(taxes, a_rung_may_be_cheaper_than_the_one_below) {
    struct report *report = report_make("taxes", NULL);
    const struct report_tax *tax = tax_of(report, "hip-r3", "ping-pong", 1024);
    cr_assert_float_eq(tax->hardware, 1.07, NEAR);
    expect_parts(tax, -0.05, 0.10, 1.02);
    report_drop(report);
}

/* Whatever the baseline: the work itself, the taxes and nothing else make up the ratio. */
Test(taxes, they_add_up_to_the_ratio) {
    static const char *const baseline[] = {NULL, "sip-phys", "hip-r3"};
    for (size_t b = 0; b < 3; b++) {
        struct report *report = report_make("taxes", baseline[b]);
        size_t known = 0;
        for (size_t i = 0; i < report->count; i++) {
            const struct report_cell *cell = &report->cell[i];
            const struct report_tax *tax = &cell->tax;
            if (!isfinite(tax->software) || !isfinite(tax->hardware))
                continue;
            const struct report_cell *floor =
                find(report, "unchecked", cell->workload,
                     cell->params->count ? cell->params->item[0].value : 0);
            cr_assert_float_eq(floor->ratio + tax->software + tax->hardware, cell->ratio, NEAR);
            known++;
            if (isfinite(tax->part[0]))
                cr_assert_float_eq(tax->part[0] + tax->part[1] + tax->part[2], tax->hardware, NEAR);
        }
        cr_assert_eq(known, 9 + 7 + 3 * 9);
        report_drop(report);
    }
}

Test(taxes, they_are_parts_of_the_baseline) { /* the paper's: of checked code in one domain */
    struct report *report = report_make("taxes", "sip-phys");
    cr_assert_float_eq(tax_of(report, "hip-r3", "abi-call", 0)->software, 10.0 / 110, NEAR);
    cr_assert_float_eq(tax_of(report, "hip-r3", "abi-call", 0)->hardware, 190.0 / 110, NEAR);
    report_drop(report);
}

/* ---- what is missing ---- */

static void expect_unknown(const struct report_tax *tax, const char *why) {
    cr_assert(isnan(tax->software));
    cr_assert(isnan(tax->hardware));
    cr_assert(isnan(tax->part[0]));
    cr_assert_not_null(tax->gap);
    cr_assert_not_null(strstr(tax->gap, why), "%s", tax->gap);
}

Test(taxes, code_without_a_counterpart_has_unknown_taxes) {
    struct report *report = report_make("taxes", NULL);
    expect_unknown(tax_of(report, "masked", "abi-call", 0), "layout sip-phys");
    expect_unknown(tax_of(report, "mixed", "abi-call", 0), "several kinds of code");
    report_drop(report);
}

Test(taxes, a_rung_that_failed_leaves_those_above_without_parts) {
    struct report *report = report_make("taxes", NULL);
    const struct report_tax *tax = tax_of(report, "hip-r3", "yield", 0);
    cr_assert_float_eq(tax->hardware, 0.5, NEAR);
    cr_assert(isnan(tax->part[PART_RING]));
    cr_assert_not_null(strstr(tax->gap, "rung"));
    cr_assert(isnan(tax_of(report, "sip-page", "yield", 0)->hardware));
    report_drop(report);
}

Test(taxes, without_a_baseline_figure_nothing_is_known) {
    struct report *report = report_make("taxes", NULL);
    expect_unknown(tax_of(report, "sip-page", "heap", 16), "baseline");
    report_drop(report);
}

Test(taxes, without_unchecked_code_the_software_tax_is_unknown) {
    struct report *report = report_make("taxes", "sip-phys");
    const struct report_tax *tax = tax_of(report, "sip-page", "heap", 16);
    cr_assert(isnan(tax->software));
    cr_assert_float_eq(tax->hardware, 0.05, NEAR);
    cr_assert_float_eq(tax->part[PART_PAGING], 0.05, NEAR);
    cr_assert_not_null(strstr(tax->gap, "layout unchecked"));
    report_drop(report);
}

Test(taxes, records_that_do_not_tell_the_code_have_no_taxes) {
    struct report *report = report_make("ladder", NULL);
    for (size_t i = 0; i < report->count; i++)
        expect_unknown(&report->cell[i].tax, "do not tell");
    report_drop(report);
}

/* A layout by the name of unchecked is no floor when its code is checked. */
Test(taxes, a_name_is_no_proof_of_unchecked_code) {
    char dir[256];
    struct error error;
    struct result_set *set;
    temp_make(dir);
    cr_assert_eq(result_set_create(&set, dir, 0, manifest_make("instructions"), &error), 0);
    static const char *const layout[] = {"unchecked", "sip-phys", "sip-page"};
    for (size_t i = 0; i < 3; i++) {
        struct record record = record_make(layout[i], 0, 10, 10);
        record.unit = "instructions";
        cr_assert_eq(result_set_append(set, &record, &error), 0, "%s", error.text);
    }
    cr_assert_eq(result_set_finish(set, 1, &error), 0);
    struct report *report = report_make(dir, NULL);
    cr_assert(isnan(tax_of(report, "sip-page", "call", 0)->software));
    report_drop(report);
    temp_remove(dir);
}

Test(taxes, json_has_them_and_null_where_unknown) {
    struct report *report = report_make("taxes", NULL);
    char *text = report_text(report, "json");
    json_t *json = json_loads(text, 0, NULL), *cell;
    size_t i;
    json_array_foreach(json_object_get(json, "cells"), i, cell) {
        const struct report_tax *tax = &report->cell[i].tax;
        const json_t *software = json_object_get(cell, "software_tax");
        const json_t *hardware = json_object_get(cell, "hardware_tax");
        cr_assert(isnan(tax->software) ? json_is_null(software)
                                       : json_number_value(software) == tax->software);
        cr_assert(isnan(tax->hardware) ? json_is_null(hardware)
                                       : json_number_value(hardware) == tax->hardware);
    }
    cr_assert_eq(i, 55);
    json_decref(json);
    free(text);
    report_drop(report);
}

Test(taxes, text_tells_what_is_missing_in_a_footnote) {
    struct report *report = report_make("taxes", NULL);
    char *text = report_text(report, "md");
    cr_assert_not_null(strstr(text, "| masked | masked | – [4] |"), "%s", text);
    cr_assert_not_null(strstr(text, "- [4] not known: this kind of code has no figure in one"));
    cr_assert_not_null(strstr(text, "| sip-page | checked | 25.0 - 5.0 |"));
    cr_assert_not_null(strstr(text, "| ping-pong 1 KiB | 25.0 | -5.0 | 10.0 | 15.0 | 102 | 137 |"));
    free(text);
    report_drop(report);
}
