/* The fixed parts of the routines that compose.c puts together. They are copied, never run here. */
#include "guest-kernel/memlayout.h"
#include "offsets.h"
#include "sip/abi_calls.h"

    .set ABI_CALL_COUNT, 0
#define X(name, arguments) .set ABI_CALL_COUNT, ABI_CALL_COUNT + 1;
    ABI_CALLS(X)
#undef X

    .macro PIECE name
    .globl piece_\name, piece_\name\()_end
piece_\name:
    .endm
    .macro END name
piece_\name\()_end:
    .endm
    .macro ENDBR
#ifdef KERNEL_IBT
    endbr64
#endif
    .endm

    .section .rodata

/* ---- a switch of threads: rdi from, rsi to ---- */

/* Two SIPs may be of one domain of the plan, and still each have its own. Ends at the branch for "the
   same one". */
    PIECE switch_compare
    ENDBR
    mov THREAD_DOMAIN(%rsi), %rax
    cmp THREAD_DOMAIN(%rdi), %rax
    END switch_compare

    PIECE switch_entry
    ENDBR
    END switch_entry

    PIECE switch_save
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, THREAD_RSP(%rdi)
    END switch_save

/* Between the store of rsp and its load nothing may touch a stack, for a ring-0 SIP's is mapped in its
   own space only. */
    PIECE switch_root
    mov THREAD_ROOT(%rsi), %rax
    mov %rax, %cr3
    END switch_root

    PIECE switch_stack
    mov THREAD_RSP(%rsi), %rsp
    END switch_stack

    PIECE switch_load
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    END switch_load

    PIECE leave_stack
    mov $spare_stack_top, %rsp
    END leave_stack
    PIECE leave_end
    xor %ebp, %ebp
    END leave_end

/* Where domains have different ways in, a switch to ring 3 sets the one of its domain. */
    PIECE switch_lstar
    mov $0xc0000082, %ecx
    mov THREAD_ENTRY(%rsi), %eax
    mov $-1, %edx
    wrmsr
    END switch_lstar

/* Other on-switch actions than the last ring-3 domain's, see ON_RING3. Ends at the branch for "the same". */
    PIECE ring3_compare
    mov THREAD_DOMAIN(%rsi), %rax
    cmp %rax, cpu + CPU_LAST_RING3
    END ring3_compare
    PIECE ring3_note
    mov %rax, cpu + CPU_LAST_RING3
    END ring3_note

/*
 * ---- system call from ring 3 ----
 * rax: number, rdi rsi rdx r10: arguments, rcx: return address, r11: flags. Interrupts are off or
 * harmless (SFMASK). The frame on the kernel stack: user rsp | flags | return address.
 * Callee-saved registers are kept by the C function; the others are cleared on the way out, so that no
 * kernel value leaks.
 */
    PIECE call_entry
    ENDBR
    mov %rsp, cpu + CPU_USER_RSP
    END call_entry
    PIECE call_stack
    mov thread_current, %rsp
    mov THREAD_KSTACK_TOP(%rsp), %rsp
    incq events                         /* EVENT_RING_CROSSINGS: in */
    pushq cpu + CPU_USER_RSP
    push %r11
    push %rcx
    END call_stack
    PIECE call_number                   /* then: jae to what follows call_tail */
    cmp $ABI_CALL_COUNT, %rax
    END call_number
    PIECE call_function
    mov %r10, %rcx
#ifdef KERNEL_RETPOLINE
    mov abi_functions(, %rax, 8), %rax
    jmp 3f
1:  call 2f
4:  pause
    lfence
    jmp 4b
2:  mov %rax, (%rsp)
    ret
3:  call 1b
#else
    call *abi_functions(, %rax, 8)
#endif
    END call_function
    PIECE call_back
    pop %rcx
    pop %r11
    incq events                         /* and out */
    pop %rsp
    END call_back
    PIECE call_tail
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    sysretq
    END call_tail
    PIECE call_unknown                  /* then: jmp to what follows call_function */
    mov $-10, %rax                      /* ABI_ENOSYS */
    END call_unknown

/* First run of a ring-3 thread: rbx entry, r12 stack top, r13 argument (see thread_create). */
    PIECE first_entry
    mov %r13, %rdi
    mov %rbx, %rcx
    mov thread_flags, %r11
    incq events
    lea -8(%r12), %rsp                  /* as after a call */
    xor %eax, %eax
    xor %ebx, %ebx
    xor %esi, %esi
    xor %ebp, %ebp
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r12d, %r12d
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    END first_entry
    PIECE first_tail
    xor %edx, %edx
    sysretq
    END first_tail

/*
 * ---- traps ----
 * The frame is struct trap_frame:
 *     ss rsp flags cs rip | error vector | rax rcx rdx rbx rbp rsi rdi r8 ... r15
 */
    PIECE trap_save
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
    END trap_save
    PIECE trap_call                     /* then: call trap */
    mov %rsp, %rdi
    cld
    END trap_call
    PIECE trap_load
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
    END trap_load
    PIECE trap_end
    iretq
    END trap_end

/* ---- copies: rdi to, rsi from, rdx bytes ---- */
    PIECE copy_entry
    ENDBR
    END copy_entry
    PIECE copy_bytes
    mov %rdx, %rcx
    rep movsb
    END copy_bytes
    PIECE copy_end
    ret
    END copy_end

    .section .note.GNU-stack, "", @progbits
