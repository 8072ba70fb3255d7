/*
 * Threads and the scheduler: one run queue, first in first out. A thread that blocks or yields hands
 * over directly to the next one, without a scheduler's context in between.
 */
#ifndef BULKHEAD_THREAD_H
#define BULKHEAD_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sip;

enum thread_state { THREAD_FREE, THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED };

struct thread {
    uint64_t rsp;          /* saved stack pointer; entry.S knows that it is first */
    uint64_t root;         /* page-table root it runs on */
    uint64_t kstack_top;   /* its kernel stack: ring-3 entries and preempted registers */
    uint64_t stack_limit;  /* ring 0: calls into the kernel below this are refused */
    struct sip *sip;       /* NULL: the boot thread */
    struct thread *next;   /* in the run queue */
    uint32_t state;        /* enum thread_state */
};

/* What assembly needs of the current thread, and its scratch. Offsets are in entry.S. */
struct cpu {
    uint64_t user_rsp;    /* at system call entry */
    uint64_t kstack_top;
    uint64_t stack_limit;
};
extern struct cpu cpu;
extern struct thread *thread_current;

void thread_init(void); /* makes the caller the boot thread */

/* A thread of `sip` that will start at `entry` with `argument`; NULL when there are no more. */
struct thread *thread_create(struct sip *sip, uint64_t entry, uint64_t stack_top,
                             uint64_t stack_bottom, uint64_t argument);
void thread_free(struct thread *thread);

extern struct thread *thread_queue_head, *thread_queue_tail;

/* To the end of the run queue. */
static inline void thread_ready(struct thread *thread) {
    thread->state = THREAD_READY;
    thread->next = NULL;
    if (thread_queue_head)
        thread_queue_tail->next = thread;
    else
        thread_queue_head = thread;
    thread_queue_tail = thread;
}
void thread_unqueue(struct thread *thread); /* out of the run queue, wherever it is */
void thread_yield(void);                    /* to the next ready thread, if there is one */
void thread_block(void);                    /* until someone calls thread_ready() */
void thread_hand_over(struct thread *to);   /* runs a blocked thread now; the caller stays ready */

/* The boot thread waits here until nothing else can run. */
void thread_run_all(void);

/*
 * Leaves the current thread for good: runs after(thread) on the kernel's spare stack and in the
 * kernel's space, where the thread's own stack and space may be freed, then goes on to the next.
 */
void thread_leave(void (*after)(struct thread *thread)) __attribute__((noreturn));

#endif
