/*
 * Measuring inside a SIP. BENCH times `samples` batches of `batch` runs of a statement with the fenced
 * clock, then as many batches of the same loop without it, then counts the events of one batch more,
 * and hands everything in. Nothing is stored inside a timed loop. BENCH_AGAINST puts another statement
 * into the loop that is subtracted; BENCH_EACH prepares every run outside the time.
 */
#ifndef BULKHEAD_BENCH_H
#define BULKHEAD_BENCH_H

#include "sip.h"

struct bench {
    struct abi_report report;
    struct abi_events before, after;
    uint32_t warmup, batch, samples; /* as the run asks for */
    uint64_t values[2 * RESULT_MAX_SAMPLES];
};

/* Reads the run's settings; fails the run when they do not fit. */
void bench_start(struct bench *bench, const char *name, enum result_kind kind);
/* Event counters around runs; bench_count_end() takes off what reading them cost, and adds up. */
void bench_count_start(struct bench *bench);
void bench_count_end(struct bench *bench);
/* `per_run`: operations that one run of the statement makes. `oracle`: 0 if there is none. */
void bench_finish(struct bench *bench, uint32_t per_run, uint64_t oracle);

/* The compiler may not move, merge or drop runs of the loop. */
#define BENCH_BARRIER() __asm__ volatile("" ::: "memory")

#define BENCH_LOOP(runs, statement)                                                                \
    for (uint32_t bench_left = (runs); bench_left; bench_left--) {                                 \
        statement;                                                                                 \
        BENCH_BARRIER();                                                                           \
    }

/* `between` runs, untimed, after each sample. `without` takes the statement's place in the loop whose
   time is subtracted: what remains is how much more the statement costs than that. */
#define BENCH_AGAINST(bench, name, kind, statement, between, without)                              \
    do {                                                                                           \
        bench_start(bench, name, kind);                                                            \
        BENCH_LOOP((bench)->warmup, statement)                                                     \
        for (uint32_t sample = 0; sample < (bench)->samples; sample++) {                           \
            uint64_t start = sip_clock();                                                          \
            BENCH_LOOP((bench)->batch, statement)                                                  \
            (bench)->values[sample] = sip_clock() - start;                                         \
            between;                                                                               \
        }                                                                                          \
        for (uint32_t sample = 0; sample < (bench)->samples; sample++) {                           \
            uint64_t start = sip_clock();                                                          \
            BENCH_LOOP((bench)->batch, without)                                                    \
            (bench)->values[(bench)->samples + sample] = sip_clock() - start;                      \
        }                                                                                          \
        bench_count_start(bench);                                                                  \
        BENCH_LOOP((bench)->batch, statement)                                                      \
        bench_count_end(bench);                                                                    \
    } while (0)

#define BENCH(bench, name, kind, statement, between)                                               \
    BENCH_AGAINST(bench, name, kind, statement, between, )

/* One sample: the sum of `batch` runs, each after `before` and timed by itself. */
#define BENCH_SUM(bench, value, before, statement)                                                 \
    do {                                                                                           \
        uint64_t sum = 0;                                                                          \
        BENCH_LOOP((bench)->batch, before; BENCH_BARRIER(); uint64_t start = sip_clock();          \
                   statement; BENCH_BARRIER(); sum += sip_clock() - start)                         \
        (value) = sum;                                                                             \
    } while (0)

/* As BENCH_AGAINST, but `before` precedes every run, untimed and uncounted, whatever is timed then.
   A pair of clock readings for each run is subtracted with the rest. */
#define BENCH_EACH(bench, name, kind, before, statement, between, without)                         \
    do {                                                                                           \
        bench_start(bench, name, kind);                                                            \
        BENCH_LOOP((bench)->warmup, before; statement)                                             \
        for (uint32_t sample = 0; sample < (bench)->samples; sample++) {                           \
            BENCH_SUM(bench, (bench)->values[sample], before, statement);                          \
            between;                                                                               \
        }                                                                                          \
        for (uint32_t sample = 0; sample < (bench)->samples; sample++)                             \
            BENCH_SUM(bench, (bench)->values[(bench)->samples + sample], before, without);         \
        BENCH_LOOP((bench)->batch, before; bench_count_start(bench); statement;                    \
                   bench_count_end(bench))                                                         \
    } while (0)

#endif
