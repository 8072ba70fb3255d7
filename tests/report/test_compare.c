/*
 * Comparisons: the same cells side by side, and what is refused. data/golden holds what an
 * earlier `bulkhead compare` printed in data/: it shows changes, not that the figures are right;
 * golden.sh writes it anew.
 */
#include "helpers.h"
#include "vmm/command.h"
#include "vmm/compare.h"
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error error;
static struct result_data *data[2];
static struct report *report[2];

static int compare_sets(const char *one, const char *other, struct compare **compare) {
    const char *const dir[] = {one, other};
    cr_assert_eq(chdir(REPORT_DATA), 0);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(result_set_load(dir[i], &data[i], &error), 0, "%s", error.text);
        cr_assert_eq(report_create(data[i], NULL, &report[i], &error), 0, "%s", error.text);
    }
    return compare_create(report, 2, compare, &error);
}

static void release(struct compare *compare) {
    compare_free(compare);
    for (size_t i = 0; i < 2; i++) {
        report_free(report[i]);
        result_data_free(data[i]);
    }
}

static void expect_golden(const char *name, int (*print)(const struct compare *, FILE *)) {
    struct compare *compare;
    char path[256], *text = NULL;
    size_t bytes;
    cr_assert_eq(compare_sets("timed", "timed-other", &compare), 0, "%s", error.text);
    FILE *to = open_memstream(&text, &bytes);
    cr_assert_eq(print(compare, to), 0);
    fclose(to);
    snprintf(path, sizeof(path), REPORT_DATA "/golden/%s", name);
    char *golden = file_read(path);
    cr_assert_str_eq(text, golden, "%s differs:\n%s", name, text);
    free(golden);
    free(text);
    release(compare);
}

Test(compare, text_is_as_before) { expect_golden("compare.txt", compare_print_text); }
Test(compare, json_is_as_before) {
    expect_golden("compare.json", compare_print_json);
    json_error_t why;
    json_t *json = json_load_file(REPORT_DATA "/golden/compare.json", 0, &why);
    cr_assert_not_null(json, "%s", why.text);
    json_decref(json);
}

static const struct compare_row *row_of(const struct compare *compare, const char *layout) {
    for (size_t i = 0; i < compare->rows; i++)
        for (size_t s = 0; s < compare->sets; s++)
            if (compare->row[i].cell[s] && !strcmp(compare->row[i].cell[s]->layout, layout))
                return &compare->row[i];
    cr_assert_fail("no row of %s", layout);
    return NULL;
}

Test(compare, a_set_is_the_same_as_itself) {
    struct compare *compare;
    cr_assert_eq(compare_sets("ladder", "ladder", &compare), 0, "%s", error.text);
    cr_assert_eq(compare->differences, 0);
    cr_assert_eq(compare->warnings, 0);
    cr_assert_eq(compare->rows, report[0]->count);
    for (size_t i = 0; i < compare->rows; i++) {
        cr_assert_str_eq(compare->row[i].ratio[1].verdict, "same");
        cr_assert_eq(compare->row[i].ratio[1].value, 1);
        cr_assert_eq(compare->row[i].ratio[1].lo, 1);
    }
    release(compare);
}

Test(compare, ratios_are_of_the_second_to_the_first) {
    struct compare *compare;
    cr_assert_eq(compare_sets("timed", "timed-other", &compare), 0, "%s", error.text);
    const struct compare_ratio *ratio = &row_of(compare, "hip-r3")->ratio[1];
    cr_assert_float_eq(ratio->value, 1.25, 1e-9);
    cr_assert(ratio->lo > 1.2 && ratio->lo < 1.25 && ratio->hi > 1.25 && ratio->hi < 1.3);
    cr_assert_str_eq(ratio->verdict, "more");
    release(compare);
}

Test(compare, too_few_boots_give_no_verdict_that_is_not_there) {
    struct compare *compare;
    cr_assert_eq(compare_sets("few-boots", "timed", &compare), 0, "%s", error.text);
    cr_assert_str_eq(row_of(compare, "hip-r0")->ratio[1].verdict, "unknown"); /* one boot */
    cr_assert_str_eq(row_of(compare, "sip-page")->ratio[1].verdict, "unclear");
    cr_assert(isnan(row_of(compare, "hip-r0")->ratio[1].lo));
    release(compare);
}

Test(compare, cells_of_one_set_only_are_named) {
    struct compare *compare;
    cr_assert_eq(compare_sets("few-boots", "timed", &compare), 0, "%s", error.text);
    const struct compare_row *row = row_of(compare, "hip-r3");
    cr_assert_null(row->cell[0]);
    cr_assert_not_null(row->cell[1]);
    cr_assert_eq(compare->warnings, 1);
    release(compare);
}

Test(compare, different_units_have_no_ratio) {
    struct compare *compare;
    cr_assert_eq(compare_sets("ladder", "timed", &compare), -EINVAL);
    cr_assert_not_null(strstr(error.text, "instructions"));
    cr_assert_not_null(strstr(error.text, "cycles"));
    release(NULL);
    cr_assert_eq(compare_sets("unit-mix", "ladder", &compare), -EINVAL);
    release(NULL);
}

/* Runs the command with `argv`, whose first is its name, in data/. */
static int run_command(int argc, char **argv) {
    cr_redirect_stdout();
    cr_redirect_stderr();
    cr_assert_eq(chdir(REPORT_DATA), 0);
    return cmd_compare(argc, argv);
}
#define RUN(...)                                                                                   \
    run_command(sizeof((char *[]){"", ##__VA_ARGS__}) / sizeof(char *),                            \
                (char *[]){"bulkhead compare", ##__VA_ARGS__, NULL})

Test(compare, command_refuses_units_with_status_1) {
    cr_assert_eq(RUN("ladder", "timed"), STATUS_INPUT);
}
Test(compare, command_refuses_a_broken_set_with_status_1) {
    cr_assert_eq(RUN("ladder", "bad-json"), STATUS_INPUT);
}
Test(compare, command_compares) {
    cr_assert_eq(RUN("ladder", "ladder", "--format", "json"), STATUS_DONE);
}
Test(compare, one_set_is_a_usage_error, .exit_code = STATUS_USAGE) { RUN("ladder"); }
Test(compare, an_unknown_format_is_a_usage_error, .exit_code = STATUS_USAGE) {
    RUN("ladder", "ladder", "--format", "md");
}
