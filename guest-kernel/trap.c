/* Descriptor tables and the trap handler. */
#include "trap.h"
#include "apic.h"
#include "compose.h"
#include "device.h"
#include "events.h"
#include "kernel.h"
#include "sip.h"
#include "timer.h"
#include "x86.h"

#define VECTORS 48
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

static struct gate idt[VECTORS] TRAMPOLINE;
static struct tss tss TRAMPOLINE;
static uint64_t gdt[7] TRAMPOLINE = {
    0,
    0x00af9b000000ffff, /* SELECTOR_KCODE */
    0x00cf93000000ffff, /* SELECTOR_KDATA */
    0x00cff3000000ffff, /* SELECTOR_UDATA */
    0x00affb000000ffff, /* SELECTOR_UCODE */
};
_Static_assert(sizeof gdt > SELECTOR_TSS + 8, "the TSS descriptor takes two entries");

/* entry.S */
extern uint8_t trap_stubs[], trap_stack_top[], fault_stack_top[], trampoline_stack_top[];

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
    gdt[SELECTOR_TSS / 8] =
        (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
    struct table_pointer gdt_pointer = {sizeof gdt - 1, (uint64_t)gdt};
    struct table_pointer idt_pointer = {sizeof idt - 1, (uint64_t)idt};
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2" ::"m"(gdt_pointer), "m"(idt_pointer),
                     "r"(SELECTOR_TSS));
    /* SYSCALL takes CS from STAR[47:32]; SYSRET CS from STAR[63:48] + 16 and SS from + 8. */
    x86_write_msr(MSR_STAR, (uint64_t)SELECTOR_KCODE << 32 | (SELECTOR_KDATA | 3ull) << 48);
    trap_allow_interrupts(false);
}

void trap_use_trampoline(void) { tss.ist[0] = (uint64_t)trampoline_stack_top; }

void trap_allow_interrupts(bool allow) {
    /* TF DF IOPL NT AC are off in the kernel, and interrupts if there is no timer anyway. KPTI's way in
       lets them through itself, once the kernel's tables are there. */
    x86_write_msr(MSR_SFMASK, allow && !(mechanisms_used & MECHANISM(KPTI)) ? 0x47500 : 0x47700);
}

static volatile bool probing;
static void (*probe_function)(uint64_t);
static uint64_t probe_argument, probe_vector;

/* entry.S: calls trap_probe_run(); true if trap_probe_abort() ended that. */
bool trap_probe_call(void);
void trap_probe_abort(void) __attribute__((noreturn));
void trap_probe_run(void);

void trap_probe_run(void) { probe_function(probe_argument); }

bool trap_probe(void (*probe)(uint64_t), uint64_t argument, uint64_t *vector) {
    probe_function = probe;
    probe_argument = argument;
    probing = true;
    bool trapped = trap_probe_call();
    probing = false;
    *vector = probe_vector;
    return trapped;
}

static const char *const trap_names[32] = {
    [0] = "divide by zero or overflow",
    [1] = "debug trap",
    [3] = "breakpoint",
    [4] = "overflow trap",
    [5] = "bound exceeded",
    [6] = "illegal instruction",
    [7] = "no floating point",
    [8] = "double fault",
    [10] = "bad TSS",
    [11] = "segment not present",
    [12] = "stack segment fault",
    [13] = "general protection fault",
    [14] = "page fault",
    [16] = "floating-point error",
    [17] = "misaligned access",
    [18] = "machine check",
    [19] = "SIMD error",
    [21] = "control protection fault",
};

static const char *trap_name(uint64_t vector) {
    return vector < 32 && trap_names[vector] ? trap_names[vector] : "unexpected interrupt";
}

void abi_stack_overflow(void); /* jumped to by entry.S */

/* What kind of end an exception is to a SIP. */
static enum abi_trap trap_kind(const struct sip *sip, const struct trap_frame *frame,
                               uint64_t address, const char **name) {
    switch (frame->vector) {
    case 0:
        return ABI_TRAP_DIVIDE;
    case 6:
        return ABI_TRAP_ILLEGAL;
    case VECTOR_PAGE_FAULT:
        if (address < sip->stack && sip->stack - address <= PAGE_BYTES) {
            *name = "stack overflow";
            return ABI_TRAP_STACK;
        }
        return ABI_TRAP_PAGE_FAULT;
    default:
        return ABI_TRAP_EXCEPTION;
    }
}

static void trap_in_sip(struct trap_frame *frame, uint64_t address) {
    const struct sip *sip = sip_current();
    const char *name = trap_name(frame->vector);
    enum abi_trap kind = trap_kind(sip, frame, address, &name);
    sip_fault(kind, name, address, frame->rip);
}

/* Apart, so that exceptions save no register for it. */
static __attribute__((noinline)) void trap_interrupt(struct trap_frame *frame, bool from_ring3,
                                                     bool in_sip) {
    if (from_ring3)
        events[EVENT_RING_CROSSINGS]++; /* the way back */
    if (device_interrupt(frame, in_sip))
        return;
    if (!in_sip)
        PANIC("unexpected interrupt %lu in the kernel: rip 0x%lx", frame->vector, frame->rip);
    trap_in_sip(frame, 0);
}

void trap(struct trap_frame *frame) {
    bool from_ring3 = frame->cs & 3;
    bool from_kernel = !from_ring3 && frame->rip >= (uint64_t)kernel_text &&
                       frame->rip < (uint64_t)kernel_text_end;
    uint64_t address = frame->vector == VECTOR_PAGE_FAULT ? x86_read_cr2() : 0;
    if (from_ring3)
        events[EVENT_RING_CROSSINGS]++;
    if (frame->vector == TIMER_VECTOR) {
        if (from_ring3)
            events[EVENT_RING_CROSSINGS]++; /* the way back */
        timer_tick(frame, !from_kernel && thread_current->sip);
        return;
    }
    if (frame->vector > TIMER_VECTOR) {
        trap_interrupt(frame, from_ring3, !from_kernel && thread_current->sip);
        return;
    }
    if (frame->vector == VECTOR_PAGE_FAULT)
        events[EVENT_PAGE_FAULTS]++;
    if (probing) {
        probing = false;
        probe_vector = frame->vector;
        trap_probe_abort();
    }
    if (!from_kernel && thread_current && thread_current->sip) {
        if (mechanisms_used && compose_trapped(frame->vector)) {
            events[EVENT_RING_CROSSINGS] += from_ring3; /* the way back */
            return;
        }
        trap_in_sip(frame, address);
    }
    PANIC("%s in the kernel: rip 0x%lx, address 0x%lx, error 0x%lx, rsp 0x%lx, rax 0x%lx",
          trap_name(frame->vector), frame->rip, address, frame->error, frame->rsp, frame->rax);
}

/* A ring-0 SIP called the kernel with too little stack left for it. */
void abi_stack_overflow(void) { sip_fault(ABI_TRAP_STACK, "stack overflow", 0, 0); }
