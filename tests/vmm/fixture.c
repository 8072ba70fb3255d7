/*
 * The fixture guest: stands in for the guest kernel where tests need one that ends in a given way.
 * It reads nothing of its plan but the seed and the layout's name.
 */
#include "fixture.h"
#include "domain-config/plan.h"
#include "guest-kernel/mechanisms.h"
#include "guest-kernel/result.h"

struct start_info { /* hvm_start_info, as far as it is read here */
    uint32_t magic, version, flags, modules;
    uint64_t modlist;
};

static void port_write8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void port_write16(uint16_t port, uint16_t value) {
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t port_read8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void port_write32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static void print(const char *text) {
    while (*text) {
        port_write8(PORT_CONSOLE, (uint8_t)*text++);
        while (!(port_read8(PORT_CONSOLE + 5) & 0x40)) /* line status: not yet sent */
            ;
    }
}

static void copy(char *to, const char *from) {
    while ((*to++ = *from++))
        ;
}

__attribute__((noreturn)) static void finish(void) {
    port_write32(PORT_EXIT, 1);
    port_write16(PORT_BOCHS, BOCHS_OPEN);
    port_write16(PORT_BOCHS, BOCHS_STOP);
    for (;;)
        __asm__ volatile("hlt");
}

static void measurement_write(struct result_header *result, uint64_t mode, uint64_t oracle) {
    struct result_op *op = &result->op[0];
    uint64_t *values = (uint64_t *)(result + 1);
    copy(op->name, "fixture");
    op->kind = RESULT_ROUND_TRIP;
    op->batch = FIXTURE_BATCH;
    op->samples = FIXTURE_SAMPLES;
    op->overheads = 2;
    op->offset = sizeof(*result);
    op->operations = FIXTURE_SAMPLES * FIXTURE_BATCH;
    op->events[EVENT_RING_CROSSINGS] = 2 * op->operations;
    op->oracle = oracle;
    for (unsigned i = 0; i < FIXTURE_SAMPLES; i++)
        values[i] = FIXTURE_RAW;
    values[FIXTURE_SAMPLES] = FIXTURE_OVERHEAD;
    values[FIXTURE_SAMPLES + 1] = FIXTURE_OVERHEAD + (mode == FIXTURE_UNSTABLE);
    result->ops = 1;
    result->used = sizeof(*result) + (FIXTURE_SAMPLES + 2) * sizeof(uint64_t);
    if (mode == FIXTURE_GARBAGE)
        op->offset = 0xfffffffffffffff8;
}

static void failure_write(struct result_header *result) {
    copy(result->message, "the fixture was told to fail");
    result->sip_reports = 1;
    copy(result->sip[0].sip, "client");
    copy(result->sip[0].kind, "page fault");
    result->sip[0].address = 0xdead;
    result->state = RESULT_FAILED;
}

void fixture_main(const struct start_info *start);
void fixture_main(const struct start_info *start) {
    const uint64_t *module = (const uint64_t *)start->modlist;
    const struct plan_header *plan = (const struct plan_header *)module[0];
    struct result_header *result = (struct result_header *)RESULT_PA;
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) no_idt = {0, 0};

    if (plan->seed == FIXTURE_NO_RESULT)
        finish();
    port_write32(PORT_DOORBELL, PHASE_SIPS);
    print("the fixture runs\n");
    result->version = RESULT_VERSION;
    result->used = sizeof(*result);
    result->state = RESULT_RUNNING;
    result->page_bits = 12;
    result->cpu_features = FIXTURE_FEATURES;
    result->magic = RESULT_MAGIC;
    switch (plan->seed) {
    case FIXTURE_FAILED:
        failure_write(result);
        finish();
    case FIXTURE_UNAVAILABLE:
        copy(result->message, "the CPU has no PCID");
        result->state = RESULT_UNAVAILABLE;
        finish();
    case FIXTURE_LACKING:
        if (!(plan->flags & PLAN_SIMULATE)) {
            copy(result->message, "needs PCID, PKU");
            result->state = RESULT_UNAVAILABLE;
            finish();
        }
        __attribute__((fallthrough));
    case FIXTURE_SIMULATING:
        result->simulated = MECHANISM(PCID) | MECHANISM(PKU);
        break;
    case FIXTURE_BAD_MASK:
        result->simulated = 1ull << MECHANISM_COUNT;
        break;
    case FIXTURE_RUNNING:
        finish();
    case FIXTURE_HANG:
        for (;;)
            __asm__ volatile("pause");
    case FIXTURE_FLOOD:
        for (;;)
            print("drip ");
    case FIXTURE_STRAY:
        (void)*(volatile uint32_t *)0x3ff00000;
        finish();
    case FIXTURE_TRIPLE_FAULT:
        __asm__ volatile("lidt %0\n\tud2" : : "m"(no_idt));
        finish();
    }
    measurement_write(result, plan->seed,
                      plan->seed == FIXTURE_WRONG_ANSWER ? (uint8_t)plan->layout[0]
                      : plan->seed == FIXTURE_NO_ANSWER  ? 0
                                                         : 42);
    result->state = RESULT_DONE;
    finish();
}
