/* Descriptor tables and the trap handler. */
#include "trap.h"
#include "events.h"
#include "kernel.h"
#include "sip.h"
#include "x86.h"

#define VECTORS 48
#define VECTOR_PAGE_FAULT 14
#define GATE_INTERRUPT 0x8e

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
struct tss { /* AMD64 manual volume 2, 12.2.5 */
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

static struct gate idt[VECTORS];
static struct tss tss;
static uint64_t gdt[7] = {
    0,
    0x00af9b000000ffff, /* SELECTOR_KCODE */
    0x00cf93000000ffff, /* SELECTOR_KDATA */
    0x00cff3000000ffff, /* SELECTOR_UDATA */
    0x00affb000000ffff, /* SELECTOR_UCODE */
};
_Static_assert(sizeof gdt > SELECTOR_TSS + 8, "the TSS descriptor takes two entries");

/* entry.S */
extern uint8_t trap_stubs[], syscall_entry[], trap_stack_top[], fault_stack_top[];

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

void trap_init(void) {
    for (unsigned i = 0; i < VECTORS; i++) {
        uint64_t handler = (uint64_t)trap_stubs + i * 16ull;
        bool fatal = i == 2 || i == 8 || i == 18; /* NMI, double fault, machine check */
        idt[i] = (struct gate){.offset_low = (uint16_t)handler,
                               .selector = SELECTOR_KCODE,
                               .ist = fatal ? 2 : 1,
                               .type = GATE_INTERRUPT,
                               .offset_middle = (uint16_t)(handler >> 16),
                               .offset_high = (uint32_t)(handler >> 32)};
    }
    tss.ist[0] = (uint64_t)trap_stack_top;
    tss.ist[1] = (uint64_t)fault_stack_top;
    tss.io_map = sizeof tss; /* ring 3 has no ports */
    uint64_t base = (uint64_t)&tss;
    gdt[SELECTOR_TSS / 8] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
                            (base >> 24 & 0xff) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
    struct table_pointer gdt_pointer = {sizeof gdt - 1, (uint64_t)gdt};
    struct table_pointer idt_pointer = {sizeof idt - 1, (uint64_t)idt};
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2" ::"m"(gdt_pointer), "m"(idt_pointer),
                     "r"(SELECTOR_TSS));
    /* SYSCALL takes CS from STAR[47:32]; SYSRET CS from STAR[63:48] + 16 and SS from + 8. */
    x86_write_msr(MSR_STAR, (uint64_t)SELECTOR_KCODE << 32 | (SELECTOR_KDATA | 3ull) << 48);
    x86_write_msr(MSR_LSTAR, (uint64_t)syscall_entry);
    x86_write_msr(MSR_SFMASK, 0x47700); /* TF IF DF IOPL NT AC: off in the kernel */
}

static volatile bool probing;
static uint64_t probe_stack[5], probe_vector; /* as __builtin_setjmp wants it */

__attribute__((noinline)) bool trap_probe(void (*probe)(uint64_t), uint64_t argument,
                                          uint64_t *vector) {
    if (__builtin_setjmp((void **)probe_stack)) {
        *vector = probe_vector;
        return true;
    }
    probing = true;
    probe(argument);
    probing = false;
    return false;
}

static const char *const trap_names[32] = {
    [0] = "divide by zero or overflow", [1] = "debug trap",
    [3] = "breakpoint",                 [4] = "overflow trap",
    [5] = "bound exceeded",             [6] = "illegal instruction",
    [7] = "no floating point",          [8] = "double fault",
    [10] = "bad TSS",                   [11] = "segment not present",
    [12] = "stack segment fault",       [13] = "general protection fault",
    [14] = "page fault",                [16] = "floating-point error",
    [17] = "misaligned access",         [18] = "machine check",
    [19] = "SIMD error",                [21] = "control protection fault",
};

void trap(struct trap_frame *frame); /* called by entry.S */
void abi_stack_overflow(void);       /* jumped to by entry.S */

void trap(struct trap_frame *frame) {
    bool from_ring3 = frame->cs & 3;
    bool from_kernel = frame->rip >= (uint64_t)kernel_text && frame->rip < (uint64_t)kernel_text_end;
    const char *name = frame->vector < 32 && trap_names[frame->vector] ? trap_names[frame->vector]
                                                                       : "unexpected interrupt";
    uint64_t address = frame->vector == VECTOR_PAGE_FAULT ? x86_read_cr2() : 0;
    if (from_ring3)
        events[EVENT_RING_CROSSINGS]++;
    if (frame->vector == VECTOR_PAGE_FAULT)
        events[EVENT_PAGE_FAULTS]++;
    if (probing) {
        probing = false;
        probe_vector = frame->vector;
        __builtin_longjmp((void **)probe_stack, 1);
    }
    if (!from_kernel && thread_current && thread_current->sip) {
        const struct sip *sip = sip_current();
        if (frame->vector == VECTOR_PAGE_FAULT && address < sip->stack &&
            sip->stack - address <= PAGE_BYTES)
            name = "stack overflow";
        sip_fault(name, address, frame->rip);
    }
    PANIC("%s in the kernel: rip 0x%lx, address 0x%lx, error 0x%lx, rsp 0x%lx, rax 0x%lx", name,
          frame->rip, address, frame->error, frame->rsp, frame->rax);
}

/* A ring-0 SIP called the kernel with too little stack left for it. */
void abi_stack_overflow(void) { sip_fault("stack overflow", 0, 0); }
