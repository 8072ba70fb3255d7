/* Threads: creation, the run queue, and switches. The switch itself is in entry.S. */
#include "thread.h"
#include "device.h"
#include "events.h"
#include "kernel.h"
#include "offsets.h"
#include "sip.h"
#include "trap.h"
#include "x86.h"

#define KSTACK_BYTES 16384
#define STACK_RESERVE_BYTES 4096 /* what the kernel may use of a ring-0 SIP's stack */

struct cpu cpu TRAMPOLINE = {.selector = SELECTOR_KDATA};
#define AT(type, field, offset)                                                                    \
    _Static_assert(offsetof(struct type, field) == (offset), "offsets.h tells assembly another")
AT(thread, rsp, THREAD_RSP);
AT(thread, root, THREAD_ROOT);
AT(thread, kstack_top, THREAD_KSTACK_TOP);
AT(thread, user_root, THREAD_USER_ROOT);
AT(thread, domain, THREAD_DOMAIN);
AT(thread, fpu, THREAD_FPU);
AT(thread, ssp, THREAD_SSP);
AT(thread, flushes, THREAD_FLUSHES);
AT(thread, pkru, THREAD_PKRU);
AT(thread, entry, THREAD_ENTRY);
AT(thread, cet, THREAD_CET);
AT(cpu, user_rsp, CPU_USER_RSP);
AT(cpu, stack_limit, CPU_STACK_LIMIT);
AT(cpu, kernel_root, CPU_KERNEL_ROOT);
AT(cpu, user_root, CPU_USER_ROOT);
AT(cpu, safe_root, CPU_SAFE_ROOT);
AT(cpu, last_ring3, CPU_LAST_RING3);
AT(cpu, scratch, CPU_SCRATCH);
AT(cpu, iret, CPU_IRET);
AT(cpu, selector, CPU_SELECTOR);
struct thread *thread_current;
struct sip *thread_sip;
uint64_t events[EVENT_COUNT];

static struct thread threads[THREADS + 2];
#define boot_thread (threads[THREADS])
#define spare_thread (threads[THREADS + 1]) /* between a thread that leaves and the next one */
static struct thread *leaving;
static void (*leave_after)(struct thread *);
static struct thread *free_threads;
struct thread *thread_queue_head, *thread_queue_tail;

/* Each stack has an unmapped page below it, unless the kernel is mapped by large pages. */
static struct {
    uint8_t guard[PAGE_BYTES];
    uint8_t stack[KSTACK_BYTES];
} kstacks[THREADS] __attribute__((aligned(PAGE_BYTES)));

void thread_enter_ring0(void); /* entry.S */

uint64_t thread_flags = RFLAGS_FIXED;

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
    for (int i = THREADS; i < THREADS + 2; i++) { /* of the kernel's domain */
        threads[i].root = threads[i].user_root = space_kernel.load;
        threads[i].row = switch_table[0];
        compose_thread_made(&threads[i]); /* the kernel's own need no memory */
    }
    thread_current = &boot_thread;
}

uint32_t thread_number(const struct thread *thread) { return (uint32_t)(thread - threads); }

struct thread *thread_create(struct sip *sip, uint64_t entry, uint64_t stack_top,
                             uint64_t stack_bottom, uint64_t argument) {
    struct thread *thread = free_threads;
    if (!thread)
        return NULL;
    free_threads = thread->next;
    thread->sip = sip;
    thread->sibling = sip->threads;
    sip->threads = thread;
    thread->ticks = 0;
    const struct domain *domain = sip->domain;
    uint64_t class = domain->class;
    thread->domain = sip->domain;
    thread->root = domain->space->load;
    thread->user_root = domain->user_view ? domain->space->user_load : thread->root;
    thread->flushes = !domain->space->tagged;
    thread->pkru = domain->pkru;
    thread->entry = (uint32_t)call_entry_table[class];
    thread->row = switch_table[class];
    thread->column = class;
    if (mechanisms_used && !compose_thread_made(thread)) {
        sip->threads = thread->sibling;
        thread->sip = NULL;
        thread->next = free_threads;
        free_threads = thread;
        return NULL;
    }
    thread->stack_limit = stack_bottom + STACK_RESERVE_BYTES;
    /* The first switch to it pops six registers and returns into thread_enter_*, which takes its
       values from rbx (entry), r12 (stack) and r13 (argument). */
    uint64_t *frame = (uint64_t *)thread->kstack_top;
    *--frame = 0; /* keeps the stack aligned as after a call */
    *--frame = domain->ring ? first_entry_table[class] : (uint64_t)thread_enter_ring0;
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
    struct thread **link = &thread_queue_head, *before = NULL;
    while (*link && *link != thread && thread != leaving) { /* a thread that ends is not queued */
        before = *link;
        link = &before->next;
    }
    if (*link == thread) {
        *link = thread->next;
        if (thread_queue_tail == thread)
            thread_queue_tail = before;
    }
    if (mechanisms_used)
        compose_thread_gone(thread);
    link = &thread->sip->threads;
    while (*link != thread)
        link = &(*link)->sibling;
    *link = thread->sibling;
    thread->sip = NULL;
    thread->next = free_threads;
    free_threads = thread;
}

static inline void thread_switch(struct thread *to) {
    struct thread *from = thread_current;
    thread_current = to;
    thread_sip = to->sip;
    cpu.stack_limit = to->stack_limit;
    events[EVENT_CONTEXT_SWITCHES]++;
    from->row[to->column](from, to);
}

static inline struct thread *queue_take(void) {
    struct thread *thread = thread_queue_head;
    if (!thread)
        return &boot_thread;
    thread_queue_head = thread->next;
    return thread;
}

void thread_yield(void) {
    if (!thread_queue_head) {
        thread_current->rsp = 0; /* it gave way all the same: see thread_tick */
        return;
    }
    thread_ready(thread_current);
    thread_switch(queue_take());
}

void thread_block(void) { thread_switch(queue_take()); }

void thread_hand_over(struct thread *to) {
    thread_ready(thread_current);
    thread_switch(to);
}

static bool boot_in_queue;

void thread_boot_joins(void) {
    if (thread_queue_head && !boot_in_queue) { /* when nothing can run its turn comes anyway */
        boot_in_queue = true;
        thread_ready(&boot_thread);
    }
}

void thread_run_all(void) {
    do {
        if (device_waited_for())
            thread_boot_joins();
        if (thread_queue_head)
            thread_switch(queue_take());
        boot_in_queue = false;
    } while (device_listen() || thread_queue_head);
}

void thread_left(void) {
    leaving = thread_current;
    thread_current = &spare_thread;
    if (thread_flags & RFLAGS_IF)
        __asm__ volatile("sti"); /* a trap may have led here */
    thread_sip = NULL;
    leave_after(leaving);
    leaving = NULL;
    thread_switch(queue_take());
    PANIC("a thread that had left was resumed");
}

void thread_leave(void (*after)(struct thread *)) {
    leave_after = after;
    leave_table[thread_current->column](thread_current, &spare_thread);
    __builtin_unreachable();
}

/* Where a thread's registers are kept when it is preempted; what the switch pops lies below. */
static uint64_t *preempted_frame(const struct thread *thread) {
    return (uint64_t *)((struct trap_frame *)thread->kstack_top - 1) - 1;
}

uint32_t thread_tick(void) {
    struct thread *thread = thread_current;
    /* While a thread runs its rsp is not in use. It keeps this value until a switch that the thread
       asked for puts another one there: a mark that costs the switch nothing. */
    uint64_t mark = (uint64_t)(preempted_frame(thread) - 6);
    thread->ticks = thread->rsp == mark ? thread->ticks + 1 : 1;
    thread->rsp = mark;
    return thread->ticks;
}

void thread_preempt(const struct trap_frame *frame) {
    struct thread *thread = thread_current;
    *((struct trap_frame *)thread->kstack_top - 1) = *frame;
    *preempted_frame(thread) = trap_return;
    thread->rsp = (uint64_t)(preempted_frame(thread) - 6);
    thread_leave(thread_ready);
}
