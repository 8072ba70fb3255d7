/*
 * The ways into the kernel that are the same in every layout: ring-0 call gates, the stubs of ring 3, trap
 * stubs. What depends on mechanisms is composed from pieces.S.
 */
#include "guest-kernel/memlayout.h"
#include "offsets.h"
#include "sip/abi_calls.h"
#define COMPOSED_BYTES 65536
    .macro ENDBR
#ifdef KERNEL_IBT
    endbr64
#endif
    .endm

    .set ABI_CALL_COUNT, 0
#define X(name, arguments) .set ABI_CALL_COUNT, ABI_CALL_COUNT + 1;
    ABI_CALLS(X)
#undef X

    .text

/*
 * Gates of ring-0 SIPs: they run on the SIP's own stack, so each first makes sure that the kernel
 * has room there. abi_gates is the table that such a SIP gets.
 */
gate_overflow:                          /* on the thread's kernel stack: its own has no room left */
    mov thread_current(%rip), %rsp
    mov THREAD_KSTACK_TOP(%rsp), %rsp
    jmp abi_stack_overflow
    .macro GATE name
gate_\name:
    ENDBR
    cmp %rsp, cpu + CPU_STACK_LIMIT(%rip)
    ja gate_overflow                    /* rsp is below the limit */
    jmp abi_\name
    .endm
#define X(name, arguments) GATE name;
    ABI_CALLS(X)
#undef X
    .section .rodata
    .align 8
    .globl abi_functions, abi_gates
abi_functions:
#define X(name, arguments) .quad abi_##name;
    ABI_CALLS(X)
#undef X
abi_gates:
#define X(name, arguments) .quad gate_##name;
    ABI_CALLS(X)
#undef X

/*
 * Stubs for ring-3 SIPs, on a page of their own that is mapped at STUB_VA. The table comes first.
 * rcx and r11 are lost to syscall; C expects that.
 */
    .align 4096
    .globl stub_page
stub_page:
#define X(name, arguments) .quad STUB_VA + stub_##name - stub_page;
    ABI_CALLS(X)
#undef X
    .macro STUB name, number
    .align 16
stub_\name:
    ENDBR
    mov $\number, %eax
    mov %rcx, %r10
    syscall
    ret
    .endm
    .set number, 0
#define X(name, arguments) STUB name, %number; .set number, number + 1;
    .altmacro
    ABI_CALLS(X)
    .noaltmacro
#undef X
    .align 4096
    .text

/* First run of a ring-0 thread: rbx entry, r12 stack top, r13 argument (see thread_create). */
    .globl thread_enter_ring0
thread_enter_ring0:
    mov %r12, %rsp
    mov %r13, %rdi
    xor %ebp, %ebp
    push $0                             /* no return address: a SIP's entry does not return */
    mov thread_flags(%rip), %rax
    push %rax
    popfq
#ifdef KERNEL_RETPOLINE
    call 1f
2:  pause
    lfence
    jmp 2b
1:  mov %rbx, (%rsp)
    ret
#else
    jmp *%rbx
#endif

/* For trap_probe(): a call that a trap may cut short. Self-tests only. */
    .globl trap_probe_call, trap_probe_abort
trap_probe_call:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, probe_stack(%rip)
    call trap_probe_run
    xor %eax, %eax
1:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
trap_probe_abort:
    mov probe_stack(%rip), %rsp
    mov $1, %eax
    jmp 1b
    .local probe_stack
    .comm probe_stack, 8, 8

/*
 * Exceptions and interrupts, and the composed routines: all that KPTI's trampoline must map. A stub
 * goes to the first composed routine; until there is one, to trap_early.
 */
    .section .composed, "awx", @progbits
    .altmacro
    .macro TRAP n
    .align 16
    ENDBR
    .if (\n == 8) || (\n >= 10 && \n <= 14) || (\n == 17) || (\n == 21) || (\n == 29) || (\n == 30)
    .else
    push $0
    .endif
    push $\n
    jmp composed_code
    .endm
    .align 4096
    .globl trap_stubs, composed_code, composed_code_end
trap_stubs:
    .set n, 0
    .rept 48
    TRAP %n
    .set n, n + 1
    .endr
    .noaltmacro
    .align 64
composed_code:
    jmp trap_early
    .fill COMPOSED_BYTES, 1, 0xcc
composed_code_end:
    .align 4096

    .text
trap_early:                             /* nothing is caught so early: a panic, with the right values */
    sub $15 * 8, %rsp
    mov %rsp, %rdi
    cld
    call trap
    ud2

    .bss
    .align 4096
    .globl spare_stack_top, trap_stack_top
    .skip 16384
spare_stack_top:
    .skip 16384
trap_stack_top:                         /* IST 1 */

    .section .trampoline, "aw", @progbits
    .align 4096
    .globl fault_stack_top, trampoline_stack_top
    .fill 4096, 1, 0
trampoline_stack_top:                   /* IST 1 under KPTI */
    .fill 8192, 1, 0
fault_stack_top:                        /* IST 2: double fault, NMI, machine check */

    .section .note.GNU-stack, "", @progbits
