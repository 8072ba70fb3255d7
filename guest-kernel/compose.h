/*
 * Composing switch routines: when the plan is loaded, each pair of domains gets a routine that holds
 * the code of its mechanisms and nothing else, and each ring-3 domain its ways in and out of the kernel.
 * A mechanism that is off is not tested for: it is not there. docs/kernel.md, "Switch routines".
 */
#ifndef BULKHEAD_COMPOSE_H
#define BULKHEAD_COMPOSE_H

#include "domain-config/plan.h"
#include "guest-kernel/mechanisms.h"
#include "guest-kernel/result.h"
#include <stdbool.h>
#include <stdint.h>

struct thread;
struct domain;

/* Position-independent code, copied as it is. */
struct fragment {
    const uint8_t *start, *end;
};
/* Defines a fragment of a C file: assembly text, in AT&T syntax, that ends by falling through. */
#define FRAGMENT(name, text)                                                                       \
    __asm__(".pushsection .rodata\n" #name "_code:\n" text "\n" #name "_code_end:\n.popsection");  \
    extern const uint8_t name##_code[], name##_code_end[];                                         \
    static const struct fragment name = {name##_code, name##_code_end}

/* Places in the routines where a mechanism may put code, and what it finds there. */
enum compose_point {
    /* A switch of threads. rdi: struct thread from, rsi: to; rax rcx rdx r8-r11 are free. */
    POINT_LEAVE, /* the old thread's registers are saved; its space and stack are in place */
    POINT_ENTER, /* the new thread's space and stack are in place */
    /* A system call, interrupts off; the user's stack pointer is saved. Only rsp is free. */
    POINT_CALL_IN,
    POINT_CALL_ON, /* on the kernel stack; rcx and r11 are saved, rax rdi rsi rdx r10 r8 r9 live */
    POINT_CALL_DONE, /* on the way out; rcx rdx rsi rdi r8-r11 are free */
    POINT_CALL_OUT,  /* as the last: the user's stack pointer is loaded. Only rdx is free. */
    /* A trap or interrupt; rsp: struct trap_frame, all registers are free. */
    POINT_TRAP_IN,
    POINT_TRAP_OUT, /* rsp: what iretq pops; no register is free */
    /* A copy from or to memory of the current SIP. rax is free. */
    POINT_COPY_IN,
    POINT_COPY_OUT,
};

struct compose_pair {
    const struct plan_domain *from,
        *to;                   /* for calls both are the ring-3 domain, else the kernel's */
    uint64_t from_has, to_has; /* MECHANISM(...), the machine's included */
    bool same;                 /* two threads of one domain */
};

/* What a mechanism is to the kernel: a file in mechanism/ defines mechanism_ID, named in the table. */
struct mechanism {
    void (*enable)(void); /* once, when a domain of the plan has it and the CPU can */
    /* Adds its code at a point; called for each routine, in the order of the table. */
    void (*compose)(enum compose_point point, const struct compose_pair *pair);
    /* One that only does something on a switch between two domains of which one has it. */
    const struct fragment *on_switch; /* rax rcx rdx are free */
    enum result_event event;          /* that counts it; 0: none */
    /* A thread has been made, and is about to go; false: no memory. */
    bool (*thread_made)(struct thread *thread);
    void (*thread_gone)(struct thread *thread);
    /* The current SIP trapped; true: that was for the mechanism, and is settled. */
    bool (*trapped)(uint64_t vector);
};
#define X(id, ...) extern const struct mechanism mechanism_##id;
MECHANISMS(X)
#undef X

void compose_code(struct fragment fragment);
void compose_count(enum result_event event); /* adds 1 to an event; all registers live on */
/* The code, unless the mechanism is simulated. */
void compose_unless_simulated(enum mechanism_id id, struct fragment fragment);

/*
 * Looks what the CPU has, ends the run if the plan needs more and does not want it simulated, and
 * composes all routines. Before space_init(), while the kernel's text can be written.
 */
void compose_all(const struct plan_header *plan);
/* Switches on what the plan wants, once the kernel runs on its own tables. */
void compose_enable(void);

bool compose_thread_made(struct thread *thread);
void compose_thread_gone(struct thread *thread);
bool compose_trapped(uint64_t vector);

extern uint64_t mechanisms_used;      /* by any domain of the plan */
extern uint64_t mechanisms_simulated; /* those of them that this CPU cannot do */
uint64_t mechanisms_of(const struct plan_domain *domain); /* the machine's included */
bool cpu_has(uint32_t features);                          /* CPU_HAS(...) */

/* Switch routines: switch_table[from][to](from, to), by the index of a domain in the plan. */
typedef void switch_routine(struct thread *from, struct thread *to);
extern switch_routine *switch_table[PLAN_MAX_DOMAINS][PLAN_MAX_DOMAINS];
/* Leaves a thread for good, for the kernel's spare stack: see thread_leave(). */
typedef void leave_routine(struct thread *from, struct thread *spare); /* does not return */
extern leave_routine *leave_table[PLAN_MAX_DOMAINS];
/* Of ring-3 domains: where syscall goes, and where a new thread begins. */
extern uint64_t call_entry_table[PLAN_MAX_DOMAINS], first_entry_table[PLAN_MAX_DOMAINS];
extern uint64_t trap_return; /* pops a struct trap_frame */

/* memcpy() between the kernel and the current SIP's own addresses, which the caller has checked. */
extern void (*user_copy)(void *to, const void *from, uint64_t bytes);

#endif
