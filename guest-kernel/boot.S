/*
 * From the PVH entry (32-bit protected mode, paging off, ebx = struct hvm_start_info *) to kmain() in
 * long mode in the higher half. Its tables map the first 4 GiB twice, at 0 and at PHYS_VA, and the
 * first GiB at KERNEL_VA; space_init() replaces them by tables that are W^X.
 * Source: Xen's x86/HVM direct boot ABI (PVH); AMD64 manual volume 2, 14.6 (activating long mode).
 */
#include "memlayout.h"

    .section .note.pvh, "a", @note
    .align 4
    .long 4, 2f - 1f, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
1:  .long boot_pvh
2:

    .section .boot, "awx"
    .code32
    .globl boot_pvh
boot_pvh:
    cld
    cli
    mov %ebx, %edi              /* kmain's first argument, once in long mode */
    mov $0x80000001, %eax       /* long mode, NX? (AMD64 manual volume 3, CPUID Fn8000_0001 EDX) */
    cpuid                       /* not SYSCALL: Intel's CPUs tell of that in 64-bit mode only */
    and $0x20100000, %edx       /* LM, NX */
    cmp $0x20100000, %edx
    jne boot_refuse
    mov $boot_pml4, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x20, %eax              /* PAE */
    mov %eax, %cr4
    mov $0xc0000080, %ecx       /* EFER */
    rdmsr
    or $0x901, %eax             /* NXE, LME, SCE */
    wrmsr
    mov %cr0, %eax
    and $0x9fffffff, %eax       /* caches on */
    or $0x80010005, %eax        /* PG, WP, EM (no floating point, whose registers nobody keeps), PE */
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $SELECTOR_KCODE, $1f
    .code64
1:  mov $SELECTOR_KDATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov $boot_stack_top, %rsp
    mov %edi, %edi
    xor %ebp, %ebp
    mov $kmain, %rax
    call *%rax
2:  hlt
    jmp 2b

    .code32
boot_refuse:                    /* no console is set up; say it on the port and end the run */
    mov $boot_refusal, %esi
3:  mov $0x3fd, %edx            /* line status of the 16550: until it has sent what it had */
4:  inb %dx, %al
    test $0x40, %al
    jz 4b
    lodsb
    test %al, %al
    jz 5f
    mov $0x3f8, %edx
    outb %al, %dx
    jmp 3b
5:  mov $1, %eax
    mov $0xf4, %edx
    outl %eax, %dx
    mov $0x8a00, %edx           /* the same for Bochs */
    mov %edx, %eax
    outw %ax, %dx
    mov $0x8ae0, %eax
    outw %ax, %dx
6:  hlt
    jmp 6b
boot_refusal:
    .asciz "bulkhead: this CPU lacks long mode or NX\n"

    .align 16
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long boot_gdt
    .long 0

    .align 4096
boot_pml4:
    .quad boot_pdpt + 3
    .fill 255, 8, 0
    .quad boot_pdpt + 3         /* PHYS_VA */
    .fill 254, 8, 0
    .quad boot_pdpt_high + 3
boot_pdpt:
    .quad boot_pd + 3, boot_pd + 0x1003, boot_pd + 0x2003, boot_pd + 0x3003
    .fill 508, 8, 0
boot_pdpt_high:
    .fill 510, 8, 0
    .quad boot_pd + 3, 0        /* KERNEL_VA */
boot_pd:
    .set address, 0
    .rept 2048
    .quad address + 0x83
    .set address, address + 0x200000
    .endr

    .bss
    .align 4096
    .skip 16384
    .globl boot_stack_top
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
