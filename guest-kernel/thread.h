/*
 * Threads and the scheduler: one run queue, first in first out. A thread that blocks or yields hands
 * over directly to the next one, without a scheduler's context in between.
 */
#ifndef BULKHEAD_THREAD_H
#define BULKHEAD_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include "compose.h"
#include <stdint.h>

#define THREADS 128
#define FPU_BYTES 512 /* what FXSAVE stores */

struct sip;
struct domain;

struct thread {          /* offsets.h has the places up to `cet` */
    uint64_t rsp;        /* saved stack pointer */
    uint64_t root;       /* what its domain's switch loads into CR3: root, tag and CR3_KEEP */
    uint64_t kstack_top; /* its kernel stack: ring-3 entries and preempted registers */
    uint64_t user_root;  /* KPTI: the same for ring 3; else as root */
    struct domain *domain;
    uint8_t *fpu;           /* its floating-point registers while others use them, FPU_BYTES */
    uint64_t ssp;           /* its user shadow stack's pointer while it does not run */
    uint64_t flushes;       /* KPTI: whether a load of its roots flushes, 0 or 1 */
    uint32_t pkru;          /* PKU: of its domain */
    uint32_t entry;         /* low half of the address for system calls */
    uint64_t cet;           /* IBT: its IA32_U_CET while it does not run */
    switch_routine **row;   /* switches from its domain, */
    uint64_t column;        /* and what selects those to it */
    uint64_t stack_limit;   /* ring 0: calls into the kernel below this are refused */
    struct sip *sip;        /* NULL: the boot thread */
    struct thread *next;    /* in the run queue */
    struct thread *sibling; /* next thread of the same SIP */
    uint32_t ticks;         /* see thread_tick */
};

/* What assembly needs of the current thread, and its scratch. Offsets are in offsets.h. */
struct cpu {
    uint64_t user_rsp;               /* at system call entry */
    uint64_t stack_limit;            /* of the current thread */
    uint64_t kernel_root, user_root; /* KPTI: of the ring-3 domain that was entered last */
    uint64_t safe_root;              /* KPTI: the kernel's own */
    struct domain *last_ring3;       /* on-switch-to: ring-3 */
    uint64_t scratch[2], iret[5];
    uint16_t selector; /* of a data segment, for VERW */
};
extern struct cpu cpu;
extern struct thread *thread_current;
extern struct sip *thread_sip; /* thread_current->sip: every call of the ABI wants it */

void thread_init(void); /* makes the caller the boot thread */

/*
 * A thread of `sip` that will start at `entry` with `argument` once it is made ready; NULL when there
 * are no more. It joins sip->threads.
 */
struct thread *thread_create(struct sip *sip, uint64_t entry, uint64_t stack_top,
                             uint64_t stack_bottom, uint64_t argument);
/* From 0; the kernel's own two threads come after the THREADS of SIPs. */
uint32_t thread_number(const struct thread *thread);
/* Goes on, on the spare stack, where a leave routine ended. */
void thread_left(void) __attribute__((noreturn));

/* Takes a thread that does not run out of the run queue and of its SIP, and frees it. */
void thread_free(struct thread *thread);

extern struct thread *thread_queue_head, *thread_queue_tail;

/* To the end of the run queue. */
static inline void thread_ready(struct thread *thread) {
    thread->next = NULL;
    if (thread_queue_head)
        thread_queue_tail->next = thread;
    else
        thread_queue_head = thread;
    thread_queue_tail = thread;
}
void thread_yield(void);                  /* to the next ready thread, if there is one */
void thread_block(void);                  /* until someone calls thread_ready() */
void thread_hand_over(struct thread *to); /* runs a blocked thread now; the caller stays ready */

/* The boot thread waits here until nothing else can run and no interrupt is waited for. */
void thread_run_all(void);
/* While a thread waits for an interrupt the boot thread is in the run queue too, to let it in. */
void thread_boot_joins(void);

/*
 * Leaves the current thread: runs after(thread) on the kernel's spare stack and in the kernel's space,
 * where the thread's own stack and space may be freed, then goes on to the next ready thread.
 */
void thread_leave(void (*after)(struct thread *thread)) __attribute__((noreturn));

/* The timer struck: returns how often it did since the current thread last gave way by itself. */
uint32_t thread_tick(void);

/* The timer took the processor: keeps `frame` for the thread's return and goes on to the next. */
struct trap_frame;
void thread_preempt(const struct trap_frame *frame) __attribute__((noreturn));

extern uint64_t thread_flags; /* RFLAGS of a SIP; interrupts are on if it can be preempted */

#endif
