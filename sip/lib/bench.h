/*
 * Measuring inside a SIP. BENCH times `samples` batches of `batch` runs of a statement with the fenced
 * clock, then as many batches of the same loop without it, then counts the events of one batch more,
 * and hands everything in. Nothing is stored inside a timed loop.
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
/* Event counters around one batch; bench_count_end() takes off what reading them cost. */
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

/* `between` runs, untimed, after each sample. */
#define BENCH(bench, name, kind, statement, between)                                               \
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
            BENCH_LOOP((bench)->batch, )                                                           \
            (bench)->values[(bench)->samples + sample] = sip_clock() - start;                      \
        }                                                                                          \
        bench_count_start(bench);                                                                  \
        BENCH_LOOP((bench)->batch, statement)                                                      \
        bench_count_end(bench);                                                                    \
    } while (0)

#endif
