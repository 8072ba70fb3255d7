/*
 * What takes the host's place at the end of a run on a bare machine: a summary for the screen, and the
 * whole result as lines over the serial port, each numbered and with a checksum, so that what reads
 * them (vmm/metal_log.c) knows of each that is missing or damaged. docs/bare-metal.md has the format.
 */
#include "kernel.h"
#include "machine.h"
#include "multiboot.h"
#include "x86.h"

#define MARK "@bulkhead"
#define METAL_FORMAT 1u
#define LINE_BYTES 320
#define VALUES_IN_LINE 8
#define ABOUT_IN_LINE 72
#define AGAIN 'r'

static const char *const state_name[] = {"none", "running", "done", "failed", "unavailable"};
static const char *const kind_name[] = {"single", "one-way", "round-trip"};

/* ---- the lines ---- */

static uint32_t lines_total, lines_done, boot_tag;
static bool counting; /* the lines are only counted: each tells how many there are */

static const uint64_t *op_values(const struct result_op *op) {
    return (const void *)((const char *)kernel_result + op->offset);
}

static void line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void line(const char *format, ...) {
    char text[LINE_BYTES];
    if (counting) {
        lines_total++;
        return;
    }
    format_text(text, sizeof text, MARK " %08x %u/%u ", boot_tag, ++lines_done, lines_total);
    size_t length = strlen(text);
    va_list list;
    va_start(list, format);
    format_list(text + length, sizeof text - length - sizeof " #00000000\n", format, list);
    va_end(list);
    for (length = 0; text[length]; length++)
        if (text[length] < ' ' || text[length] > '~')
            text[length] = '?'; /* in what a SIP said of itself */
    format_text(text + length, sizeof text - length, " #%08x\n", plan_crc32(0, text, length));
    console_port_write(text, strlen(text));
}

static void line_text(const char *kind, const char *text) {
    if (text[0])
        line("%s %s", kind, text);
}

static void lines_numbers(const char *kind, const uint64_t *value, uint32_t count,
                          uint32_t in_line) {
    for (uint32_t at = 0; at < count; at += in_line) {
        char text[LINE_BYTES];
        size_t length = 0;
        for (uint32_t i = at; i < count && i < at + in_line; i++) {
            format_text(text + length, sizeof text - length, " %lx", value[i]);
            length += strlen(text + length);
        }
        line("%s%s", kind, text);
    }
}

static void lines_machine(void) {
    line_text("loader", multiboot_machine.loader);
    line_text("firmware", multiboot_machine.firmware);
    line_text("vendor", machine.vendor);
    line_text("brand", machine.brand);
    line_text("hypervisor", machine.hypervisor);
    line("cpu %u %u %u %lx %s", machine.family, machine.model, machine.stepping, machine.microcode,
         machine.steady_clock ? "steady" : "varying");
    lines_numbers(machine.counts ? "counter" : "clock", machine.clock, MACHINE_CLOCKS,
                  MACHINE_CLOCKS);
}

/* What the host wants to know again when it reads the lines: text, or it would not fit into them. */
static void lines_about(void) {
    char text[ABOUT_IN_LINE + 1];
    uint32_t bytes = multiboot_machine.about_bytes;
    for (uint32_t at = 0; at < bytes; at += ABOUT_IN_LINE) {
        uint32_t length = bytes - at < ABOUT_IN_LINE ? bytes - at : ABOUT_IN_LINE;
        memcpy(text, multiboot_machine.about + at, length);
        text[length] = 0;
        line("about %s", text);
    }
}

static void lines_result(void) {
    const struct result_header *result = kernel_result;
    line("features %x %lx", result->cpu_features, result->simulated);
    for (uint32_t i = 0; i < result->sip_reports; i++) {
        const struct result_sip *sip = &result->sip[i];
        line("sip %s %lx %lx %s %s", sip->sip, sip->address, sip->rip,
             sip->function[0] ? sip->function : "-", sip->kind);
    }
    for (uint32_t i = 0; i < result->ops; i++) {
        const struct result_op *op = &result->op[i];
        line("op %s %s %u %u %u %lu %lx", op->name, kind_name[op->kind & ~RESULT_OUTSIDE],
             op->batch, op->samples, op->overheads, op->operations, op->oracle);
        lines_numbers("events", op->events, RESULT_EVENTS_NAMED, RESULT_EVENTS_NAMED);
        lines_numbers("values", op_values(op), op->samples + op->overheads, VALUES_IN_LINE);
    }
}

static void lines_all(enum result_state state, const char *message) {
    line("format %u", METAL_FORMAT);
    lines_machine();
    lines_about();
    line("state %s", state_name[state]);
    line_text("message", message);
    if (kernel_result)
        lines_result();
    line("end");
}

static enum result_state end_state;
static char end_message[sizeof kernel_result->message];

static void lines_send(void) {
    lines_done = 0;
    console_port_write("\n", 1); /* whatever was printed last: a line begins here */
    lines_all(end_state, end_message);
}

/* ---- the summary ---- */

/* The value that would be the middle one, if they were sorted. */
static uint64_t median(const uint64_t *value, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t below = 0, equal = 0;
        for (uint32_t j = 0; j < count; j++) {
            below += value[j] < value[i];
            equal += value[j] == value[i];
        }
        if (below <= count / 2 && count / 2 < below + equal)
            return value[i];
    }
    return 0;
}

static void summary_op(const struct result_op *op) {
    const uint64_t *value = op_values(op);
    uint64_t taken = median(value, op->samples);
    uint64_t empty = median(value + op->samples, op->overheads);
    uint64_t tenths = taken > empty ? (taken - empty) * 10 / op->batch : 0;
    console_print("  %s %s: %lu.%lu %s\n", op->name, kind_name[op->kind & ~RESULT_OUTSIDE],
                  tenths / 10, tenths % 10, machine_unit());
}

static void summary(void) {
    if (kernel_plan)
        console_print("bulkhead: %s, %s: %s\n", kernel_plan->layout, kernel_plan->workload,
                      state_name[end_state]);
    if (end_state != RESULT_DONE)
        console_print("bulkhead: %s\n", end_message[0] ? end_message : "no reason given");
    console_print("bulkhead: %s, family %u, model %u, stepping %u, microcode 0x%lx\n",
                  machine.brand[0] ? machine.brand : machine.vendor, machine.family, machine.model,
                  machine.stepping, machine.microcode);
    if (machine.counts)
        console_print("bulkhead: this is an emulator: its clock counts instructions, not time\n");
    else if (machine.hypervisor[0])
        console_print("bulkhead: this is no bare machine: a hypervisor shows itself, %s\n",
                      machine.hypervisor);
    for (uint32_t i = 0; kernel_result && end_state == RESULT_DONE && i < kernel_result->ops; i++)
        summary_op(&kernel_result->op[i]);
}

void metal_report(enum result_state state, const char *message) {
    end_state = state;
    memcpy(end_message, message, sizeof end_message);
    boot_tag = (uint32_t)x86_clock() ^ (kernel_plan ? kernel_plan->checksum : 0);
    lines_total = 0;
    counting = true;
    lines_all(state, end_message);
    counting = false;
    summary();
    if (console_has_port())
        console_print("bulkhead: %u lines of results follow on the serial port\n", lines_total);
    else
        console_print("bulkhead: there is no serial port at 0x%x to take the results\n",
                      PORT_CONSOLE);
    lines_send();
    console_print("bulkhead: the end; the machine can be switched off\n");
    if (console_has_port())
        console_print("bulkhead: send it an r over the serial port to have the lines once more\n");
}

void metal_halt(void) {
    while (console_has_port()) {
        if (console_port_read() == AGAIN)
            lines_send();
        __asm__ volatile("pause");
    }
    for (;;)
        __asm__ volatile("cli; hlt");
}
