/*
 * The end of the ROM that Bochs runs instead of a BIOS: from the reset vector to flat 32-bit mode, and
 * on to the kernel's PVH entry. The host program carries it as data and puts it into a 64 KiB file.
 * Source: Intel SDM 3A, 9.1.4 (first instruction executed) and 9.9.1 (switching to protected mode).
 *
 * Bochs 2.7 reads the image of memory in one piece to where the first 128 KiB block is, and gives each
 * further block the next place at its first use. So every block is used here, in ascending order: then
 * each finds its own part of the image. The blocks from LOW_END to HIGH_START never come to use, being
 * the adapter's and the ROM's; as many from beyond the guest's memory take their places.
 */
#define ROM_BYTES 256
#define ROM_AT 0xffffff00 /* the last bytes below 4 GiB; the same are at the end of segment 0xf000 */
#define LOW_END 0xa0000
#define HIGH_START 0x100000
#define PAGE_BYTES 4096
#define LINE_CONTROL 0x3fb /* of the 16550 at PORT_CONSOLE, which a reset leaves at five bits */
#define EIGHT_BITS 3
#define CODE 0x08
#define DATA 0x10

    .macro use_pages to /* from %esi on */
1:  mov (%esi), %al
    add $PAGE_BYTES, %esi
    cmp \to, %esi
    jb 1b
    .endm

    .section .rodata
    .globl bochs_rom, bochs_rom_end, bochs_rom_parameters
bochs_rom:
    .code16
start:
    cli
    lgdtl %cs:0x10000 - ROM_BYTES + gdt_pointer - bochs_rom
    mov %cr0, %eax
    or $1, %eax /* PE */
    mov %eax, %cr0
    ljmpl $CODE, $ROM_AT + flat - bochs_rom
    .code32
flat:
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $LINE_CONTROL, %edx
    mov $EIGHT_BITS, %al
    outb %al, %dx
    mov $ROM_AT + bochs_rom_parameters - bochs_rom, %ebp
    xor %esi, %esi
    use_pages $LOW_END
    mov (%ebp), %esi
    lea HIGH_START - LOW_END(%esi), %edi
    use_pages %edi
    mov $HIGH_START, %esi
    use_pages (%ebp)
    mov 8(%ebp), %ebx
    jmp *4(%ebp)

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word . - gdt - 1
    .long ROM_AT + gdt - bochs_rom

    .org bochs_rom + ROM_BYTES - 0x20
bochs_rom_parameters: /* struct rom_parameters, for the host to fill in */
    .long 0, 0, 0
    .org bochs_rom + ROM_BYTES - 0x10
    .code16
    jmp start /* the reset vector */
    .org bochs_rom + ROM_BYTES
bochs_rom_end:
    .section .note.GNU-stack, "", @progbits
