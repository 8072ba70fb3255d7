/* Entry of the fixture guest: from PVH's 32-bit mode to C in long mode, one gigabyte mapped. */
    .section .note.pvh, "a", @note
    .align 4
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long entry

    .text
    .code32
    .globl entry
entry:
    mov %ebx, %edi /* hvm_start_info: fixture_main's argument */
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0x20, %eax /* PAE */
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax /* LME */
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax /* PG, PE */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x08, $1f
    .code64
1:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $stack_top, %esp
    jmp fixture_main

    .data
    .balign 8
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word 23
    .quad gdt
    .balign 4096
pml4:
    .quad pdpt + 3
    .fill 511, 8, 0
pdpt:
    .quad pd + 3
    .fill 511, 8, 0
pd:
    .set address, 0
    .rept 512
    .quad address + 0x83
    .set address, address + 0x200000
    .endr
    .fill 4096, 1, 0
stack_top:
    .section .note.GNU-stack, "", @progbits
