/*
 * The operations of one process or of a process and what it makes: a system call, a yield, pages,
 * threads, processes.
 */
#include "bench.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_BYTES 4096

/* ---- abi-call: the cheapest system call that no library and no kernel answers from memory ---- */

void measure_abi_call(const struct peer_cell *cell, struct outcome *outcome) {
    pid_t parent = getppid();
    int wrong = 0;
    (void)cell;
    BENCH(getppid(), wrong |= getppid() != parent);
    if (wrong) {
        errno = ESRCH;
        peer_fail("getppid answered with another number");
    }
    outcome->operations = bench.batch;
}

/* ---- yield: two processes on one processor; a run of the loop is a yield in each of them ---- */

struct turns {
    volatile uint64_t other; /* yields of the other process */
    volatile int stop;
};

static _Noreturn void yield_other(struct turns *turns) {
    for (uint64_t yields = 1; !turns->stop; yields++) {
        sched_yield();
        turns->other = yields;
    }
    _exit(0);
}

/* Same fixed priority: a yield goes behind the other process, which is what the figure is of. */
static int fifo_set(int on) {
    struct sched_param param = {.sched_priority = on ? sched_get_priority_min(SCHED_FIFO) : 0};
    return sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &param);
}

void measure_yield(const struct peer_cell *cell, struct outcome *outcome) {
    struct turns *turns = peer_shared(sizeof(*turns));
    int fifo = !fifo_set(1);
    uint64_t mine = 0, before = 0;
    (void)cell;
    pid_t pid = peer_fork();
    if (!pid)
        yield_other(turns);
    while (!turns->other)
        sched_yield();
    before = turns->other;
    BENCH(sched_yield(), mine += bench.batch);
    mine += bench.warmup;
    uint64_t theirs = turns->other - before, apart = mine > theirs ? mine - theirs : theirs - mine;
    turns->stop = 1;
    if (waitpid(pid, NULL, 0) != pid)
        peer_fail("waitpid");
    if (fifo)
        fifo_set(0);
    munmap(turns, sizeof(*turns));
    if (apart > 1 + mine / 100)
        snprintf(outcome->unavailable, sizeof(outcome->unavailable),
                 "the scheduler did not alternate: %llu yields here, %llu there%s",
                 (unsigned long long)mine, (unsigned long long)theirs,
                 fifo ? "" : "; SCHED_FIFO needs CAP_SYS_NICE");
    outcome->operations = bench.batch * 2;
}

/* ---- page-alloc: mapped, touched and unmapped, since Linux gives no page before it is touched ---- */

static void pages_one(size_t pages) {
    volatile uint8_t *at =
        mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        peer_fail("mmap");
    for (size_t i = 0; i < pages; i++)
        at[i * PAGE_BYTES] = 1;
    munmap((void *)at, pages * PAGE_BYTES);
}

void measure_page_alloc(const struct peer_cell *cell, struct outcome *outcome) {
    size_t pages = (size_t)cell->param[0].value;
    uint64_t *fresh =
        mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == MAP_FAILED)
        peer_fail("mmap");
    uint64_t *last = fresh + pages * PAGE_BYTES / sizeof(*fresh) - 1;
    if (*fresh || *last)
        peer_fail("a fresh page is not clear");
    *last = 0x0123456789abcdef;
    outcome->oracle = *last + pages;
    munmap(fresh, pages * PAGE_BYTES);
    BENCH(pages_one(pages), );
    outcome->operations = bench.batch;
}

/* ---- create-thread: created, run to its end, joined ---- */

static void *thread_body(void *argument) { return argument; }

static void thread_one(void) {
    pthread_t thread;
    errno = pthread_create(&thread, NULL, thread_body, NULL);
    if (errno || (errno = pthread_join(thread, NULL)))
        peer_fail("a thread could not be created and joined");
}

void measure_create_thread(const struct peer_cell *cell, struct outcome *outcome) {
    (void)cell;
    BENCH(thread_one(), );
    outcome->operations = bench.batch;
}

/* ---- create-sip: a process that does nothing, waited for ---- */

static void wait_one(pid_t pid) {
    int status;
    if (pid < 0)
        peer_fail("a process could not be created");
    if (waitpid(pid, &status, 0) != pid || status)
        peer_fail("a process did not end as it should");
}

static void fork_one(void) {
    pid_t pid = fork();
    if (!pid)
        _exit(0);
    wait_one(pid);
}

/* This program over again, which main() ends at once. */
static void exec_one(void) {
    static char *const argv[] = {"linux-peer", "exit", NULL};
    static char *const none[] = {NULL};
    pid_t pid = vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork): what is measured
    if (!pid) {
        execve("/proc/self/exe", argv, none);
        _exit(127);
    }
    wait_one(pid);
}

void measure_create_sip(const struct peer_cell *cell, struct outcome *outcome) {
    if (!strcmp(cell->way, "fork"))
        BENCH(fork_one(), );
    else
        BENCH(exec_one(), );
    outcome->operations = bench.batch;
}
