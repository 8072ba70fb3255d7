/*
 * Measuring inside the Linux peer, as sip/lib/bench.h does it inside a SIP: batches of runs between two
 * readings of a fenced clock, then as many batches of the same loop without the statement. The host
 * subtracts and divides.
 */
#ifndef BULKHEAD_PEER_BENCH_H
#define BULKHEAD_PEER_BENCH_H

#include "cells.h"

struct bench {
    uint32_t warmup, batch, samples; /* as the run asks for; a cell may take other numbers */
    uint64_t seed;
    uint64_t values[2 * PEER_MAX_SAMPLES]; /* of the samples, then of the empty loops */
};
extern struct bench bench;

struct outcome {         /* what a cell tells beside its values */
    uint32_t operations; /* in one sample */
    uint32_t samples;
    uint64_t oracle;       /* as that of our workload of the name; 0: none */
    char unavailable[160]; /* "" or why there are no values */
};

static inline uint64_t bench_clock(void) {
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* The compiler may not move, merge or drop runs of the loop. */
#define BENCH_LOOP(runs, statement)                                                                \
    for (uint32_t bench_left = (runs); bench_left; bench_left--) {                                 \
        statement;                                                                                 \
        __asm__ volatile("" ::: "memory");                                                         \
    }

/* `between` runs, untimed, after each sample. */
#define BENCH(statement, between)                                                                  \
    do {                                                                                           \
        BENCH_LOOP(bench.warmup, statement)                                                        \
        for (uint32_t sample = 0; sample < bench.samples; sample++) {                              \
            uint64_t start = bench_clock();                                                        \
            BENCH_LOOP(bench.batch, statement)                                                     \
            bench.values[sample] = bench_clock() - start;                                          \
            between;                                                                               \
        }                                                                                          \
        for (uint32_t sample = 0; sample < bench.samples; sample++) {                              \
            uint64_t start = bench_clock();                                                        \
            BENCH_LOOP(bench.batch, )                                                              \
            bench.values[bench.samples + sample] = bench_clock() - start;                          \
        }                                                                                          \
    } while (0)

/* Ends the run: nothing that was measured counts. `what` failed, with errno. */
_Noreturn void peer_fail(const char *what);

/* The payload and its checksum are those of sip/lib/message.c: the same work has the same oracle. */
uint64_t peer_random(uint64_t *state);
void peer_fill(uint8_t *to, size_t bytes, uint64_t seed);
uint64_t peer_checksum(const uint8_t *from, size_t bytes);

void *peer_shared(size_t bytes); /* zeroed memory that children share */
int peer_fork(void); /* as fork(), which must not fail; the child ends when this process does */
const char *peer_folder(void); /* of a tmpfs, for files */

/* One for each workload. */
void measure_abi_call(const struct peer_cell *cell, struct outcome *outcome);
void measure_yield(const struct peer_cell *cell, struct outcome *outcome);
void measure_create_sip(const struct peer_cell *cell, struct outcome *outcome);
void measure_create_thread(const struct peer_cell *cell, struct outcome *outcome);
void measure_page_alloc(const struct peer_cell *cell, struct outcome *outcome);
void measure_ping_pong(const struct peer_cell *cell, struct outcome *outcome);
void measure_webfiles(const struct peer_cell *cell, struct outcome *outcome);

#endif
