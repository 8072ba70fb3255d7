/*
 * Floors as docs/results.md defines them, on round figures made up here: which events cost what, what is
 * lacking, and which primitives belong to which cells.
 */
#include "helpers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct error error;

static const struct {
    const char *op;
    double cost;
} primitives[] = {
    {"syscall", 100},
    {"cr3-flush", 300},
    {"cr3-keep", 150},
    {"invlpg", 50},
    {"wrpkru", 30},
    {"ibpb", 1000},
    {"l1d-flush", 2000},
    {"buffer-clear", 400},
    {"rsb-fill", 80},
    {"fxsave-fxrstor", 120},
    {"copy-1k", 64},
    {"copy-4k", 200},
    {"copy-4k-words", 128},
    {"page-fault-ring3", 900},
    {"page-fault-ring0", 500},
};
#define PRIMITIVES (sizeof(primitives) / sizeof(primitives[0]))

/* ---- sets ---- */

static struct result_data *set_make(void (*print)(FILE *)) {
    struct result_data *data = result_data_create();
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
    return data;
}

static struct report *make(void (*print)(FILE *)) {
    struct report *report;
    cr_assert_eq(report_create(set_make(print), NULL, &report, &error), 0, "%s", error.text);
    return report;
}

static struct record primitive_make(size_t index) {
    double cost = primitives[index].cost;
    struct record record = record_make("hip-r3", 0, cost, cost);
    record.workload = "calibrate";
    record.params.count = 0;
    record.kind = "single";
    snprintf(record.op, sizeof(record.op), "%s", primitives[index].op);
    memset(record.events, 0, sizeof(record.events));
    return record;
}

static void print_primitives(FILE *to) {
    for (size_t i = 0; i < PRIMITIVES; i++) {
        struct record record = primitive_make(i);
        record_print(&record, to);
    }
}

static struct record cell_make(const char *layout, double cost) {
    struct record record = record_make(layout, 0, cost, cost);
    static const double all[RESULT_EVENTS_NAMED] = {6, 3, 2, 2, 64, 2, 1, 1, 1, 1, 1, 1, 1};
    memcpy(record.events, all, sizeof(all));
    return record;
}

static void print_cell_of(const char *layout, double cost, FILE *to) {
    struct record record = cell_make(layout, cost);
    record_print(&record, to);
}

static void print_both(FILE *to) {
    print_primitives(to);
    print_cell_of("hip-r3-s", 9764, to);
}
static void print_only_cells(FILE *to) { print_cell_of("hip-r3-s", 9764, to); }

static const struct report_cell *only(const struct report *report) {
    cr_assert_eq(report->count, 1);
    return &report->cell[0];
}

static struct report *filled(void (*print)(FILE *)) {
    struct report *report = make(print);
    cr_assert_eq(report_floors_fill(report, NULL, &error), 0, "%s", error.text);
    return report;
}

static int warned(const struct report *report, const char *words) {
    for (size_t i = 0; i < report->warnings; i++)
        if (strstr(report->warning[i], words))
            return 1;
    return 0;
}

/* ---- the sum ---- */

/* calls (6 - 2) / 2, the cheaper fault, 2 loads that flush as 150 + 50, 1 that does not, 64 bytes at
   128 / 4096, and the rest once each. */
#define FLOOR (2 * 100 + 500 + 2 * 200 + 150 + 2 + 30 + 1000 + 2000 + 400 + 80 + 120)

Test(floor, is_the_sum_of_the_events_times_their_primitives) {
    struct report *report = filled(print_both);
    const struct report_cell *cell = only(report);
    cr_assert_float_eq(cell->floor, FLOOR, 1e-9);
    cr_assert_float_eq(cell->over_floor, 9764.0 / FLOOR, 1e-12);
    cr_assert(report_floor_whole(cell));
    cr_assert_eq(report->primitives, PRIMITIVES);
    report_drop(report);
}

static void print_flushes(FILE *to) {
    print_primitives(to);
    struct record record = cell_make("hip-r3-s", 1000);
    memset(record.events, 0, sizeof(record.events));
    record.events[EVENT_TABLE_SWITCHES] = 1;
    record.events[EVENT_TLB_FLUSHES] = 4;
    record_print(&record, to);
}

Test(floor, flushes_beyond_the_loads_are_of_single_pages) {
    struct report *report = filled(print_flushes);
    cr_assert_float_eq(only(report)->floor, 200 + 3 * 50, 1e-9);
    report_drop(report);
}

static void print_nothing_happened(FILE *to) {
    print_primitives(to);
    struct record record = cell_make("sip-phys", 10);
    memset(record.events, 0, sizeof(record.events));
    record.events[EVENT_CONTEXT_SWITCHES] = record.events[EVENT_MESSAGES] = 2;
    record_print(&record, to);
}

Test(floor, of_no_costly_event_is_0_and_has_no_quotient) {
    struct report *report = filled(print_nothing_happened);
    cr_assert_eq(only(report)->floor, 0);
    cr_assert(isnan(only(report)->over_floor));
    cr_assert(report_floor_whole(only(report)));
    report_drop(report);
}

static void print_cheap(FILE *to) { /* noise: the loop without was slower */
    struct record record = primitive_make(0);
    record.samples[0] = record.samples[1] = -3;
    record_print(&record, to);
    record = cell_make("hip-r3", 1000);
    memset(record.events, 0, sizeof(record.events));
    record.events[EVENT_RING_CROSSINGS] = 2;
    record_print(&record, to);
}

Test(floor, nothing_costs_less_than_nothing) {
    struct report *report = filled(print_cheap);
    cr_assert_eq(only(report)->floor, 0);
    report_drop(report);
}

/* ---- what is lacking ---- */

static void print_lacking(FILE *to) { /* ibpb was never measured, cr3-keep could not be */
    for (size_t i = 0; i < PRIMITIVES; i++) {
        struct record record = primitive_make(i);
        if (!strcmp(record.op, "ibpb"))
            continue;
        if (!strcmp(record.op, "cr3-keep")) {
            record.status = "unavailable";
            strcpy(record.reason, "needs PCID");
            record.n = 0;
            record.has_events = 0;
            record.note[0] = '\0';
            record.oracle = 0;
            record.overhead = 0;
        }
        record_print(&record, to);
    }
    print_cell_of("hip-r3-s", 9764, to);
}

Test(floor, without_a_primitive_is_a_lower_bound) {
    struct report *report = filled(print_lacking);
    const struct report_cell *cell = only(report);
    char text[REPORT_LACKS_BYTES];
    cr_assert_float_eq(cell->floor, FLOOR - 150 - 1000 + 2 * (300 - 200), 1e-9);
    cr_assert_not(report_floor_whole(cell));
    cr_assert_str_eq(report_floor_lacks_text(cell, text), "cr3-keep, ibpb");
    char *page = report_text(report, "txt");
    cr_assert(strstr(page, "≥ 3,932 (≤ 2.48)"), "%s", page);
    cr_assert(strstr(page, "a lower bound, for want of cr3-keep, ibpb."));
    cr_assert(strstr(page, "needs PCID"));
    free(page);
    report_drop(report);
}

static void print_uncounted(FILE *to) {
    print_primitives(to);
    struct record record = cell_make("hip-r3-s", 9764);
    record.events[EVENT_STATE_SAVES] = NAN;
    record_print(&record, to);
}

Test(floor, of_events_that_were_not_counted_is_a_lower_bound) {
    struct report *report = filled(print_uncounted);
    char text[REPORT_LACKS_BYTES];
    cr_assert_float_eq(only(report)->floor, FLOOR - 120, 1e-9);
    cr_assert_str_eq(report_floor_lacks_text(only(report), text), "events that were not counted");
    report_drop(report);
}

/* ---- whose primitives ---- */

static void print_other(FILE *to, const char *host, const char *backend, const char *unit) {
    for (size_t i = 0; i < PRIMITIVES; i++) {
        struct record record = primitive_make(i);
        snprintf(record.host, sizeof(record.host), "%s", host);
        record.backend = backend;
        record.unit = unit;
        record_print(&record, to);
    }
    print_cell_of("hip-r3-s", 9764, to);
}
static void print_other_host(FILE *to) { print_other(to, "beta", "kvm", "cycles"); }
static void print_other_backend(FILE *to) { print_other(to, "alpha", "metal", "cycles"); }
static void print_other_unit(FILE *to) { print_other(to, "alpha", "kvm", "instructions"); }

Test(floor, needs_the_same_host_backend_and_unit) {
    void (*const print[])(FILE *) = {print_other_host, print_other_backend, print_other_unit};
    for (size_t i = 0; i < sizeof(print) / sizeof(print[0]); i++) {
        struct report *report = filled(print[i]);
        cr_assert(isnan(only(report)->floor));
        cr_assert(warned(report, "no floors"));
        report_drop(report);
    }
}

static void print_simulated(FILE *to) {
    print_primitives(to);
    struct record record = cell_make("hip-r3-s", 9764);
    record.status = "simulated";
    strcpy(record.reason, "pcid (needs PCID)");
    record_print(&record, to);
}

Test(floor, a_simulated_cell_has_none) {
    struct report *report = filled(print_simulated);
    cr_assert(isnan(only(report)->floor));
    report_drop(report);
}

static void print_simulated_primitives(FILE *to) {
    for (size_t i = 0; i < PRIMITIVES; i++) {
        struct record record = primitive_make(i);
        record.status = "simulated";
        strcpy(record.reason, "pcid (needs PCID)");
        record_print(&record, to);
    }
    print_cell_of("hip-r3-s", 9764, to);
}

Test(floor, a_simulated_primitive_is_none) {
    struct report *report = filled(print_simulated_primitives);
    cr_assert(isnan(only(report)->floor));
    report_drop(report);
}

static void print_dear(FILE *to) { /* each ten times as much */
    for (size_t i = 0; i < PRIMITIVES; i++) {
        struct record record = primitive_make(i);
        record.samples[0] = record.samples[1] = 10 * primitives[i].cost;
        record_print(&record, to);
    }
}

Test(floor, a_calibration_comes_before_the_set_s_own_primitives) {
    struct report *report = make(print_both), *calibration = make(print_dear);
    cr_assert_eq(report_floors_fill(report, calibration, &error), 0, "%s", error.text);
    cr_assert_float_eq(only(report)->floor, 10 * FLOOR, 1e-9);
    cr_assert_eq(report->primitives, 2 * PRIMITIVES);
    report_drop(report);
    report_drop(calibration);
    report = make(print_only_cells);
    calibration = make(print_dear);
    cr_assert_eq(report_floors_fill(report, calibration, &error), 0, "%s", error.text);
    cr_assert_float_eq(only(report)->floor, 10 * FLOOR, 1e-9);
    report_drop(report);
    report_drop(calibration);
}

Test(floor, a_calibration_without_primitives_is_refused) {
    struct report *report = make(print_only_cells), *calibration = make(print_only_cells);
    cr_assert_lt(report_floors_fill(report, calibration, &error), 0);
    cr_assert(strstr(error.text, "holds no cells of the workload calibrate"), "%s", error.text);
    report_drop(report);
    report_drop(calibration);
}

/* ---- forms ---- */

Test(floor, is_in_all_forms) {
    struct report *report = filled(print_both);
    static const char *const form[] = {"txt", "md", "html"};
    for (size_t i = 0; i < sizeof(form) / sizeof(form[0]); i++) {
        char *page = report_text(report, form[i]);
        cr_assert(strstr(page, "Primitives and floors"), "%s", form[i]);
        cr_assert(strstr(page, "SYSCALL from ring 3"), "%s", form[i]);
        cr_assert(strstr(page, "4,882 (2.00)"), "%s", form[i]);
        cr_assert_null(strstr(page, "lower bound"));
        free(page);
    }
    char *text = report_text(report, "json");
    json_t *json = json_loads(text, 0, NULL),
           *cell = json_array_get(json_object_get(json, "cells"), 0);
    cr_assert_eq(json_real_value(json_object_get(cell, "over_floor")) +
                     (double)json_integer_value(json_object_get(cell, "over_floor")),
                 2);
    cr_assert_eq(json_integer_value(json_object_get(cell, "floor")), FLOOR);
    cr_assert_eq(json_array_size(json_object_get(cell, "floor_lacks")), 0);
    cr_assert_eq(json_array_size(json_object_get(json, "primitives")), PRIMITIVES);
    json_decref(json);
    free(text);
    text = report_text(report, "csv");
    cr_assert(strstr(text, ",floor,over_floor,floor_lacks,"));
    cr_assert(strstr(text, ",4882,2,,"), "%s", text);
    cr_assert(strstr(text, "\nhip-r3,calibrate,"));
    free(text);
    report_drop(report);
}

Test(floor, primitives_alone_make_a_report) {
    static const char *const form[] = {"txt", "md", "html", "csv", "json"};
    struct report *report = filled(print_primitives);
    cr_assert_eq(report->count, 0);
    cr_assert_not(warned(report, "no floors"));
    for (size_t i = 0; i < sizeof(form) / sizeof(form[0]); i++) {
        char *text = report_text(report, form[i]);
        cr_assert(strstr(text, "page-fault-ring0"), "%s", form[i]);
        free(text);
    }
    report_drop(report);
}
