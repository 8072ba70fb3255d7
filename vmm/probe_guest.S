/*
 * The probe guest: boots by PVH, goes to long mode with one identity-mapped gigabyte, runs the test
 * that the first word of its module names, writes a struct probe_answer, and ends the run.
 * Exceptions have no handler: a test that a CPU cannot do ends in a triple fault.
 */
#include "probe.h"

#define ANSWER_TEST 8
#define ANSWER_TICKS 16
#define ANSWER_PORT_TICKS 24
#define ANSWER_LEAVES 32
#define ANSWER_SIGNATURE 96

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_BASE 0x18 /* sysret takes code from +16 and stack from +8 */
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TASK 0x30
#define VECTOR 0x80

    .section .note.pvh, "a", @note
    .align 4
    .long 4, 4, 18 /* name bytes, descriptor bytes, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long entry

    .text
    .code32
    .globl entry
entry:
    cld
    mov 16(%ebx), %esi /* hvm_start_info.modlist_paddr */
    mov (%esi), %esi   /* hvm_modlist_entry.paddr */
    mov (%esi), %ebp   /* the test */
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $MSR_EFER, %ecx
    rdmsr
    or $0x101, %eax /* LME, SCE */
    wrmsr
    mov %cr0, %eax
    and $~4, %eax /* EM */
    or $0x80010003, %eax /* PG, WP, MP, PE */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $KERNEL_CODE, $long_mode

    .code64
long_mode:
    mov $KERNEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $stack_top, %esp
    mov $PROBE_ANSWER_PA, %r15d
    mov %rbp, ANSWER_TEST(%r15)
    cmp $PROBE_LOOP, %ebp
    je test_loop
    cmp $PROBE_SYSCALL, %ebp
    je test_syscall
    cmp $PROBE_INT, %ebp
    je test_int

test_sse:
    pxor %xmm0, %xmm0
    movd %xmm0, %eax
    jmp done

    .macro ticks to
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, \to
    .endm

test_loop:
    ticks %r8
    mov $PROBE_LOOP_COUNT, %ecx
1:  dec %ecx
    jnz 1b
    ticks %r9
    sub %r8, %r9
    mov %r9, ANSWER_TICKS(%r15)

    mov $PROBE_PORT_COUNT, %ecx
    ticks %r8
1:  outb %al, $PROBE_PORT_SCRATCH
    dec %ecx
    jnz 1b
    ticks %r9
    sub %r8, %r9
    mov %r9, ANSWER_PORT_TICKS(%r15)

    mov $leaves, %esi
    lea ANSWER_LEAVES(%r15), %rdi
    mov $PROBE_LEAVES, %ebp
1:  mov (%rsi), %eax
    xor %ecx, %ecx
    cpuid
    mov %eax, (%rdi)
    mov %ebx, 4(%rdi)
    mov %ecx, 8(%rdi)
    mov %edx, 12(%rdi)
    add $4, %rsi
    add $16, %rdi
    dec %ebp
    jnz 1b
    mov $0x40000000, %eax
    cpuid
    mov %ebx, ANSWER_SIGNATURE(%r15)
    mov %ecx, ANSWER_SIGNATURE + 4(%r15)
    mov %edx, ANSWER_SIGNATURE + 8(%r15)
    jmp done

test_syscall:
    mov $MSR_STAR, %ecx
    xor %eax, %eax
    mov $(USER_BASE << 16 | KERNEL_CODE), %edx
    wrmsr
    mov $MSR_LSTAR, %ecx
    mov $from_syscall, %eax
    xor %edx, %edx
    wrmsr
    mov $MSR_FMASK, %ecx
    mov $0x200, %eax
    xor %edx, %edx
    wrmsr
    mov $PROBE_ROUND_TRIPS, %r12d
    ticks %r8
1:  mov $user_syscall, %ecx
    mov $2, %r11d
    sysretq
from_syscall:
    dec %r12d
    jnz 1b
    jmp trips_done

test_int:
    /* The gate of VECTOR: present, DPL 3, interrupt gate, KERNEL_CODE:from_int. */
    mov $from_int, %eax
    mov %ax, idt + VECTOR * 16
    movw $KERNEL_CODE, idt + VECTOR * 16 + 2
    movw $0xee00, idt + VECTOR * 16 + 4
    shr $16, %eax
    mov %ax, idt + VECTOR * 16 + 6
    lidt idt_pointer
    /* The TSS descriptor: present, available 64-bit TSS, base split as in SDM vol. 3, 8.2.3. */
    mov $tss, %eax
    mov %ax, gdt + TASK + 2
    shr $16, %eax
    mov %al, gdt + TASK + 4
    mov %ah, gdt + TASK + 7
    mov $TASK, %eax
    ltr %ax
    mov $PROBE_ROUND_TRIPS, %r12d
    ticks %r8
1:  mov $stack_top, %esp /* ss, rsp, rflags, cs, rip: what iretq takes */
    push $USER_DATA
    push $user_stack_top
    push $2
    push $USER_CODE
    push $user_int
    iretq
from_int:
    dec %r12d
    jnz 1b

trips_done:
    ticks %r9
    sub %r8, %r9
    mov %r9, ANSWER_TICKS(%r15)
done:
    movabs $PROBE_MAGIC, %rax
    mov %rax, (%r15)
    mov $1, %eax
    mov $PROBE_PORT_EXIT, %edx
    out %eax, %dx
    mov $PROBE_PORT_BOCHS, %edx
    mov $PROBE_BOCHS_OPEN, %eax
    out %ax, %dx
    mov $PROBE_BOCHS_STOP, %eax
    out %ax, %dx
1:  hlt
    jmp 1b

    .balign 4096
user_syscall:
    syscall
user_int:
    int $VECTOR

    .section .rodata
    .balign 4
leaves:
    .long 1, 7, 0x80000001, 0x80000007

    .data
    .balign 16
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* ring-0 code, 64-bit */
    .quad 0x00cf93000000ffff /* ring-0 data */
    .quad 0x00cffb000000ffff /* ring-3 code, 32-bit: only holds sysret's place */
    .quad 0x00cff3000000ffff /* ring-3 data */
    .quad 0x00affb000000ffff /* ring-3 code, 64-bit */
    .quad 0x0000890000000067, 0
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .quad gdt
    .balign 16
tss:
    .long 0
    .quad stack_top /* rsp0 */
    .fill 92, 1, 0
idt_pointer:
    .word (VECTOR + 1) * 16 - 1
    .quad idt
    .balign 16
idt:
    .fill (VECTOR + 1) * 16, 1, 0
    .balign 4096
pml4:
    .quad pdpt + 7
    .fill 511, 8, 0
pdpt:
    .quad pd + 7
    .fill 511, 8, 0
pd:
    .set address, 0
    .rept 512
    .quad address + 0x87 /* present, writable, user, 2 MiB */
    .set address, address + 0x200000
    .endr
stack:
    .fill 4096, 1, 0
stack_top:
    .fill 4096, 1, 0
user_stack_top:
