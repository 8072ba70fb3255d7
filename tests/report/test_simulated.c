/*
 * What was simulated, what is unavailable and what was not counted: marked wherever it is shown, and
 * no measure of anything else. data/simulated is of a CPU without PCID, IBPB and PKU, data/simulated-real
 * of one that lacks IBPB alone; the layout "old" is from before there were events of mechanisms.
 */
#include "helpers.h"
#include "vmm/compare.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct report_cell *find(const struct report *report, const char *layout) {
    for (size_t i = 0; i < report->count; i++)
        if (!strcmp(report->cell[i].layout, layout))
            return &report->cell[i];
    cr_assert_fail("no cell of %s", layout);
    return NULL;
}

static void expect(const struct report *report, const char *format, const char *const *words,
                   size_t count) {
    char *text = report_text(report, format);
    for (size_t i = 0; i < count; i++)
        cr_assert_not_null(strstr(text, words[i]), "no \"%s\" in:\n%s", words[i], text);
    free(text);
}
#define EXPECT(report, format, ...)                                                                \
    expect(report, format, (const char *const[]){__VA_ARGS__},                                     \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

Test(simulated, every_form_marks_it) {
    struct report *report = report_make("simulated", NULL);
    EXPECT(report, "txt", "310 (3.10×) sim. [1]", "[1] simulated: pcid (needs PCID)",
           "10.0 + 200 sim.", "hip-r3, hip-r3-pcid sim.",
           "WARNING: 2 of 8 cells: simulated: what the CPU lacks");
    EXPECT(report, "md", "| hip-r3-pcid | 310 (3.10×) sim. [1] |",
           "| hip-r3, hip-r3-pcid sim. | 4 |", "- [1] simulated: pcid (needs PCID)");
    EXPECT(report, "html", "<td>310 (3.10×) sim. [1]</td>", "<g class=\"sim\"><title>hip-r3-pcid",
           "simulated: pcid (needs PCID)</title>", "3.10× sim.</text>", "dashed, sim.: simulated");
    EXPECT(report, "csv", "hip-r3-pcid,yield,,yield,round-trip,instructions,qemu,simulated,310,",
           ",pcid (needs PCID),");
    EXPECT(report, "json", "\"status\":\"simulated\",\"reason\":\"pcid (needs PCID)\"",
           "\"warnings\":[\"simulated: ");
    report_drop(report);
}

Test(simulated, every_form_says_why_a_cell_is_unavailable) {
    struct report *report = report_make("simulated", NULL);
    EXPECT(report, "txt", "unavailable [3]", "[3] unavailable: needs PKU",
           "WARNING: 1 of 8 cells unavailable");
    EXPECT(report, "md", "| pku | unavailable [3] |", "- [3] unavailable: needs PKU");
    EXPECT(report, "html", "<td>unavailable [3]</td>", ">unavailable: needs PKU</text>",
           "[3] unavailable: needs PKU");
    EXPECT(report, "csv", "pku,yield,,yield,round-trip,instructions,qemu,unavailable,,",
           ",needs PKU,");
    EXPECT(report, "json", "\"status\":\"unavailable\",\"reason\":\"needs PKU\"");
    report_drop(report);
}

Test(simulated, is_no_baseline) {
    struct report *report = report_make("simulated", "hip-r3-pcid");
    for (size_t i = 0; i < report->count; i++) {
        cr_assert(isnan(report->cell[i].ratio));
        cr_assert(isnan(report->cell[i].tax.hardware));
    }
    cr_assert_str_eq(find(report, "hip-r3")->tax.gap, "the baseline's figure is simulated");
    EXPECT(report, "txt", "WARNING: 1 cells of the baseline are simulated: no ratio to them");
    report_drop(report);
}

/* A set in which the layouts that taxes are measured by are simulated, as far as `simulated` says. */
static struct report *made_up(char dir[256], const char *simulated) {
    static const char *const layout[] = {"unchecked", "sip-phys", "sip-page", "hip-r0", "hip-r3"};
    struct result_set *set;
    struct error error;
    temp_make(dir);
    cr_assert_eq(result_set_create(&set, dir, 0, manifest_make("instructions"), &error), 0);
    for (size_t i = 0; i < 5; i++) {
        struct record record = record_make(layout[i], 0, 100 + 10.0 * (double)i, 0);
        record.unit = "instructions";
        record.n = 1;
        snprintf(record.safety, sizeof(record.safety), i ? "checked" : "unchecked");
        if (!strcmp(layout[i], simulated)) {
            record.status = "simulated";
            snprintf(record.reason, sizeof(record.reason), "smep (needs SMEP)");
        }
        cr_assert_eq(result_set_append(set, &record, &error), 0, "%s", error.text);
    }
    cr_assert_eq(result_set_finish(set, 1, &error), 0);
    return report_make(dir, "hip-r3");
}

Test(simulated, taxes_are_not_measured_by_it) {
    char dir[256];
    struct report *report = made_up(dir, "unchecked"); /* U */
    cr_assert(isnan(find(report, "sip-page")->tax.software));
    cr_assert(isfinite(find(report, "sip-page")->tax.hardware));
    report_drop(report);
    temp_remove(dir);
    report = made_up(dir, "sip-phys"); /* C */
    cr_assert(isnan(find(report, "sip-page")->tax.hardware));
    report_drop(report);
    temp_remove(dir);
    report = made_up(dir, "sip-page"); /* a rung */
    cr_assert(isfinite(find(report, "hip-r0")->tax.hardware));
    cr_assert(isnan(find(report, "hip-r0")->tax.part[PART_DOMAIN]));
    EXPECT(report, "txt", "not known: the figure of this rung is simulated");
    report_drop(report);
    temp_remove(dir);
    report = made_up(dir, "hip-r3"); /* B */
    cr_assert(isnan(find(report, "sip-page")->tax.hardware));
    report_drop(report);
    temp_remove(dir);
    report = made_up(dir, "none");
    cr_assert_float_eq(find(report, "hip-r0")->tax.part[PART_DOMAIN], 10.0 / 140, 1e-12);
    report_drop(report);
    temp_remove(dir);
}

Test(simulated, an_event_that_was_not_counted_is_not_0) {
    struct report *report = report_make("simulated", NULL);
    const struct report_cell *old = find(report, "old");
    cr_assert(old->has_events);
    cr_assert(isnan(old->events[EVENT_STATE_SAVES]));
    cr_assert_eq(old->events[EVENT_CONTEXT_SWITCHES], 2);
    cr_assert_eq(find(report, "sip-page")->events[EVENT_STATE_SAVES], 0);
    EXPECT(report, "md",
           "| layouts | crossings | table sw. | flushes | ctx sw. | barriers | FP saves |",
           "| unchecked, sip-phys, sip-page | 0 | 0 | 0 | 2 | 0 | 0 |",
           "| hardened sim. | 4 | 2 | 0 | 2 | 2 | 1 |", "| old | 0 | 0 | 0 | 2 | - | - |");
    EXPECT(report, "csv", ",0,0,0,2,0,0,0,,,,,,,,,,emulated,",
           ",4,2,0,2,0,0,0,0,2,0,0,0,1,,,,emulated,");
    EXPECT(report, "json", "\"messages\":0,\"page_faults\":0},\"status\":\"ok\"",
           "\"key_switches\":0,\"predictor_barriers\":2,");
    report_drop(report);
}

struct pair {
    struct report *report[2];
    struct compare *compare;
};

/* The comparison points to the reports, so the pair stays where it is. */
static void compare_pair(struct pair *pair, const char *one, const char *other) {
    struct error error;
    pair->report[0] = report_make(one, NULL);
    pair->report[1] = report_make(other, NULL);
    cr_assert_eq(compare_create(pair->report, 2, &pair->compare, &error), 0, "%s", error.text);
}

static void release(struct pair *pair) {
    compare_free(pair->compare);
    report_drop(pair->report[0]);
    report_drop(pair->report[1]);
}

static void expect_compared(const struct pair *pair, int (*print)(const struct compare *, FILE *),
                            const char *words) {
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    cr_assert_eq(print(pair->compare, to), 0);
    fclose(to);
    cr_assert_not_null(strstr(text, words), "no \"%s\" in:\n%s", words, text);
    free(text);
}

Test(simulated, compare_marks_it_and_warns_where_only_one_is) {
    struct pair pair;
    compare_pair(&pair, "simulated", "simulated-real");
    expect_compared(&pair, compare_print_text, "310 sim.       312  1.006× more sim.");
    expect_compared(&pair, compare_print_text, "400 sim.  400 sim.  1.000× same sim.");
    expect_compared(&pair, compare_print_text,
                    "WARNING: some cells are simulated in one set and not in the other");
    expect_compared(&pair, compare_print_text, "  A  yield in pku: unavailable: needs PKU\n");
    expect_compared(&pair, compare_print_text, "  A  yield in hip-r3-pcid: simulated: pcid (needs");
    expect_compared(&pair, compare_print_json,
                    "\"status\":\"simulated\",\"reason\":\"pcid (needs PCID)\"");
    release(&pair);
    compare_pair(&pair, "simulated", "simulated");
    cr_assert_eq(pair.compare->warnings, 0);
    release(&pair);
}

Test(simulated, compare_tells_which_events_differ) {
    struct pair pair;
    compare_pair(&pair, "simulated", "simulated-real");
    expect_compared(&pair, compare_print_text, "hip-r3-pcid  tlb_flushes  2  0\n");
    expect_compared(&pair, compare_print_text, "WARNING: some cells count other events");
    expect_compared(&pair, compare_print_json, "\"state_saves\":1},\"ratio\":1,");
    size_t differ = 0;
    for (size_t i = 0; i < pair.compare->rows; i++)
        for (size_t k = 0; pair.compare->row[i].cell[1] && k < RESULT_EVENTS_NAMED; k++)
            differ += compare_events_differ(pair.compare->row[i].cell[0],
                                            pair.compare->row[i].cell[1], k) != 0;
    cr_assert_eq(differ, 1);
    release(&pair);
}
