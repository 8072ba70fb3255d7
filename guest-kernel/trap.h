/* Exceptions and interrupts. A trap in a SIP ends that SIP; a trap in the kernel is a panic. */
#ifndef BULKHEAD_TRAP_H
#define BULKHEAD_TRAP_H

#include <stdbool.h>
#include <stdint.h>

struct trap_frame { /* as entry.S pushes it */
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error, rip, cs, flags, rsp, ss;
};

#define VECTOR_NO_FPU 7
#define VECTOR_PAGE_FAULT 14

/* Where the stubs lead in the end. */
void trap(struct trap_frame *frame);

/* Has exceptions start on the entry stack that the trampoline maps. */
void trap_use_trampoline(void);

/* Sets up GDT, TSS, IDT and the system call registers. */
void trap_init(void);

/*
 * Whether system calls run with interrupts on. A timer interrupt in the kernel's own code returns at
 * once, so that the kernel is never preempted; with interrupts on no state of theirs needs keeping.
 */
void trap_allow_interrupts(bool allow);

/*
 * Runs probe(argument) and returns true if it raised a trap instead of returning; *vector says which.
 * For the self-tests, which prove by it that a forbidden access is stopped.
 */
bool trap_probe(void (*probe)(uint64_t argument), uint64_t argument, uint64_t *vector);

#endif
