/*
 * Measures the primitives of primitives.h for a SIP with the right to it. Each is a loop of assembly, so
 * that nothing but the primitive differs from the loop that is subtracted, in a machine state of its own:
 * an address space with nothing in the lower half but what is needed, interrupts and all optional bits of
 * CR4 off, and entries of its own for system calls and traps. Then everything is as it was.
 */
#include "calls.h"
#include "compose.h"
#include "kernel.h"
#include "offsets.h"
#include "page.h"
#include "primitives.h"
#include "sip.h"
#include "x86.h"

#define CODE_VA 0x8000000000  /* of code in ring 3: a page */
#define CODE_EMPTY 2048       /* where in it the loop without the primitive begins */
#define PAGES_VA 0x8000200000 /* of the pages to touch, */
#define PAGES 64              /* so many */
#define VECTOR_FAULT 14
#define VECTOR_NOTHING 45 /* to a handler that returns */
#define VECTOR_BACK 46    /* from ring 3 for good */
#define OTHER_TAG 5
#define FAULT_BYTES 3 /* of the instruction that faults */
#define COPY_BYTES 4096

#define TEXT(x) OFFSET_TEXT(x)

/* ---- loops ---- */

#define CLOCK "lfence\n rdtsc\n lfence\n shl $32, %rdx\n or %rdx, %rax\n"
/* r15: runs; returns the time in rax. r12 and r15 are its own, and only rsp need be as before. */
#define LOOP(before, code)                                                                         \
    CLOCK "mov %rax, %r12\n" before "\n"                                                           \
          "1: " code "\n"                                                                          \
          "dec %r15\n jnz 1b\n" CLOCK "sub %r12, %rax\n"
#define SAVE "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
#define LOAD "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"

#ifdef KERNEL_IBT
#define ENDBR "endbr64\n"
#else
#define ENDBR ""
#endif

/* uint64_t calibrate_NAME(uint64_t runs), and the same with `without` for `code`. */
#define RING0(name, before, code, without)                                                         \
    __asm__(".text\n .p2align 6\n"                                                                 \
            "calibrate_" #name ":\n" ENDBR SAVE "mov %rdi, %r15\n" LOOP(before, code) LOAD         \
            ".p2align 6\n"                                                                         \
            "calibrate_" #name "_empty:\n" ENDBR SAVE "mov %rdi, %r15\n" LOOP(before, without)     \
                LOAD);                                                                             \
    uint64_t calibrate_##name(uint64_t runs), calibrate_##name##_empty(uint64_t runs)

/* The same as code to be copied to where ring 3 can run it. */
#define RING3(name, before, code, without)                                                         \
    FRAGMENT(name, LOOP(before, code) "int $" TEXT(VECTOR_BACK));                                  \
    FRAGMENT(name##_empty, LOOP(before, without) "int $" TEXT(VECTOR_BACK))

#define RSB_FILL                                                                                   \
    "mov $16, %ecx\n"                                                                              \
    "2: call 3f\n int3\n"                                                                          \
    "3: call 4f\n int3\n"                                                                          \
    "4: add $16, %rsp\n dec %ecx\n jnz 2b\n lfence"
#define TOUCH                                                                                      \
    "mov %r13, %rsi\n mov $" TEXT(                                                                 \
        PAGES) ", %ecx\n"                                                                          \
               "2: mov (%rsi), %rdi\n add $4096, %rsi\n dec %ecx\n jnz 2b"
#define MSR(number) "mov $" number ", %ecx\n rdmsr"
#define COMMAND(number) "mov $" number ", %ecx\n mov $1, %eax\n xor %edx, %edx"
#define COPY_SETUP(count) "mov %r13, %rsi\n mov %r14, %rdi\n mov $" count ", %ecx\n"
#define COPY(name, count, instruction)                                                             \
    RING0(name, "mov $calibrate_from, %r13\n mov $calibrate_to, %r14",                             \
          COPY_SETUP(count) instruction, COPY_SETUP(count))
#define FAULT_BEFORE "xor %r8d, %r8d"
#define FAULT "mov (%r8), %r9" /* FAULT_BYTES */
#define NOTHING "int $" TEXT(VECTOR_NOTHING)

extern uint8_t calibrate_from[COPY_BYTES], calibrate_to[COPY_BYTES], calibrate_registers[FPU_BYTES];
uint8_t calibrate_from[COPY_BYTES] __attribute__((aligned(4096)));
uint8_t calibrate_to[COPY_BYTES] __attribute__((aligned(4096)));
uint8_t calibrate_registers[FPU_BYTES] __attribute__((aligned(16)));
extern const uint64_t calibrate_descriptor[2];
const uint64_t calibrate_descriptor[2] = {OTHER_TAG, PAGES_VA};

RING0(clock, "", "lfence\n rdtsc\n lfence", "");
RING0(cr3, "mov %cr3, %r14", "mov %r14, %cr3", "");
RING0(cr3_keep, "mov %cr3, %r14\n bts $63, %r14", "mov %r14, %cr3", "");
RING0(invlpg, "movabs $" TEXT(PAGES_VA) ", %r13", "invlpg (%r13)", "");
RING0(invpcid_page, "xor %r13d, %r13d", "invpcid calibrate_descriptor, %r13", "");
RING0(invpcid_tag, "mov $1, %r13d", "invpcid calibrate_descriptor, %r13", "");
RING0(refill, "mov %cr3, %r14\n movabs $" TEXT(PAGES_VA) ", %r13", "mov %r14, %cr3\n" TOUCH, TOUCH);
RING0(wrpkru, "xor %ecx, %ecx\n rdpkru", "wrpkru", "");
RING0(rdpkru, "xor %ecx, %ecx", "rdpkru", "");
RING0(swapgs, "", "swapgs\n swapgs", "");
RING0(fault, FAULT_BEFORE, FAULT, "");
RING0(nothing, "", NOTHING, "");
RING0(port, "mov $0x80, %edx\n xor %eax, %eax", "outb %al, %dx", "");
RING0(cpuid, "", "xor %eax, %eax\n cpuid", "xor %eax, %eax");
RING0(ibpb, COMMAND("0x49"), "wrmsr", "");
RING0(l1d_flush, COMMAND("0x10b"), "wrmsr", "");
RING0(buffer_clear, "", "verw cpu + " TEXT(CPU_SELECTOR), "");
RING0(rsb_fill, "", RSB_FILL, "");
RING0(fxsave, "", "fxsave64 calibrate_registers\n fxrstor64 calibrate_registers", "");
RING0(cr0_ts, "mov %cr0, %r14\n mov %r14, %r13\n or $8, %r13", "mov %r13, %cr0\n mov %r14, %cr0",
      "");
RING0(stac_clac, "", "stac\n clac", "");
RING0(sti_cli, "", "sti\n cli", ""); /* STI takes effect after the next instruction */
RING0(rdmsr_lstar, MSR("0xc0000082"), "rdmsr", "");
RING0(wrmsr_lstar, MSR("0xc0000082"), "wrmsr", "");
RING0(rdmsr_ssp, MSR("0x6a7"), "rdmsr", "");
RING0(wrmsr_ssp, MSR("0x6a7"), "wrmsr", "");
COPY(copy_1k, "1024", "rep movsb");
COPY(copy_4k, "4096", "rep movsb");
COPY(copy_4k_words, "512", "rep movsq");
RING3(ring3_syscall, "", "syscall", "");
RING3(ring3_fault, FAULT_BEFORE, FAULT, "");
RING3(ring3_nothing, "", NOTHING, "");

/* The compiler's way to call by a pointer, which is not the same in all kernels. */
extern const abi_function abi_gates[]; /* entry.S */

static uint64_t calibrate_gate(uint64_t runs) {
    uint64_t start = x86_clock();
    for (; runs; runs--)
        abi_gates[ABI_self](0, 0, 0, 0);
    return x86_clock() - start;
}
static uint64_t calibrate_gate_empty(uint64_t runs) {
    uint64_t start = x86_clock();
    for (; runs; runs--)
        __asm__ volatile("" ::: "memory");
    return x86_clock() - start;
}

/* ---- ways to ring 3 and back, and a stack that every space maps ---- */

__asm__(
    ".text\n .p2align 4\n"
    "calibrate_ring3:\n" /* rdi: runs, rsi: where */
    SAVE "mov %rsp, ring3_stack\n mov %rdi, %r15\n"
    "push $" TEXT(
        SELECTOR_UDATA) " + 3\n push $0\n push $2\n"
                        "push $" TEXT(
                            SELECTOR_UCODE) " + 3\n push %rsi\n iretq\n"
                                            ".p2align 4\n"
                                            "calibrate_back:\n"
                                            "mov ring3_stack, %rsp\n mov $" TEXT(
                                                SELECTOR_KDATA) ", %ecx\n mov %ecx, %ss\n" LOAD
                                                                ".p2align 4\n"
                                                                "calibrate_sysret: sysretq\n"
                                                                ".p2align 4\n"
                                                                "calibrate_iret: iretq\n"
                                                                ".p2align 4\n"
                                                                "calibrate_skip: addq $" TEXT(
                                                                    FAULT_BYTES) ", 8(%rsp)\n add "
                                                                                 "$8, %rsp\n "
                                                                                 "iretq\n"
                                                                                 ".p2align 4\n"
                                                                                 "calibrate_on_"
                                                                                 "stack:\n"
                                                                                 "push %rbx\n mov "
                                                                                 "%rsp, %rbx\n mov "
                                                                                 "$calibrate_stack_"
                                                                                 "top, %rsp\n call "
                                                                                 "calibrate_all_"
                                                                                 "loops\n"
                                                                                 "mov %rbx, %rsp\n "
                                                                                 "pop %rbx\n ret\n"
                                                                                 ".local "
                                                                                 "ring3_stack\n "
                                                                                 ".comm "
                                                                                 "ring3_stack, 8, "
                                                                                 "8\n"
                                                                                 ".bss\n .balign "
                                                                                 "16\n .skip "
                                                                                 "8192\n "
                                                                                 "calibrate_stack_"
                                                                                 "top:\n .text\n");
uint64_t calibrate_ring3(uint64_t runs, uint64_t where);
void calibrate_on_stack(void);
void calibrate_all_loops(void); /* called by it */
extern const uint8_t calibrate_back[], calibrate_sysret[], calibrate_iret[], calibrate_skip[];

/* ---- the table ---- */

static const struct method {
    uint64_t (*with)(uint64_t runs), (*without)(uint64_t runs);
    const struct fragment *code, *code_empty; /* of ring 3, when there is no function */
    uint64_t cr4;                             /* bits that it needs */
} methods[PRIMITIVE_COUNT] = {
#define AT(id, name) [PRIMITIVE_##id] = {calibrate_##name, calibrate_##name##_empty, NULL, NULL, 0}
#define AT_CR4(id, name, bits)                                                                     \
    [PRIMITIVE_##id] = {calibrate_##name, calibrate_##name##_empty, NULL, NULL, bits}
#define AT_RING3(id, name) [PRIMITIVE_##id] = {NULL, NULL, &name, &name##_empty, 0}
    AT(CLOCK, clock),
    AT_RING3(SYSCALL, ring3_syscall),
    AT(GATE_CALL, gate),
    AT(CR3_FLUSH, cr3),
    AT_CR4(CR3_FLUSH_TAG, cr3, CR4_PCIDE),
    AT_CR4(CR3_KEEP, cr3_keep, CR4_PCIDE),
    AT(INVLPG, invlpg),
    AT_CR4(INVPCID_PAGE, invpcid_page, CR4_PCIDE),
    AT_CR4(INVPCID_TAG, invpcid_tag, CR4_PCIDE),
    AT(REFILL_64, refill),
    AT_CR4(WRPKRU, wrpkru, CR4_PKE),
    AT_CR4(RDPKRU, rdpkru, CR4_PKE),
    AT(SWAPGS_PAIR, swapgs),
    AT_RING3(PAGE_FAULT_RING3, ring3_fault),
    AT(PAGE_FAULT_RING0, fault),
    AT_RING3(INTERRUPT_RING3, ring3_nothing),
    AT(INTERRUPT_RING0, nothing),
    AT(PORT_EXIT, port),
    AT(CPUID, cpuid),
    AT(IBPB, ibpb),
    AT(L1D_FLUSH, l1d_flush),
    AT(BUFFER_CLEAR, buffer_clear),
    AT(RSB_FILL, rsb_fill),
    AT_CR4(FXSAVE_FXRSTOR, fxsave, CR4_OSFXSR),
    AT(CR0_TS, cr0_ts),
    AT_CR4(STAC_CLAC, stac_clac, CR4_SMAP),
    AT(STI_CLI, sti_cli),
    AT(RDMSR_LSTAR, rdmsr_lstar),
    AT(WRMSR_LSTAR, wrmsr_lstar),
    AT(RDMSR_SSP, rdmsr_ssp),
    AT(WRMSR_SSP, wrmsr_ssp),
    AT(COPY_1K, copy_1k),
    AT(COPY_4K, copy_4k),
    AT(COPY_4K_WORDS, copy_4k_words),
};
static const struct primitive_row rows[PRIMITIVE_COUNT] = PRIMITIVE_ROWS;

/* ---- the machine's state ---- */

#define CR4_OFF                                                                                    \
    (CR4_PGE | CR4_UMIP | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_CET | CR4_OSFXSR)
#define GATE_RING3 0xee /* an interrupt gate that ring 3 may use */

struct gate_words { /* Intel SDM 3A 6.14.1 */
    uint64_t low, high;
};
struct idt_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

struct state {
    uint64_t flags, cr0, cr3, cr4, lstar, kernel_root, user_root;
    struct gate_words fault, nothing, back;
};

static struct gate_words *idt_entry(uint32_t vector) {
    struct idt_pointer pointer;
    __asm__ volatile("sidt %0" : "=m"(pointer));
    return (struct gate_words *)pointer.base + vector;
}

static void gate_replace(uint32_t vector, const uint8_t *handler, struct gate_words *old) {
    struct gate_words *gate = idt_entry(vector);
    uint64_t to = (uint64_t)handler;
    *old = *gate;
    *gate = (struct gate_words){(to & 0xffff) | SELECTOR_KCODE << 16 | 1ull << 32 |
                                    (uint64_t)GATE_RING3 << 40 | (to >> 16 & 0xffff) << 48,
                                to >> 32}; /* on the stack IST 1, as other traps */
}

static void state_enter(struct state *old, const struct space *space, uint64_t cr4) {
    __asm__ volatile("pushfq; popq %0; cli; cld" : "=r"(old->flags)::"memory");
    old->cr0 = x86_read_cr0();
    old->cr3 = x86_read_cr3();
    old->cr4 = x86_read_cr4();
    old->lstar = x86_read_msr(MSR_LSTAR);
    old->kernel_root = cpu.kernel_root;
    old->user_root = cpu.user_root;
    cpu.kernel_root = cpu.user_root = space->root;
    x86_write_cr3(space->root);
    x86_write_cr4((old->cr4 & ~(uint64_t)CR4_OFF) | cr4);
    x86_write_cr0((old->cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP);
    x86_write_msr(MSR_LSTAR, (uint64_t)calibrate_sysret);
    gate_replace(VECTOR_FAULT, calibrate_skip, &old->fault);
    gate_replace(VECTOR_NOTHING, calibrate_iret, &old->nothing);
    gate_replace(VECTOR_BACK, calibrate_back, &old->back);
}

static void state_leave(const struct state *old) {
    *idt_entry(VECTOR_FAULT) = old->fault;
    *idt_entry(VECTOR_NOTHING) = old->nothing;
    *idt_entry(VECTOR_BACK) = old->back;
    x86_write_msr(MSR_LSTAR, old->lstar);
    x86_write_cr0(old->cr0);
    x86_write_cr4(old->cr4); /* the current tag is 0, as it must be when tags go on */
    x86_write_cr3(old->cr3);
    cpu.kernel_root = old->kernel_root;
    cpu.user_root = old->user_root;
    x86_write_cr4(old->cr4 ^ CR4_PGE); /* forgets everything, whatever its tag */
    x86_write_cr4(old->cr4);
    __asm__ volatile("pushq %0; popfq" ::"r"(old->flags) : "memory", "cc");
}

/* ---- one measurement ---- */

static struct {
    const struct method *method;
    struct space space;
    uint64_t page; /* physical: ring 3's code, and what is touched */
    struct result_op *op;
} now;

static uint64_t loop_run(bool empty, uint64_t runs) {
    const struct method *method = now.method;
    if (method->with)
        return (empty ? method->without : method->with)(runs);
    return calibrate_ring3(runs, CODE_VA + (empty ? CODE_EMPTY : 0));
}

void calibrate_all_loops(void) {
    uint64_t *value = (void *)((uint8_t *)kernel_result + now.op->offset);
    struct state state;
    state_enter(&state, &now.space, now.method->cr4);
    for (uint32_t empty = 0; empty < 2; empty++) {
        if (kernel_plan->warmup)
            loop_run(empty, kernel_plan->warmup);
        for (uint32_t i = 0; i < now.op->samples; i++)
            *value++ = loop_run(empty, now.op->batch);
    }
    state_leave(&state);
}

static void code_place(const struct fragment *code, uint64_t offset) {
    uint64_t bytes = (uint64_t)(code->end - code->start);
    ASSERT(bytes <= CODE_EMPTY);
    memcpy((uint8_t *)phys_pointer(now.page) + offset, code->start, bytes);
}

static bool space_make(void) {
    now.page = page_alloc_zeroed();
    if (now.page == PAGE_NONE)
        return false;
    if (!space_create(&now.space, false)) {
        page_free(now.page);
        now.page = PAGE_NONE;
        return false;
    }
    bool mapped = space_map(&now.space, CODE_VA, now.page, PAGE_BYTES, PLAN_PAGES_4K,
                            SPACE_USER | SPACE_EXECUTE);
    for (uint64_t i = 0; mapped && i < PAGES; i++)
        mapped = space_map(&now.space, PAGES_VA + i * PAGE_BYTES, now.page, PAGE_BYTES,
                           PLAN_PAGES_4K, 0);
    if (mapped && now.method->code) {
        code_place(now.method->code, 0);
        code_place(now.method->code_empty, CODE_EMPTY);
    }
    return mapped;
}

static void space_drop(void) {
    space_destroy(&now.space);
    page_free(now.page);
}

int64_t abi_calibrate(uint64_t primitive, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    uint32_t rights = sip_current()->plan->rights;
    if (!(rights & PLAN_RIGHT_CALIBRATE) || rights & PLAN_MAY_FAULT)
        return ABI_EPERM; /* the latter is not trusted with the run's results */
    if (primitive >= PRIMITIVE_COUNT)
        return ABI_ENOENT;
    uint32_t samples = kernel_plan->samples, batch = kernel_plan->batch;
    uint64_t bytes = sizeof(uint64_t) * 2 * samples;
    if (samples == 0 || samples > RESULT_MAX_SAMPLES || batch == 0)
        return ABI_EINVAL;
    if (kernel_result->ops == RESULT_MAX_OPS ||
        bytes > kernel_plan->result_bytes - kernel_result->used)
        return ABI_ENOMEM;
    const struct primitive_row *row = &rows[primitive];
    struct result_op *op = &kernel_result->op[kernel_result->ops];
    *op = (struct result_op){.kind = RESULT_SINGLE, .batch = batch, .operations = batch};
    op->offset = kernel_result->used;
    format_text(op->name, sizeof op->name, "%s", row->name);
    if (!cpu_has(row->features)) {
        op->oracle = row->features & ~kernel_result->cpu_features;
    } else {
        op->samples = op->overheads = samples;
        now.method = &methods[primitive];
        now.op = op;
        bool made = space_make();
        if (made)
            calibrate_on_stack();
        if (now.page != PAGE_NONE)
            space_drop();
        if (!made)
            return ABI_ENOMEM;
        kernel_result->used += bytes;
    }
    kernel_result->ops++;
    return ABI_OK;
}
