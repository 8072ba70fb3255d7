/*
 * Host program: times every compute kernel unchecked, checked and masked, by each compiler, and prints
 * the price of the checks. Fails if a checksum differs. The kernels in a guest are main.c's business.
 */
#include <argp.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host_runtime.h"

#define KINDS 3
#define STACK_BYTES (256u << 10)
#define MAX_REPEATS 1001

struct row {
    const char *kernel, *compiler;
    uint32_t (*function[KINDS])(uint32_t rounds); /* unchecked, checked, masked */
    uint64_t median_ns[KINDS];
};

#define ROW(kernel, compiler)                                                                      \
    uint32_t compute_##kernel##_unchecked_##compiler(uint32_t);                                    \
    uint32_t compute_##kernel##_checked_##compiler(uint32_t);                                      \
    uint32_t compute_##kernel##_masked_##compiler(uint32_t);
#include "rows.h"
#undef ROW

static struct row rows[] = {
#define ROW(kernel, compiler)                                                                      \
    {#kernel,                                                                                      \
     #compiler,                                                                                    \
     {compute_##kernel##_unchecked_##compiler, compute_##kernel##_checked_##compiler,              \
      compute_##kernel##_masked_##compiler},                                                       \
     {0}},
#include "rows.h"
#undef ROW
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct options {
    unsigned repeats, rounds;
    double limit; /* of the geometric mean of checked to unchecked; 0: none */
};

static const struct argp_option option_list[] = {
    {"repeats", 'n', "N", 0, "time each kernel N times and take the median (default 21)", 0},
    {"rounds", 'r', "N", 0, "of about a million instructions in each timing (default 20)", 0},
    {"limit", 'l', "RATIO", 0, "fail if the checks cost more than RATIO by geometric mean", 0},
    {0},
};

static error_t parse_option(int key, char *text, struct argp_state *state) {
    struct options *options = state->input;
    char *end = text;
    switch (key) {
    case 'n':
        options->repeats = (unsigned)strtoul(text, &end, 10);
        if (*end || options->repeats < 1 || options->repeats > MAX_REPEATS)
            argp_error(state, "--repeats wants a number from 1 to %d, not '%s'", MAX_REPEATS, text);
        return 0;
    case 'r':
        options->rounds = (unsigned)strtoul(text, &end, 10);
        if (*end || options->rounds < 1 || options->rounds > 10000)
            argp_error(state, "--rounds wants a number from 1 to 10000, not '%s'", text);
        return 0;
    case 'l':
        options->limit = strtod(text, &end);
        if (*end || !(options->limit > 0))
            argp_error(state, "--limit wants a ratio above 0, not '%s'", text);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "no argument is expected, not '%s'", text);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Processor time of this thread: others on the same machine disturb it least. */
static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int compare_ns(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Times the kinds of one row in turn, so that drift meets all of them. False if checksums differ. */
static bool time_row(struct row *row, const struct options *options) {
    static uint64_t taken[KINDS][MAX_REPEATS];
    uint32_t checksum[KINDS] = {0};
    for (unsigned repeat = 0; repeat < options->repeats; repeat++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            uint64_t start = now_ns();
            uint32_t trap =
                sip_host_run(row->function[kind], options->rounds, STACK_BYTES, &checksum[kind]);
            taken[kind][repeat] = now_ns() - start;
            if (trap || checksum[kind] != checksum[0]) {
                fprintf(stderr, "%s by %s, kind %u: trap %u, checksum %08x, unchecked %08x\n",
                        row->kernel, row->compiler, kind, trap, trap ? 0 : checksum[kind],
                        checksum[0]);
                return false;
            }
        }
    }
    for (unsigned kind = 0; kind < KINDS; kind++) {
        qsort(taken[kind], options->repeats, sizeof(uint64_t), compare_ns);
        row->median_ns[kind] = taken[kind][options->repeats / 2];
    }
    printf("%-8s %-6s %12.3f %9.3f %9.3f   %08x\n", row->kernel, row->compiler,
           (double)row->median_ns[0] / 1e6, (double)row->median_ns[1] / (double)row->median_ns[0],
           (double)row->median_ns[2] / (double)row->median_ns[0], checksum[0]);
    return true;
}

static double geometric_mean(const char *compiler, unsigned kind) {
    double sum = 0;
    unsigned count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].compiler, compiler) != 0)
            continue;
        sum += log((double)rows[i].median_ns[kind] / (double)rows[i].median_ns[0]);
        count++;
    }
    return exp(sum / count);
}

int main(int argc, char **argv) {
    struct options options = {.repeats = 21, .rounds = 20};
    const struct argp argp = {.options = option_list,
                              .parser = parse_option,
                              .doc =
                                  "Times the compute kernels with and without software isolation."};
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    bool within = true;
    printf("kernel   by     unchecked ms   checked    masked   checksum\n");
    for (size_t i = 0; i < ROWS; i++)
        if (!time_row(&rows[i], &options))
            return 4;
    for (size_t i = 0; i < ROWS; i++) {
        const char *compiler = rows[i].compiler;
        bool seen = false;
        for (size_t j = 0; j < i; j++)
            seen |= strcmp(rows[j].compiler, compiler) == 0;
        if (seen)
            continue;
        double checked = geometric_mean(compiler, 1);
        printf("%-8s %-6s %12s %9.3f %9.3f\n", "geomean", compiler, "", checked,
               geometric_mean(compiler, 2));
        within &= options.limit == 0 || checked <= options.limit;
    }
    if (!within)
        fprintf(stderr,
                "the checks cost more than %.2f: repeat on an idle machine before you look "
                "for the cause\n",
                options.limit);
    return within ? 0 : 4;
}
