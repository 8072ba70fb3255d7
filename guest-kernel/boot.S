/*
 * From one of two entries (both in 32-bit protected mode, paging off, ebx = what the loader has to say)
 * to kmain() in long mode in the higher half: PVH, struct hvm_start_info; multiboot2, its information,
 * with the magic number in eax. Its tables map the first 4 GiB twice, at 0 and at PHYS_VA, and the
 * first GiB at KERNEL_VA; space_init() replaces them by tables that are W^X.
 * Source: Xen's x86/HVM direct boot ABI (PVH); Multiboot2 specification, 3.1 (header), 3.3 (machine
 * state); AMD64 manual volume 2, 14.6 (activating long mode).
 */
#include "memlayout.h"

#define MULTIBOOT_HEADER 0xe85250d6
#define MULTIBOOT_HEADER_BYTES multiboot_header_end - multiboot_header
#define MULTIBOOT_TEXT_SCREEN 2 /* the kernel can write to one */
#define UART 0x3f8              /* PORT_CONSOLE */
#define TEXT_SCREEN 0xb8000

    .section .note.pvh, "a", @note
    .align 4
    .long 4, 2f - 1f, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
1:  .long boot_pvh
2:

    .section .boot, "awx"
    .balign 8
multiboot_header:               /* a loader looks for it in the file's first 32 KiB */
    .long MULTIBOOT_HEADER, 0 /* i386 */, MULTIBOOT_HEADER_BYTES
    .long -(MULTIBOOT_HEADER + (MULTIBOOT_HEADER_BYTES))
    .short 3, 0                 /* the entry, since that of the ELF header is PVH's */
    .long 12, boot_multiboot, 0
    .short 4, 1                 /* what it can do with a screen */
    .long 12, MULTIBOOT_TEXT_SCREEN, 0
    .short 6, 0                 /* modules on page boundaries */
    .long 8
    .short 0, 0
    .long 8
multiboot_header_end:

    .code32
boot_multiboot:
    mov %eax, %esi              /* kmain's second argument */
    xor %eax, %eax
    mov %eax, %cr4              /* firmware may have left something there */
    jmp boot_common

    .globl boot_pvh
boot_pvh:
    xor %esi, %esi
boot_common:
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
    mov %esi, %esi
    xor %ebp, %ebp
    mov $kmain, %rax
    call *%rax
2:  hlt
    jmp 2b

    .code32
    .macro port_write port, value
    mov $\port, %edx
    mov $\value, %eax
    outb %al, %dx
    .endm

boot_refuse:                    /* no console is set up; say it on the port and end the run */
    test %esi, %esi
    jz 3f
    port_write UART + 3, 0x83   /* as console_start_port() does, for 115200 8N1 */
    port_write UART, 1
    port_write UART + 1, 0
    port_write UART + 3, 3
    mov $boot_refusal, %esi     /* and on the screen, in white on black */
    mov $TEXT_SCREEN, %edi
    mov $0x0f, %ah
2:  lodsb
    cmp $'\n', %al
    je 3f
    stosw
    jmp 2b
3:  mov $boot_refusal, %esi
4:  mov $0x3fd, %edx            /* line status of the 16550: until it has sent what it had */
    mov $100000, %ecx           /* or is not there */
5:  inb %dx, %al
    test $0x40, %al
    loopz 5b
    lodsb
    test %al, %al
    jz 6f
    mov $UART, %edx
    outb %al, %dx
    jmp 4b
6:  mov $1, %eax
    mov $0xf4, %edx
    outl %eax, %dx
    mov $0x8a00, %edx           /* the same for Bochs */
    mov %edx, %eax
    outw %ax, %dx
    mov $0x8ae0, %eax
    outw %ax, %dx
7:  hlt
    jmp 7b
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
