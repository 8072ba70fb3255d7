/*
 * Several sets in one report: layouts side by side, what is refused, a baseline on another backend, and
 * a peer, which has no taxes.
 */
#include "helpers.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct error error;
static char folder[2][256];

static struct record record_of(const char *layout, const char *backend, double value) {
    struct record record = record_make(layout, 0, value, value);
    record.backend = backend;
    record.unit = "instructions";
    return record;
}

/* Makes a set of one record in folder[number]. */
static void set_make(int number, const char *experiment, struct record record) {
    struct result_set *set;
    json_t *manifest = manifest_make(record.unit);
    json_object_set_new(manifest, "experiment", json_string(experiment));
    json_object_set_new(manifest, "layouts", json_pack("[s]", record.layout));
    record.experiment = experiment;
    temp_make(folder[number]);
    cr_assert_eq(result_set_create(&set, folder[number], 0, manifest, &error), 0, "%s", error.text);
    cr_assert_eq(result_set_append(set, &record, &error), 0, "%s", error.text);
    cr_assert_eq(result_set_finish(set, 1, &error), 0, "%s", error.text);
}

static int join(struct result_data **data) {
    cr_assert_eq(result_set_load(folder[0], data, &error), 0, "%s", error.text);
    return result_set_join(*data, folder[1], &error);
}

static void sets_remove(struct result_data *data) {
    result_data_free(data);
    temp_remove(folder[0]);
    temp_remove(folder[1]);
}

static const struct report_cell *cell_of(const struct report *report, const char *layout) {
    for (size_t i = 0; i < report->count; i++)
        if (!strcmp(report->cell[i].layout, layout))
            return &report->cell[i];
    cr_assert_fail("no cell of %s", layout);
    return NULL;
}

static struct report *joined_report(struct result_data **data, const char *baseline) {
    struct report *report;
    cr_assert_eq(join(data), 0, "%s", error.text);
    cr_assert_eq(report_create(*data, baseline, &report, &error), 0, "%s", error.text);
    return report;
}

Test(join, layouts_of_both_have_ratios_to_one_baseline) {
    struct result_data *data;
    set_make(0, "ours", record_of("near", "qemu", 300));
    set_make(1, "peer", record_of("far", "qemu", 1200));
    struct report *report = joined_report(&data, "far");
    cr_assert_eq(report->layouts, 2);
    cr_assert_str_eq(report->layout[0], "near"); /* in the order of the sets */
    cr_assert_float_eq(cell_of(report, "near")->ratio, 0.25, 1e-9);
    cr_assert_eq(report->warnings, 0, "%s", report->warning[0]);
    char *text = report_text(report, "txt");
    cr_assert_not_null(strstr(text, "ours + peer"), "%s", text);
    cr_assert_not_null(strstr(text, folder[1]), "%s", text);
    free(text);
    report_free(report);
    sets_remove(data);
}

Test(join, a_baseline_on_another_backend_is_taken_and_said) {
    struct result_data *data;
    set_make(0, "ours", record_of("near", "qemu", 300));
    set_make(1, "peer", record_of("far", "bochs", 1200));
    struct report *report = joined_report(&data, "far");
    cr_assert_float_eq(cell_of(report, "near")->ratio, 0.25, 1e-9);
    cr_assert(cell_of(report, "near")->flags >> CELL_FAR_BASE & 1);
    cr_assert(!(cell_of(report, "far")->flags >> CELL_FAR_BASE & 1));
    cr_assert_eq(report->warnings, 1);
    cr_assert_not_null(strstr(report->warning[0], "another backend"));
    report_free(report);
    sets_remove(data);
}

Test(join, instructions_and_cycles_are_refused) {
    struct result_data *data;
    struct record cycles = record_make("far", 0, 5, 5);
    set_make(0, "ours", record_of("near", "qemu", 300));
    set_make(1, "peer", cycles);
    cr_assert_eq(join(&data), -EINVAL);
    cr_assert_not_null(strstr(error.text, "no ratio between them"), "%s", error.text);
    sets_remove(data);
}

Test(join, the_same_cell_in_both_is_refused) {
    struct result_data *data;
    set_make(0, "ours", record_of("near", "qemu", 300));
    set_make(1, "peer", record_of("near", "qemu", 300));
    cr_assert_eq(join(&data), -EINVAL);
    cr_assert_not_null(strstr(error.text, folder[0]), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "bulkhead compare"), "%s", error.text);
    sets_remove(data);
}

Test(join, an_incomplete_set_makes_the_whole_incomplete) {
    struct result_data *data;
    char path[300];
    set_make(0, "ours", record_of("near", "qemu", 300));
    set_make(1, "peer", record_of("far", "qemu", 1200));
    snprintf(path, sizeof(path), "%s/samples.jsonl", folder[0]);
    char *lines = file_read(path);
    lines[strlen(lines) - 1] = '\0'; /* its last line is torn, that of the other set is not */
    file_write(path, lines);
    free(lines);
    cr_assert_eq(join(&data), 0, "%s", error.text);
    cr_assert(!data->complete);
    cr_assert(data->torn);
    sets_remove(data);
}

Test(join, a_peer_has_no_taxes_and_no_row_of_them) {
    struct result_data *data;
    struct record peer = record_of("far", "qemu", 1200),
                  plain = record_of("unchecked", "qemu", 300);
    strcpy(peer.safety, "none");
    strcpy(plain.safety, "unchecked");
    set_make(0, "ours", plain);
    set_make(1, "peer", peer);
    struct report *report = joined_report(&data, "unchecked");
    cr_assert(isnan(cell_of(report, "far")->tax.hardware));
    cr_assert_null(cell_of(report, "far")->tax.gap);
    char *text = report_text(report, "txt");
    const char *taxes = strstr(text, "isolation tax");
    const char *events = strstr(text, "Events");
    cr_assert(taxes && events && taxes < events, "%s", text);
    const char *row = strstr(taxes, "far ");
    cr_assert(!row || row > events, "%s", text);
    free(text);
    report_free(report);
    sets_remove(data);
}
