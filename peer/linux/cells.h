/*
 * What the Linux peer measures: one table for the program that measures and for the host that makes
 * records of it. A cell is named as ours of the same operation is, so that a report sets them side by
 * side; where Linux has several ways to do it, the first is the layout's own and each other way is a
 * layout of its own (linux-guest, linux-guest-futex ...), as microkernel-remap is one.
 */
#ifndef BULKHEAD_PEER_CELLS_H
#define BULKHEAD_PEER_CELLS_H

#include <stddef.h>
#include <stdint.h>

#define PEER_PARAMS 2

struct peer_cell {
    const char *way; /* "" or what is put behind the layout's name */
    const char *workload, *op;
    const char *kind; /* as in records */
    struct {
        const char *name; /* NULL: no more */
        int64_t value;
    } param[PEER_PARAMS]; /* sorted by name */
};

#define PEER_SINGLE(way, name, ...)                                                                \
    {                                                                                              \
        way, name, name, "single", { __VA_ARGS__ }                                                 \
    }
#define PEER_PING_PONG(way, bytes)                                                                 \
    {                                                                                              \
        way, "ping-pong", "ping-pong", "round-trip", {                                             \
            { "bytes", bytes }                                                                     \
        }                                                                                          \
    }
#define PEER_SIZES(way)                                                                            \
    PEER_PING_PONG(way, 1), PEER_PING_PONG(way, 64), PEER_PING_PONG(way, 1024),                    \
        PEER_PING_PONG(way, 4096), PEER_PING_PONG(way, 32768), PEER_PING_PONG(way, 65536)

static const struct peer_cell peer_cells[] = {
    PEER_SINGLE("", "abi-call", {NULL, 0}),
    PEER_SINGLE("", "yield", {NULL, 0}),
    PEER_SINGLE("", "create-sip", {NULL, 0}),
    PEER_SINGLE("fork", "create-sip", {NULL, 0}),
    PEER_SINGLE("", "create-thread", {NULL, 0}),
    PEER_SINGLE("", "page-alloc", {"pages", 1}),
    PEER_SINGLE("", "page-alloc", {"pages", 16}),
    PEER_SIZES(""),
    PEER_SIZES("socketpair"),
    PEER_SIZES("futex"),
    {"", "webfiles", "read-file", "round-trip", {{"passes", 1}, {"reads", 1000}}},
};
#define PEER_CELLS (sizeof(peer_cells) / sizeof(peer_cells[0]))

#define PEER_MAX_SAMPLES 1024
#define PEER_PORT_TEXT 0xe9 /* in a guest: each byte written here is one of the output */
#define PEER_PORT_EXIT 0xf4 /* in a guest: a write ends the machine */
#define PEER_EXIT_VALUE 16

#endif
