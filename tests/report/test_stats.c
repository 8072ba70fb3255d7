/*
 * The statistics against data/stats.txt, which was computed by other means, and against what must
 * hold of any interval.
 */
#include "vmm/stats.h"
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_NUMBERS 64

static size_t numbers(char *text, double *out) {
    size_t n = 0;
    for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n"))
        out[n++] = strtod(word, NULL);
    return n;
}

static int close_to(double a, double b) { return fabs(a - b) <= 1e-9 * fmax(1, fabs(b)); }

/* Calls `check` for each line of the kind: numbers before and after the equals sign. */
static void for_lines(const char *kind, void (*check)(const double *in, const double *out)) {
    FILE *from = fopen(REPORT_DATA "/stats.txt", "r");
    char line[1024];
    size_t found = 0;
    cr_assert_not_null(from);
    while (fgets(line, sizeof(line), from)) {
        double in[LINE_NUMBERS] = {0}, out[LINE_NUMBERS] = {0};
        char *equals = strchr(line, '=');
        size_t length = strlen(kind);
        if (!equals || strncmp(line, kind, length) || line[length] != ' ')
            continue;
        *equals = '\0';
        numbers(line + length, in);
        numbers(equals + 1, out);
        check(in, out);
        found++;
    }
    fclose(from);
    cr_assert_gt(found, 0);
}

static void check_summary(const double *in, const double *out) {
    struct stats_summary s;
    cr_assert_eq(stats_summarise(in + 1, (size_t)in[0], &s), 0);
    const double got[] = {s.min, s.q1, s.median, s.q3, s.mad};
    cr_assert_eq(s.n, (size_t)in[0]);
    for (size_t i = 0; i < 5; i++)
        cr_assert(close_to(got[i], out[i]), "value %zu: %g, not %g", i, got[i], out[i]);
}

Test(stats, summaries_are_those_of_python) { for_lines("summary", check_summary); }

static void check_bounds(const struct stats_bootstrap *got, const double *out) {
    const double bound[] = {got->percentile.lo, got->percentile.hi, got->bca.lo, got->bca.hi};
    cr_assert(close_to(got->value, out[0]), "%g, not %g", got->value, out[0]);
    for (size_t i = 0; i < 4; i++)
        cr_assert(bound[i] >= out[1 + 2 * i] - 1e-9 && bound[i] <= out[2 + 2 * i] + 1e-9,
                  "bound %zu: %g, not %g to %g", i, bound[i], out[1 + 2 * i], out[2 + 2 * i]);
}

static void check_median(const double *in, const double *out) {
    struct stats_bootstrap got;
    for (uint64_t seed = 0; seed < 3; seed++) {
        cr_assert_eq(stats_median_interval(in + 1, (size_t)in[0], seed, &got), 0);
        check_bounds(&got, out);
    }
}

Test(stats, median_intervals_are_those_of_all_resamples) { for_lines("median", check_median); }

static void check_ratio(const double *in, const double *out) {
    struct stats_bootstrap got;
    size_t n = (size_t)in[0], m = (size_t)in[n + 1];
    for (uint64_t seed = 0; seed < 3; seed++) {
        cr_assert_eq(stats_ratio_interval(in + 1, n, in + n + 2, m, seed, &got), 0);
        check_bounds(&got, out);
    }
}

Test(stats, ratio_intervals_are_those_of_all_resamples) { for_lines("ratio", check_ratio); }

static void check_normal(const double *in, const double *out) {
    cr_assert(close_to(stats_normal_quantile(in[0]), out[0]));
    cr_assert(close_to(stats_normal_cdf(out[0]), in[0]));
}

Test(stats, normal_distribution_is_that_of_python) { for_lines("normal", check_normal); }

Test(stats, random_numbers_are_those_of_the_published_generator) {
    FILE *from = fopen(REPORT_DATA "/stats.txt", "r");
    char line[1024];
    size_t found = 0;
    while (fgets(line, sizeof(line), from)) {
        uint64_t seed, out[4];
        struct stats_random random;
        if (sscanf(line, "random %" SCNu64 " = %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &seed,
                   &out[0], &out[1], &out[2], &out[3]) != 5)
            continue;
        stats_random_seed(&random, seed);
        for (size_t i = 0; i < 4; i++)
            cr_assert_eq(stats_random_next(&random), out[i]);
        found++;
    }
    fclose(from);
    cr_assert_eq(found, 3);
}

Test(stats, equal_boots_give_an_interval_without_width) {
    const double boots[] = {12.1, 12.1, 12.1, 12.1};
    struct stats_bootstrap got;
    for (size_t n = 1; n <= 4; n++) {
        cr_assert_eq(stats_median_interval(boots, n, 1, &got), 0);
        cr_assert_eq(got.bca.lo, 12.1);
        cr_assert_eq(got.bca.hi, 12.1);
        cr_assert_eq(got.percentile.lo, 12.1);
        cr_assert_eq(got.value, 12.1);
    }
    cr_assert_eq(stats_ratio_interval(boots, 2, boots, 3, 1, &got), 0);
    cr_assert_eq(got.bca.lo, 1);
    cr_assert_eq(got.bca.hi, 1);
}

Test(stats, order_of_boots_does_not_matter) {
    const double boots[] = {5, 1, 4, 2, 3, 9}, sorted[] = {1, 2, 3, 4, 5, 9};
    struct stats_bootstrap a, b;
    cr_assert_eq(stats_median_interval(boots, 6, 77, &a), 0);
    cr_assert_eq(stats_median_interval(sorted, 6, 77, &b), 0);
    cr_assert_eq(a.value, b.value);
    cr_assert_eq(a.bca.lo, b.bca.lo);
    cr_assert_eq(a.bca.hi, b.bca.hi);
    cr_assert_eq(a.percentile.lo, b.percentile.lo);
    cr_assert_eq(a.percentile.hi, b.percentile.hi);
}

Test(stats, ratio_to_nothing_is_not_a_number) {
    const double over[] = {1, 2}, zero[] = {1, 0}, negative[] = {-1, 3};
    struct stats_bootstrap got;
    cr_assert_eq(stats_ratio_interval(over, 2, zero, 2, 1, &got), 0);
    cr_assert(isnan(got.value) && isnan(got.bca.lo) && isnan(got.percentile.hi));
    cr_assert_eq(stats_ratio_interval(over, 2, negative, 2, 1, &got), 0);
    cr_assert(isnan(got.value));
}

Test(stats, drift_is_first_and_last_at_the_ends) {
    const double up[] = {100, 101, 103, 104}, small[] = {100, 100.5, 101, 101.5},
                 down[] = {110, 105, 104, 100}, none[] = {100, 120, 104}, two[] = {1, 9};
    cr_assert(stats_drift(up, 4));
    cr_assert(stats_drift(down, 4));
    cr_assert_not(stats_drift(small, 4));
    cr_assert_not(stats_drift(none, 3));
    cr_assert_not(stats_drift(two, 2));
}

/* An exponential or a normal value, from the generator's top 53 bits. */
static double draw(struct stats_random *random, int skewed) {
    double u = ((double)(stats_random_next(random) >> 11) + 0.5) * 0x1p-53;
    return skewed ? -log(1 - u) : stats_normal_quantile(u);
}

Test(stats, bca_intervals_hold_the_true_median_as_often_as_they_say) {
    enum {
        TRIALS = 300,
        BOOTS = 12
    };
    struct stats_random random;
    stats_random_seed(&random, 2024);
    for (int skewed = 0; skewed < 2; skewed++) {
        const double truth = skewed ? log(2) : 0;
        int held = 0, percentile_held = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            double boots[BOOTS];
            struct stats_bootstrap got;
            for (int i = 0; i < BOOTS; i++)
                boots[i] = draw(&random, skewed);
            cr_assert_eq(stats_median_interval(boots, BOOTS, (uint64_t)trial, &got), 0);
            held += got.bca.lo <= truth && truth <= got.bca.hi;
            percentile_held += got.percentile.lo <= truth && truth <= got.percentile.hi;
        }
        cr_assert(held >= TRIALS * 90 / 100 && held <= TRIALS * 99 / 100, "%d of %d", held, TRIALS);
        cr_assert(percentile_held >= TRIALS * 90 / 100, "%d of %d", percentile_held, TRIALS);
    }
}
