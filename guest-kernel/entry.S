/*
 * The ways into and out of the kernel: system calls, ring-0 call gates, interrupts and exceptions,
 * thread switches, first entries. Only what C cannot do.
 */
#include "guest-kernel/memlayout.h"
#include "sip/abi_calls.h"
#define CPU_USER_RSP 0
#define CPU_STACK_LIMIT 8
#define THREAD_KSTACK_TOP 16

    .set ABI_CALL_COUNT, 0
#define X(name, arguments) .set ABI_CALL_COUNT, ABI_CALL_COUNT + 1;
    ABI_CALLS(X)
#undef X

    .text

/*
 * System call from ring 3. rax: number, rdi rsi rdx r10: arguments, rcx: return address, r11: flags.
 * Interrupts are off (SFMASK). The frame on the kernel stack:
 *     user rsp | flags | return address
 * Callee-saved registers are kept by the C function; the others are cleared on the way out, so that
 * no kernel value leaks.
 */
    .globl syscall_entry
syscall_entry:
    mov %rsp, cpu + CPU_USER_RSP(%rip)
    mov thread_current(%rip), %rsp
    mov THREAD_KSTACK_TOP(%rsp), %rsp
    incq events(%rip)                   /* EVENT_RING_CROSSINGS: in */
    pushq cpu + CPU_USER_RSP(%rip)
    push %r11
    push %rcx
    cmp $ABI_CALL_COUNT, %rax
    jae 1f
    mov %r10, %rcx
    call *abi_functions(, %rax, 8)
2:  pop %rcx
    pop %r11
    incq events(%rip)                   /* and out */
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    pop %rsp
    sysretq
1:  mov $-10, %rax                      /* ABI_ENOSYS */
    jmp 2b

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

/* void switch_stack(uint64_t *save_rsp, uint64_t rsp) */
    .globl switch_stack
switch_stack:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

/* void switch_stack_and_root(uint64_t *save_rsp, uint64_t rsp, uint64_t root): between the store of
   rsp and its load nothing may touch a stack, for a ring-0 SIP's is mapped in its own space only. */
    .globl switch_stack_and_root
switch_stack_and_root:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rdx, %cr3
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

/* First run of a thread: rbx entry, r12 stack top, r13 argument (see thread_create). */
    .globl thread_enter_ring0, thread_enter_ring3
thread_enter_ring0:
    mov %r12, %rsp
    mov %r13, %rdi
    xor %ebp, %ebp
    push $0                             /* no return address: a SIP's entry does not return */
    mov thread_flags(%rip), %rax
    push %rax
    popfq
    jmp *%rbx
thread_enter_ring3:
    mov %r13, %rdi
    mov %rbx, %rcx
    mov thread_flags(%rip), %r11
    incq events(%rip)
    lea -8(%r12), %rsp                  /* as after a call */
    xor %eax, %eax
    xor %ebx, %ebx
    xor %edx, %edx
    xor %esi, %esi
    xor %ebp, %ebp
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r12d, %r12d
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    sysretq

/* Runs a function that does not return on the kernel's spare stack, in the kernel's space. */
    .globl call_on_spare_stack
call_on_spare_stack:                    /* (function, root) */
    mov %rsi, %cr3
    mov $spare_stack_top, %rsp
    xor %ebp, %ebp
    call *%rdi
    ud2

/*
 * Exceptions and interrupts, all on the stack of IST 1. The frame is struct trap_frame:
 *     ss rsp flags cs rip | error vector | rax rcx rdx rbx rbp rsi rdi r8 ... r15
 */
    .altmacro
    .macro TRAP n
    .align 16
    .if (\n == 8) || (\n >= 10 && \n <= 14) || (\n == 17) || (\n == 21) || (\n == 29) || (\n == 30)
    .else
    push $0
    .endif
    push $\n
    jmp trap_common
    .endm
    .align 16
    .globl trap_stubs
trap_stubs:
    .set n, 0
    .rept 48
    TRAP %n
    .set n, n + 1
    .endr
    .noaltmacro
trap_common:
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rdi
    cld
    call trap
    .globl trap_return
trap_return:
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

    .bss
    .align 4096
    .skip 16384
spare_stack_top:
    .globl trap_stack_top, fault_stack_top
    .skip 16384
trap_stack_top:                         /* IST 1 */
    .skip 8192
fault_stack_top:                        /* IST 2: double fault, NMI, machine check */

    .section .note.GNU-stack, "", @progbits
