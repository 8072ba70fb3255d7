/*
 * ping-pong: a message of some size goes to another process on the same processor and comes back, a
 * round trip, by a pipe, by a pair of Unix sockets, or by shared memory and a futex. By each the
 * receiver ends up with a copy that the sender cannot change any more.
 */
#include "bench.h"
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES_MAX 65536

enum side {
    CLIENT,
    SERVER,
    SIDES
};

enum wish { /* what the server does besides answering */
    WISH_NONE,
    WISH_SUM, /* checksum what it got, then forget it */
    WISH_END
};

struct common { /* shared by both processes */
    volatile enum wish wish;
    volatile uint64_t sum;
    _Atomic uint32_t turn; /* futex: the side that the message in `area` is for */
    uint8_t area[BYTES_MAX];
};

struct link { /* one side's end of the connection */
    enum side side;
    int in, out; /* descriptors; not used with a futex */
    struct common *common;
};

static void link_fail(const char *what) {
    if (!errno)
        errno = EPIPE;
    peer_fail(what);
}

/* ---- the ways ---- */

static void stream_send(const struct link *link, const uint8_t *from, size_t bytes) {
    while (bytes) {
        ssize_t wrote = write(link->out, from, bytes);
        if (wrote <= 0)
            link_fail("a message could not be written");
        from += wrote;
        bytes -= (size_t)wrote;
    }
}

static void stream_receive(const struct link *link, uint8_t *to, size_t bytes) {
    while (bytes) {
        ssize_t got = read(link->in, to, bytes);
        if (got <= 0)
            link_fail("a message could not be read");
        to += got;
        bytes -= (size_t)got;
    }
}

static void futex_send(const struct link *link, const uint8_t *from, size_t bytes) {
    struct common *common = link->common;
    memcpy(common->area, from, bytes);
    atomic_store_explicit(&common->turn, SERVER - link->side, memory_order_release);
    if (syscall(SYS_futex, &common->turn, FUTEX_WAKE, 1, NULL, NULL, 0) < 0)
        link_fail("futex wake");
}

static void futex_receive(const struct link *link, uint8_t *to, size_t bytes) {
    struct common *common = link->common;
    uint32_t other = SERVER - link->side;
    while (atomic_load_explicit(&common->turn, memory_order_acquire) == other)
        if (syscall(SYS_futex, &common->turn, FUTEX_WAIT, other, NULL, NULL, 0) < 0 &&
            errno != EAGAIN && errno != EINTR)
            link_fail("futex wait");
    memcpy(to, common->area, bytes);
}

static void pipe_open(struct link side[SIDES]) {
    int there[2], back[2];
    if (pipe(there) || pipe(back))
        peer_fail("pipe");
    side[CLIENT].out = there[1];
    side[SERVER].in = there[0];
    side[SERVER].out = back[1];
    side[CLIENT].in = back[0];
}

static void socketpair_open(struct link side[SIDES]) {
    int end[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, end))
        peer_fail("socketpair");
    for (enum side i = CLIENT; i < SIDES; i++)
        side[i].in = side[i].out = end[i];
}

static void futex_open(struct link side[SIDES]) {
    for (enum side i = CLIENT; i < SIDES; i++)
        side[i].in = side[i].out = -1;
}

static const struct way {
    const char *name;
    void (*open)(struct link side[SIDES]);
    void (*send)(const struct link *link, const uint8_t *from, size_t bytes);
    void (*receive)(const struct link *link, uint8_t *to, size_t bytes);
} ways[] = {
    {"", pipe_open, stream_send, stream_receive},
    {"socketpair", socketpair_open, stream_send, stream_receive},
    {"futex", futex_open, futex_send, futex_receive},
};

/* ---- both sides ---- */

static uint8_t out[BYTES_MAX], in[BYTES_MAX];

static _Noreturn void serve(const struct way *way, const struct link *link, size_t bytes) {
    struct common *common = link->common;
    for (;;) {
        way->receive(link, in, bytes);
        if (__builtin_expect(common->wish == WISH_END, 0))
            _exit(0);
        if (__builtin_expect(common->wish == WISH_SUM, 0))
            common->sum = peer_checksum(in, bytes);
        way->send(link, in, bytes);
        if (__builtin_expect(common->wish == WISH_SUM, 0))
            memset(in, 0, bytes);
    }
}

static void round_trip(const struct way *way, const struct link *link, size_t bytes) {
    way->send(link, out, bytes);
    way->receive(link, in, bytes);
}

/* One round trip more, after which both sides must have got what was sent. */
static void verify(const struct way *way, const struct link *link, size_t bytes, uint64_t sum) {
    memset(in, 0, bytes);
    link->common->sum = 0;
    link->common->wish = WISH_SUM;
    round_trip(way, link, bytes);
    link->common->wish = WISH_NONE;
    errno = EBADMSG;
    if (link->common->sum != sum)
        peer_fail("the server saw another payload than was sent");
    if (peer_checksum(in, bytes) != sum)
        peer_fail("a byte of the payload changed on the way");
}

static void link_close(const struct link side[SIDES]) {
    for (enum side i = CLIENT; i < SIDES; i++) {
        close(side[i].in);
        if (side[i].out != side[i].in)
            close(side[i].out);
    }
}

void measure_ping_pong(const struct peer_cell *cell, struct outcome *outcome) {
    const struct way *way = ways;
    size_t bytes = (size_t)cell->param[0].value;
    struct common *common = peer_shared(sizeof(*common));
    struct link side[SIDES] = {{.side = CLIENT, .common = common},
                               {.side = SERVER, .common = common}};
    while (strcmp(way->name, cell->way))
        way++;
    way->open(side);
    peer_fill(out, bytes, bench.seed);
    outcome->oracle = peer_checksum(out, bytes);
    pid_t pid = peer_fork();
    if (!pid)
        serve(way, &side[SERVER], bytes);
    BENCH(round_trip(way, &side[CLIENT], bytes),
          verify(way, &side[CLIENT], bytes, outcome->oracle));
    common->wish = WISH_END;
    way->send(&side[CLIENT], out, bytes);
    int status;
    if (waitpid(pid, &status, 0) != pid || status)
        peer_fail("the server did not end as it should");
    link_close(side);
    munmap(common, sizeof(*common));
    outcome->operations = bench.batch;
}
