/*
 * The published ratios, each once, with where it is from.
 */
#include "published.h"

#define CYCLES "cycles"
#define OPERATIONS "micro-operations"
#define MACRO "macro-benchmarks"
#define SINGLE "single"
#define NOT_TOLD "not told"
#define LIKELY_ONE_WAY "likely one-way" /* their source halves the time of a round trip */

/* Ratios: R is read off a chart, P printed. */
#define R(value)                                                                                   \
    { value, PUBLISHED_CHART }
#define P(value)                                                                                   \
    { value, PUBLISHED_PRINTED }
#define NONE                                                                                       \
    { 0, PUBLISHED_NOT }
#define BASE                                                                                       \
    { 1, PUBLISHED_BASE }

#define PING_PONG_NOTE                                                                             \
    "Their ping-pong is most likely one way (the source halves it), ours is a round trip: "        \
    "compare "                                                                                     \
    "ratios only, or halve our figure. In R3 both their ends sat in one domain, as those of "      \
    "ping-pong-peers do; ping-pong and ping-pong-contract go to a service, and cross."
#define PING_PONG(size)                                                                            \
    {                                                                                              \
        {"ping-pong-peers", "ping-pong", "bytes", size},                                           \
            {"ping-pong", "ping-pong", "bytes", size},                                             \
            {"ping-pong-contract", "ping-pong", "bytes", size},                                    \
    }

const struct published published[] = {
    /* clang-format off */
    /* a row: unchecked, sip-phys, sip-page, hip-r0, hip-r0-s, hip-r3, hip-r3-s */
    {"ABI call", CYCLES, SINGLE, OPERATIONS, 80,
     {NONE, BASE, R(1.0), R(1.0), R(1.0), P(3.8), R(3.8)},
     "Their R3 is of 304 cycles, as printed.",
     {{"abi-call", "abi-call", 0, 0}}},
    {"page allocation", CYCLES, SINGLE, OPERATIONS, 385,
     {NONE, BASE, R(4.87), R(4.5), R(4.5), R(5.7), R(5.7)}, NULL,
     {{"page-alloc", "page-alloc", "pages", 1}}},
    {"create thread", CYCLES, SINGLE, OPERATIONS, 16933,
     {NONE, BASE, R(2.45), R(2.46), R(3.1), R(4.5), R(4.5)}, NULL,
     {{"create-thread", "create-thread", 0, 0}}},
    {"thread yield", CYCLES, SINGLE, OPERATIONS, 365,
     {NONE, BASE, R(1.05), R(1.05), R(1.05), P(1.75), R(1.7)},
     "Their R3 is of 638 cycles, as printed.",
     {{"yield", "yield", 0, 0}}},
    {"create channel", CYCLES, SINGLE, OPERATIONS, 4007,
     {NONE, BASE, R(1.98), R(2.04), R(2.0), R(2.94), R(2.9)}, NULL,
     {{"create-channel", "create-channel", 0, 0}}},
    {"bind a name", CYCLES, SINGLE, OPERATIONS, 39067,
     {NONE, BASE, R(1.24), R(1.24), R(1.47), R(1.94), R(2.0)}, NULL,
     {{"bind", "bind", 0, 0}}},
    {"create process", CYCLES, SINGLE, OPERATIONS, 388162,
     {NONE, BASE, R(1.35), R(1.34), R(1.53), R(2.14), R(21.5)},
     "In their R3-S each process gets a heap of its own, set up page by page; ours is made of "
     "pages when they are asked for.",
     {{"create-sip", "create-sip", 0, 0}}},
    {"send-receive, 1 B", CYCLES, NOT_TOLD, OPERATIONS, 984,
     {NONE, BASE, R(1.33), R(1.33), R(1.4), R(2.58), R(2.6)},
     "Whether theirs is one way or a round trip, as ours is, is not told: compare ratios only.",
     {{"send-receive", "send-receive", "bytes", 1}}},
    {"ping-pong, 1 B", CYCLES, LIKELY_ONE_WAY, OPERATIONS, 1041,
     {NONE, BASE, R(1.36), R(1.75), R(1.8), R(2.48), R(9.6)},
     PING_PONG_NOTE, PING_PONG(1)},
    {"ping-pong, 32 B", CYCLES, LIKELY_ONE_WAY, OPERATIONS, 0,
     {NONE, BASE, R(1.35), R(1.75), R(1.8), R(2.5), R(11.4)},
     PING_PONG_NOTE, PING_PONG(32)},
    {"ping-pong, 1 KiB", CYCLES, LIKELY_ONE_WAY, OPERATIONS, 0,
     {NONE, BASE, R(1.35), R(1.75), R(1.8), R(2.5), R(15.3)},
     PING_PONG_NOTE, PING_PONG(1024)},
    {"ping-pong, 32 KiB", CYCLES, LIKELY_ONE_WAY, OPERATIONS, 0,
     {NONE, BASE, R(1.35), R(1.75), R(1.8), R(2.5), R(24.6)},
     PING_PONG_NOTE, PING_PONG(32768)},
    {"WebFiles", "instructions", "whole run", MACRO, 0,
     {NONE, BASE, R(1.08), R(1.08), R(1.08), R(1.19), R(1.27)}, NULL,
     {{"webfiles", "read-file", "passes", 1}}},
    {"WebFiles", CYCLES, "whole run", MACRO, 0,
     {P(0.953), BASE, P(1.063), P(1.191), P(1.184), P(1.330), P(1.377)},
     "Theirs is of a whole run of 50,000 reads, ours of the mean read, which is the same as a "
     "ratio. How much their client works with what it reads is not told.",
     {{"webfiles", "read-file", "passes", 1}}},
    /* clang-format on */
};
const size_t published_count = sizeof(published) / sizeof(published[0]);

const char *published_layout(enum published_rung rung) {
    static const char *const layout[PUBLISHED_RUNGS] = {
        "unchecked", "sip-phys", "sip-page", "hip-r0", "hip-r0-s", "hip-r3", "hip-r3-s"};
    return layout[rung];
}

const char *published_origin_text(enum published_origin origin) {
    static const char *const text[] = {
        [PUBLISHED_NOT] = "not published",
        [PUBLISHED_BASE] = "base",
        [PUBLISHED_PRINTED] = "printed",
        [PUBLISHED_CHART] = "read off a chart",
    };
    return text[origin];
}
