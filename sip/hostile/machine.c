/* Attacks by instructions: those that trap, those that only the kernel may use, and no end of them. */
#include "hostile.h"

static volatile int32_t zero, minus_one = -1, smallest = INT32_MIN;

ATTACK(divide_by_zero) { return (uint32_t)(smallest / zero); }
ATTACK(divide_overflow) { return (uint32_t)(smallest / minus_one); }
ATTACK(unreachable) {
    if (zero == 0)
        __builtin_trap();
    return DONE;
}

/* ---- the stack ---- */

static __attribute__((noinline)) uint64_t recurse(uint64_t depth) {
    volatile uint64_t here[4] = {depth};
    return depth > 1u << 20 ? depth : recurse(depth + 1) + here[depth & 3];
}
ATTACK(deep_recursion) {
    recurse(0);
    return DONE;
}
/* Recursion that calls the kernel at every level. */
static __attribute__((noinline)) uint64_t recurse_and_call(uint64_t depth) {
    uint64_t self = sip_self();
    if (depth < 1u << 20)
        self ^= 3 * recurse_and_call(depth + 1);
    return self + sip_self(); /* something is left to do when the inner one has returned */
}
ATTACK(deep_recursion_calls) {
    recurse_and_call(0);
    return DONE;
}
static __attribute__((noinline)) void smash(uint32_t words) {
    uint64_t local[4];
    volatile uint64_t *to = local;
    for (uint32_t i = 0; i < words; i++)
        to[i] = 0x7f0012345678; /* a return address that leads nowhere */
}
ATTACK(smash_stack) {
    smash(16);
    return DONE;
}
/* As much as there is: past the end of the stack. */
ATTACK(smash_far) {
    smash(1u << 20);
    return DONE;
}

/* ---- no end ---- */

static volatile bool forever = true;
ATTACK(endless_loop) {
    while (forever)
        ;
    return DONE;
}
ATTACK(endless_calls) {
    while (forever)
        sip_self();
    return DONE;
}

#ifndef __wasm__
#define INSTRUCTION(name, ...)                                                                     \
    ATTACK(name) {                                                                                 \
        __asm__ volatile(__VA_ARGS__);                                                             \
        return DONE;                                                                               \
    }
/* The same, and says so when it worked. */
#define PRIVILEGED(name, ...)                                                                      \
    ATTACK(name) {                                                                                 \
        uint64_t value = 0;                                                                        \
        __asm__ volatile(__VA_ARGS__);                                                             \
        tell(EVIDENCE_PRIVILEGED, value);                                                          \
        return DONE;                                                                               \
    }

INSTRUCTION(illegal_instruction, "ud2")
INSTRUCTION(breakpoint, "int3")
INSTRUCTION(single_step, "pushf; orl $0x100, (%%rsp); popf; nop; nop" ::: "memory", "cc")
INSTRUCTION(interrupt_80, "int $0x80")
INSTRUCTION(interrupt_13, "int $13")
INSTRUCTION(vector_register, "movaps %%xmm0, %%xmm1" ::: "memory")
INSTRUCTION(floating_point, "fldz; fstp %%st(0)" ::: "memory")
INSTRUCTION(overlong_instruction, ".fill 16, 1, 0x66; nop")
INSTRUCTION(bad_segment, "mov %w0, %%ds" ::"r"(0x28))

PRIVILEGED(disable_interrupts, "cli")
PRIVILEGED(read_port, "inb $0x64, %b0" : "+a"(value))
PRIVILEGED(write_port, "outb %b0, $0x80" ::"a"(value))
PRIVILEGED(read_cr3, "mov %%cr3, %0" : "=r"(value))
PRIVILEGED(write_cr3, "mov %%cr3, %0; mov %0, %%cr3" : "=r"(value)::"memory")
PRIVILEGED(read_debug_register, "mov %%dr7, %0" : "=r"(value))
PRIVILEGED(flush_page, "invlpg (%0)" ::"r"(&zero) : "memory")
PRIVILEGED(read_msr, "rdmsr" : "=a"(value) : "c"(0xc0000080) : "rdx")
PRIVILEGED(write_msr, "rdmsr; wrmsr" : "+a"(value) : "c"(0xc0000082) : "rdx")
PRIVILEGED(clear_task_switched, "clts")
PRIVILEGED(load_gdt, "sgdt -16(%%rsp); lgdt -16(%%rsp)" : "+r"(value)::"memory")
PRIVILEGED(swap_gs, "swapgs; swapgs")
PRIVILEGED(write_back_caches, "wbinvd" ::: "memory")

/* I/O rights that the flags of ring 3 cannot be given. */
ATTACK(raise_io_rights) {
    uint64_t flags;
    __asm__ volatile("pushf; orl $0x3000, (%%rsp); popf; pushf; pop %0" : "=r"(flags)::"memory");
    if (flags & 0x3000)
        tell(EVIDENCE_PRIVILEGED, flags);
    return DONE;
}
/* A return into the kernel's code segment. */
ATTACK(return_to_ring0) {
    __asm__ volatile(
        "push $0x10; push %%rsp; pushf; push $0x08; push %0; iretq" ::"r"(KERNEL_VA + KERNEL_PA)
        : "memory");
    return DONE;
}
/* Flags that would confuse a kernel that kept them. */
ATTACK(call_with_flags) {
    int64_t fallback = 0x1234567;
    __asm__ volatile("std");
    int64_t got = sip_call_param("no-such-param", 13, fallback);
    __asm__ volatile("cld");
    want(1, got, fallback);
    __asm__ volatile("pushf; orl $0x44000, (%%rsp); popf" ::: "memory", "cc"); /* AC, NT */
    got = sip_call_param("no-such-param", 13, fallback);
    __asm__ volatile("pushf; andl $~0x44000, (%%rsp); popf" ::: "memory", "cc");
    want(2, got, fallback);
    return REFUSED;
}
/* The system call instruction itself, with numbers that no call has. */
ATTACK(raw_system_calls) {
    static const uint64_t numbers[] = {ABI_CALL_COUNT, ABI_CALL_COUNT + 1, 1ull << 32, 1ull << 63,
                                       UINT64_MAX};
    for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t got = (int64_t)numbers[i];
        __asm__ volatile("syscall"
                         : "+a"(got)
                         :
                         : "rcx", "r11", "rdi", "rsi", "rdx", "r8", "r9", "r10", "memory");
        want(i, got, ABI_ENOSYS);
    }
    return REFUSED;
}
/* Below the stack, and then a call: the kernel must not use such a stack. */
ATTACK(call_on_no_stack) {
    uint64_t bottom = (((uint64_t)__builtin_frame_address(0) | 4095) + 1) - 65536 + 64;
    __asm__ volatile("mov %%rsp, %%rbx; mov %0, %%rsp; call *%1; mov %%rbx, %%rsp"
                     :
                     : "r"(bottom), "r"(sip_calls[ABI_self])
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
                       "memory");
    return DONE;
}

/* ---- what stops everything, unless something stops it ---- */

INSTRUCTION(halt, "cli; hlt")
INSTRUCTION(end_the_run, "outl %0, $0xf4" ::"a"(0x55))
INSTRUCTION(lose_page_tables, "mov %0, %%cr3; nop" ::"r"(0x7ff0000ull) : "memory")
ATTACK(lose_interrupt_table) {
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) none;
    __asm__ volatile("lidt %0; int3" ::"m"(none));
    return DONE;
}
ATTACK(loop_without_interrupts) {
    __asm__ volatile("cli");
    while (forever)
        ;
    return DONE;
}
#endif

ATTACKS_OF(machine)
