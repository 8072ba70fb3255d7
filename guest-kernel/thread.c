/* Threads: creation, the run queue, and switches. The switch itself is in entry.S. */
#include "thread.h"
#include "events.h"
#include "kernel.h"
#include "sip.h"
#include "x86.h"

#define THREADS 128
#define KSTACK_BYTES 16384
#define STACK_RESERVE_BYTES 4096 /* what the kernel may use of a ring-0 SIP's stack */

struct cpu cpu;
struct thread *thread_current;
uint64_t events[EVENT_COUNT];

static struct thread threads[THREADS];
static struct thread boot_thread;
static struct thread spare_thread; /* runs between a thread that leaves and the next one */
static void (*leave_after)(struct thread *);
static struct thread *free_threads;
struct thread *thread_queue_head, *thread_queue_tail;

/* Each stack has an unmapped page below it, unless the kernel is mapped by large pages. */
static struct {
    uint8_t guard[PAGE_BYTES];
    uint8_t stack[KSTACK_BYTES];
} kstacks[THREADS] __attribute__((aligned(PAGE_BYTES)));

/* entry.S */
void switch_stack(uint64_t *save_rsp, uint64_t rsp);
void switch_stack_and_root(uint64_t *save_rsp, uint64_t rsp, uint64_t root);
void thread_enter_ring0(void);
void thread_enter_ring3(void);
void call_on_spare_stack(void (*function)(void), uint64_t root) __attribute__((noreturn));

uint64_t thread_flags = RFLAGS_FIXED; /* of a thread that starts */

void thread_init(void) {
    for (int i = THREADS - 1; i >= 0; i--) {
        uint32_t page_bits;
        uint64_t guard = (uint64_t)kstacks[i].guard;
        uint64_t *entry = space_entry(&space_kernel, guard, &page_bits);
        if (page_bits == PLAN_PAGES_4K)
            *entry = 0;
        threads[i].kstack_top = (uint64_t)kstacks[i].stack + KSTACK_BYTES;
        threads[i].next = free_threads;
        free_threads = &threads[i];
    }
    boot_thread.root = space_kernel.root;
    boot_thread.state = THREAD_RUNNING;
    thread_current = &boot_thread;
}

struct thread *thread_create(struct sip *sip, uint64_t entry, uint64_t stack_top,
                             uint64_t stack_bottom, uint64_t argument) {
    struct thread *thread = free_threads;
    if (!thread)
        return NULL;
    free_threads = thread->next;
    thread->sip = sip;
    thread->root = sip->domain->space->root;
    thread->stack_limit = stack_bottom + STACK_RESERVE_BYTES;
    thread->state = THREAD_BLOCKED;
    /* The first switch to it pops six registers and returns into thread_enter_*, which takes its
       values from rbx (entry), r12 (stack) and r13 (argument). */
    uint64_t *frame = (uint64_t *)thread->kstack_top;
    *--frame = 0; /* keeps the stack aligned as after a call */
    *--frame = (uint64_t)(sip->domain->ring ? thread_enter_ring3 : thread_enter_ring0);
    *--frame = entry;     /* rbx */
    *--frame = 0;         /* rbp */
    *--frame = stack_top; /* r12 */
    *--frame = argument;  /* r13 */
    *--frame = 0;         /* r14 */
    *--frame = 0;         /* r15 */
    thread->rsp = (uint64_t)frame;
    return thread;
}

void thread_free(struct thread *thread) {
    thread->state = THREAD_FREE;
    thread->sip = NULL;
    thread->next = free_threads;
    free_threads = thread;
}

void thread_unqueue(struct thread *thread) {
    struct thread **link = &thread_queue_head, *before = NULL;
    while (*link && *link != thread) {
        before = *link;
        link = &before->next;
    }
    if (!*link)
        return;
    *link = thread->next;
    if (thread_queue_tail == thread)
        thread_queue_tail = before;
}

static inline void thread_switch(struct thread *to) {
    struct thread *from = thread_current;
    thread_current = to;
    to->state = THREAD_RUNNING;
    cpu.kstack_top = to->kstack_top;
    cpu.stack_limit = to->stack_limit;
    events[EVENT_CONTEXT_SWITCHES]++;
    if (to->root == from->root) {
        switch_stack(&from->rsp, to->rsp);
    } else {
        events[EVENT_TABLE_SWITCHES]++;
        events[EVENT_TLB_FLUSHES]++;
        switch_stack_and_root(&from->rsp, to->rsp, to->root);
    }
}

static inline struct thread *queue_take(void) {
    struct thread *thread = thread_queue_head;
    if (!thread)
        return &boot_thread;
    thread_queue_head = thread->next;
    return thread;
}

void thread_yield(void) {
    if (!thread_queue_head)
        return;
    thread_ready(thread_current);
    thread_switch(queue_take());
}

void thread_block(void) {
    thread_current->state = THREAD_BLOCKED;
    thread_switch(queue_take());
}

void thread_hand_over(struct thread *to) {
    thread_ready(thread_current);
    thread_switch(to);
}

void thread_run_all(void) {
    while (thread_queue_head) {
        boot_thread.state = THREAD_BLOCKED;
        thread_switch(queue_take());
    }
}

static void leave_on_spare_stack(void) {
    struct thread *leaving = thread_current;
    thread_current = &spare_thread;
    spare_thread.root = space_kernel.root;
    leave_after(leaving);
    thread_switch(queue_take());
    PANIC("a thread that had left was resumed");
}

void thread_leave(void (*after)(struct thread *thread)) {
    leave_after = after;
    if (thread_current->root != space_kernel.root) {
        events[EVENT_TABLE_SWITCHES]++;
        events[EVENT_TLB_FLUSHES]++;
    }
    call_on_spare_stack(leave_on_spare_stack, space_kernel.root);
}
