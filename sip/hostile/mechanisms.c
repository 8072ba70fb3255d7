/* Attacks that one optional mechanism stops and that go through where a layout does without it. */
#include "hostile.h"

#ifndef __wasm__

/* ---- where the kernel's tables are (UMIP) ---- */

/* Kernel addresses lie in the upper half; the others tell what the machine is set up like. */
#define TELLS(name, text, ...)                                                                     \
    ATTACK(name) {                                                                                 \
        struct {                                                                                   \
            uint16_t limit;                                                                        \
            uint64_t base;                                                                         \
        } __attribute__((packed)) table = {0};                                                     \
        uint64_t value = 0;                                                                        \
        __asm__ volatile(text : __VA_ARGS__);                                                      \
        if (value || (int64_t)table.base < 0)                                                      \
            tell(EVIDENCE_PRIVILEGED, value | table.base);                                         \
        return DONE;                                                                               \
    }
TELLS(tell_descriptor_table, "sgdt %0", "=m"(table))
TELLS(tell_interrupt_table, "sidt %0", "=m"(table))
TELLS(tell_task, "str %0", "=r"(value))
TELLS(tell_machine_status, "smsw %0", "=r"(value))
/* There is no local table: its selector is 0, but the instruction was carried out. */
ATTACK(tell_local_table) {
    uint64_t value = 1;
    __asm__ volatile("sldt %0" : "=r"(value));
    if (value == 0)
        tell(EVIDENCE_PRIVILEGED, value);
    return DONE;
}

/* ---- where the program goes on (CET) ---- */

static __attribute__((noinline, used)) void hijacked(void) {
    tell(EVIDENCE_HIJACKED, 1);
    sip_call_exit(DONE);
}
/* Code of its own that begins with no ENDBR64 and is where no call returns to. */
__asm__(".text\n.type inside, @function\ninside: and $-16, %rsp\n call hijacked\n.size inside, "
        ".-inside\n");
extern const uint8_t inside[] __attribute__((visibility("hidden")));

static __attribute__((noinline)) void overwrite_return(void) {
    __asm__ volatile("lea inside(%%rip), %%rax\n mov %%rax, (%0)"
                     :
                     : "r"((uint64_t *)__builtin_frame_address(0) + 1)
                     : "rax", "memory");
}
ATTACK(return_elsewhere) {
    overwrite_return();
    return DONE;
}
ATTACK(call_inside) {
    __asm__ volatile("lea inside(%%rip), %%rax\n call *%%rax" ::: "rax", "memory");
    return DONE;
}
ATTACK(jump_inside) {
    __asm__ volatile("lea inside(%%rip), %%rax\n jmp *%%rax" ::: "rax", "memory");
    return DONE;
}
/* Writes its own shadow stack, which lies above the stack in a SIP's stretch of addresses. */
ATTACK(write_shadow_stack) {
    uint64_t base = (uint64_t)__builtin_frame_address(0) & ~(SIP_STRIDE - 1ull);
    for (uint64_t thread = 0; thread < 128; thread++) {
        uint64_t at = base + 0x28000000 + thread * 8192;
        __asm__ volatile("movq $0, (%0)" ::"r"(at) : "memory");
    }
    return DONE;
}

/* ---- what other SIPs left in registers (fpu) ---- */

ATTACK(read_registers) {
    uint64_t left[16];
    registers_read(left);
    for (uint32_t i = 0; i < 16; i++)
        if (left[i]) {
            tell(EVIDENCE_SECRET, left[i]);
            break;
        }
    return DONE;
}

/* ---- what the kernel does on a SIP's behalf ---- */

/* AC set, which is what lifts SMAP: the calls copy, and the fault reports, as if it were not. */
ATTACK(call_allowing) {
    int64_t got, fallback = 0x1234567;
    __asm__ volatile("pushf; orl $0x40000, (%%rsp); popf" ::: "memory", "cc");
    got = sip_call_param("no-such-param", 13, fallback);
    want(1, got, fallback);
    got = sip_call_param((const char *)(uintptr_t)(KERNEL_VA + KERNEL_PA), 13, fallback);
    want(2, got, ABI_EFAULT);
    return REFUSED;
}
ATTACK(fault_allowing) {
    __asm__ volatile("pushf; orl $0x40000, (%%rsp); popf; ud2" ::: "memory", "cc");
    return DONE;
}
#endif

ATTACKS_OF(mechanisms)
