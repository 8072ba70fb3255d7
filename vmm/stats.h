/*
 * The statistics of comparison, all of them. Pure arithmetic on arrays: what a boot or a cell is, is
 * the report's business.
 *
 * The unit of resampling is the boot: each boot is one value (its median), because iterations within
 * a boot share its memory layout, its caches and its luck, and are no independent evidence.
 * Results are NaN where they are not defined.
 */
#ifndef BULKHEAD_STATS_H
#define BULKHEAD_STATS_H

#include <stddef.h>
#include <stdint.h>

#define STATS_RESAMPLES 10000
#define STATS_CONFIDENCE 0.95
#define STATS_FEW_BOOTS 5 /* below it, [least, largest boot] covers the median in less than 93 % */

struct stats_summary {
    size_t n;
    double min, q1, median, q3;
    double mad; /* median absolute deviation from the median, not scaled */
};
struct stats_interval {
    double lo, hi;
};
struct stats_bootstrap {
    double value; /* the statistic of the values themselves */
    struct stats_interval percentile;
    struct stats_interval bca; /* bias-corrected, accelerated; the percentile one where undefined */
};

void stats_sort(double *values, size_t n);
/* Quantile of type 7 (Hyndman and Fan 1996): linear between order statistics; R's default. */
double stats_quantile(const double *sorted, size_t n, double p);
/* 0, or -ENOMEM. n must be at least 1. */
int stats_summarise(const double *values, size_t n, struct stats_summary *summary);

/*
 * The median of `boots` with 95 % bootstrap intervals (Efron and Tibshirani 1993, chapters 13 and
 * 14): STATS_RESAMPLES resamples drawn by xoshiro256** from `seed`, so that the same input gives the
 * same interval. n must be at least 1; one boot gives an interval of no width. 0 or -ENOMEM.
 */
int stats_median_interval(const double *boots, size_t n, uint64_t seed,
                          struct stats_bootstrap *out);
/*
 * The same for median(over) / median(under), both sides resampled (Davison and Hinkley 1997, section
 * 5.3). All NaN unless both have boots and every value of `under` is positive.
 */
int stats_ratio_interval(const double *over, size_t n, const double *under, size_t m, uint64_t seed,
                         struct stats_bootstrap *out);

/*
 * 1 when a cell drifted while it was measured: its first and last boot (in that order in `boots`)
 * are the least and the largest of all, and they are more than 2 % apart.
 */
int stats_drift(const double *boots, size_t n);

double stats_normal_cdf(double z);
double stats_normal_quantile(double p);

struct stats_random { /* xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64 */
    uint64_t state[4];
};
void stats_random_seed(struct stats_random *random, uint64_t seed);
uint64_t stats_random_next(struct stats_random *random);

#endif
