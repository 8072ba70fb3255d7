/*
 * The statistics of comparison: quantiles and bootstrap intervals. No input, no output.
 */
#include "stats.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- order statistics ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *values, size_t n) { qsort(values, n, sizeof(*values), by_value); }

double stats_quantile(const double *sorted, size_t n, double p) {
    if (!n)
        return NAN;
    double at = p * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n)
        return sorted[n - 1];
    double part = at - (double)below;
    /* Not x + part * (y - x): two equal neighbours must give exactly their value. */
    return part == 0 || sorted[below] == sorted[below + 1]
               ? sorted[below]
               : (1 - part) * sorted[below] + part * sorted[below + 1];
}

int stats_summarise(const double *values, size_t n, struct stats_summary *summary) {
    double *sorted = malloc(n * sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    memcpy(sorted, values, n * sizeof(*sorted));
    stats_sort(sorted, n);
    *summary = (struct stats_summary){
        .n = n,
        .min = sorted[0],
        .q1 = stats_quantile(sorted, n, 0.25),
        .median = stats_quantile(sorted, n, 0.5),
        .q3 = stats_quantile(sorted, n, 0.75),
    };
    for (size_t i = 0; i < n; i++)
        sorted[i] = fabs(sorted[i] - summary->median);
    stats_sort(sorted, n);
    summary->mad = stats_quantile(sorted, n, 0.5);
    free(sorted);
    return 0;
}

/* ---- random numbers ---- */

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

void stats_random_seed(struct stats_random *random, uint64_t seed) {
    for (int i = 0; i < 4; i++)
        random->state[i] = splitmix64(&seed);
}

uint64_t stats_random_next(struct stats_random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* An index below n. The bias of not rejecting is n / 2^32: far below what 10,000 draws can show. */
static size_t random_index(struct stats_random *random, size_t n) {
    return (size_t)((stats_random_next(random) >> 32) * n >> 32);
}

/* ---- the normal distribution ---- */

double stats_normal_cdf(double z) { return 0.5 * erfc(-z / sqrt(2)); }

double stats_normal_quantile(double p) {
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    double below = -40, above = 40;
    for (int i = 0; i < 100; i++) { /* bisection: slow, exact, and needed a few times a cell */
        double middle = (below + above) / 2;
        if (stats_normal_cdf(middle) < p)
            below = middle;
        else
            above = middle;
    }
    return (below + above) / 2;
}

/* ---- the bootstrap ---- */

struct side { /* one set of boots */
    double *sorted;
    uint32_t *drawn; /* how often the current resample holds each */
    size_t n;
};

static int side_init(struct side *side, const double *boots, size_t n) {
    side->n = n;
    side->sorted = malloc(n * sizeof(*side->sorted));
    side->drawn = malloc(n * sizeof(*side->drawn));
    if (!side->sorted || !side->drawn)
        return -ENOMEM;
    memcpy(side->sorted, boots, n * sizeof(*side->sorted));
    stats_sort(side->sorted, n);
    return 0;
}

static void side_free(struct side *side) {
    free(side->sorted);
    free(side->drawn);
}

/* The value of rank `rank` (from 0) of the current resample. */
static double side_rank(const struct side *side, size_t rank) {
    size_t i = 0, seen = side->drawn[0];
    while (seen <= rank)
        seen += side->drawn[++i];
    return side->sorted[i];
}

static double side_resample(struct side *side, struct stats_random *random) {
    memset(side->drawn, 0, side->n * sizeof(*side->drawn));
    for (size_t i = 0; i < side->n; i++)
        side->drawn[random_index(random, side->n)]++;
    double upper = side_rank(side, side->n / 2);
    if (side->n % 2)
        return upper;
    double lower = side_rank(side, side->n / 2 - 1);
    return lower == upper ? upper : (lower + upper) / 2;
}

static double side_median(const struct side *side) {
    return stats_quantile(side->sorted, side->n, 0.5);
}

/* The median without element `out` of the sorted values. */
static double side_median_without(const struct side *side, size_t out) {
    size_t n = side->n - 1, high = n / 2, low = (n - 1) / 2;
    double a = side->sorted[low + (low >= out)], b = side->sorted[high + (high >= out)];
    return a == b ? a : (a + b) / 2;
}

/*
 * Adds one side's part of the acceleration: sums of the cubes and squares of the influence values
 * that the jackknife estimates, each over n. `other` is the other side's median, 1 if there is none.
 */
static void add_influence(const struct side *side, double other, int is_under, double *cubes,
                          double *squares) {
    double mean = 0;
    if (side->n < 2)
        return;
    for (size_t i = 0; i < side->n; i++) {
        double median = side_median_without(side, i);
        mean += (is_under ? other / median : median / other) / (double)side->n;
    }
    for (size_t i = 0; i < side->n; i++) {
        double median = side_median_without(side, i);
        double part = mean - (is_under ? other / median : median / other);
        part *= (double)(side->n - 1) / (double)side->n;
        *cubes += part * part * part;
        *squares += part * part;
    }
}

static double bca_level(double bias, double acceleration, double level) {
    double z = bias + stats_normal_quantile(level);
    return stats_normal_cdf(bias + z / (1 - acceleration * z));
}

static int bootstrap(struct side *over, struct side *under, uint64_t seed,
                     struct stats_bootstrap *out) {
    double *replica = malloc(STATS_RESAMPLES * sizeof(*replica));
    if (!replica)
        return -ENOMEM;
    struct stats_random random;
    stats_random_seed(&random, seed);
    double divisor = under ? side_median(under) : 1;
    out->value = side_median(over) / divisor;
    double less = 0;
    for (size_t i = 0; i < STATS_RESAMPLES; i++) {
        replica[i] = side_resample(over, &random);
        if (under)
            replica[i] /= side_resample(under, &random);
        /* Ties count half: with few boots many resamples equal the value itself. */
        less += replica[i] < out->value ? 1 : replica[i] == out->value ? 0.5 : 0;
    }
    stats_sort(replica, STATS_RESAMPLES);
    double level = (1 - STATS_CONFIDENCE) / 2;
    out->percentile.lo = stats_quantile(replica, STATS_RESAMPLES, level);
    out->percentile.hi = stats_quantile(replica, STATS_RESAMPLES, 1 - level);

    double bias = stats_normal_quantile(less / STATS_RESAMPLES), cubes = 0, squares = 0;
    add_influence(over, divisor, 0, &cubes, &squares);
    if (under)
        add_influence(under, side_median(over), 1, &cubes, &squares);
    double acceleration = cubes / (6 * pow(squares, 1.5));
    out->bca = out->percentile;
    if (isfinite(bias) && isfinite(acceleration)) {
        out->bca.lo =
            stats_quantile(replica, STATS_RESAMPLES, bca_level(bias, acceleration, level));
        out->bca.hi =
            stats_quantile(replica, STATS_RESAMPLES, bca_level(bias, acceleration, 1 - level));
    }
    free(replica);
    return 0;
}

int stats_median_interval(const double *boots, size_t n, uint64_t seed,
                          struct stats_bootstrap *out) {
    struct side over = {0};
    int code = side_init(&over, boots, n);
    if (!code)
        code = bootstrap(&over, NULL, seed, out);
    side_free(&over);
    return code;
}

int stats_ratio_interval(const double *over, size_t n, const double *under, size_t m, uint64_t seed,
                         struct stats_bootstrap *out) {
    struct side above = {0}, below = {0};
    *out = (struct stats_bootstrap){NAN, {NAN, NAN}, {NAN, NAN}};
    if (!n || !m)
        return 0;
    for (size_t i = 0; i < m; i++)
        if (!(under[i] > 0))
            return 0;
    int code = side_init(&above, over, n);
    if (!code)
        code = side_init(&below, under, m);
    if (!code)
        code = bootstrap(&above, &below, seed, out);
    side_free(&above);
    side_free(&below);
    return code;
}

int stats_drift(const double *boots, size_t n) {
    if (n < 3)
        return 0;
    double first = boots[0], last = boots[n - 1];
    double least = fmin(first, last), largest = fmax(first, last);
    for (size_t i = 1; i + 1 < n; i++)
        if (boots[i] < least || boots[i] > largest)
            return 0;
    return largest - least > 0.02 * fabs(first);
}
