/*
 * The calls of the ABI. A ring-0 SIP gets here by a plain call through its gate, a ring-3 SIP by
 * `syscall`; both are checked alike. Structures are copied in before they are looked at.
 */
#include "calls.h"
#include "channel.h"
#include "events.h"
#include "kernel.h"
#include "sip.h"

#define MAX_PRINT_BYTES 1024

/* Copies a name out of the SIP's memory and terminates it. */
static int64_t name_in(uint64_t address, uint64_t bytes, char name[PLAN_NAME_BYTES]) {
    if (bytes == 0 || bytes >= PLAN_NAME_BYTES)
        return ABI_EINVAL;
    if (!sip_may_read(sip_current(), address, bytes))
        return ABI_EFAULT;
    memcpy(name, (const void *)address, bytes);
    name[bytes] = 0;
    return ABI_OK;
}

int64_t abi_self(uint64_t a UNUSED, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    return sip_current()->number;
}

int64_t abi_yield(uint64_t a UNUSED, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    thread_yield();
    return ABI_OK;
}

int64_t abi_exit(uint64_t status, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    sip_exit((int64_t)status);
}

int64_t abi_print(uint64_t text, uint64_t bytes, uint64_t c UNUSED, uint64_t d UNUSED) {
    if (bytes > MAX_PRINT_BYTES)
        return ABI_EINVAL;
    if (!sip_may_read(sip_current(), text, bytes))
        return ABI_EFAULT;
    console_write((const char *)text, bytes);
    return ABI_OK;
}

int64_t abi_param(uint64_t name, uint64_t bytes, uint64_t fallback, uint64_t d UNUSED) {
    char text[PLAN_NAME_BYTES];
    int64_t error = name_in(name, bytes, text);
    if (error)
        return error;
    const struct plan_param *param = plan_at(kernel_plan, kernel_plan->params);
    for (uint32_t i = 0; i < kernel_plan->params.count; i++)
        if (string_equal(param[i].name, text))
            return param[i].value;
    if (string_equal(text, "warmup"))
        return kernel_plan->warmup;
    if (string_equal(text, "batch"))
        return kernel_plan->batch;
    if (string_equal(text, "samples"))
        return kernel_plan->samples;
    if (string_equal(text, "seed"))
        return (int64_t)kernel_plan->seed;
    return (int64_t)fallback;
}

int64_t abi_endpoint(uint64_t name, uint64_t bytes, uint64_t c UNUSED, uint64_t d UNUSED) {
    char text[PLAN_NAME_BYTES];
    int64_t error = name_in(name, bytes, text);
    if (error)
        return error;
    uint32_t endpoint = channel_endpoint(sip_current(), text);
    return endpoint ? (int64_t)endpoint : ABI_ENOENT;
}

int64_t abi_events(uint64_t to, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    _Static_assert(sizeof(struct abi_events) == sizeof events, "one counter for each event");
    if (!sip_may_write(sip_current(), to, sizeof events))
        return ABI_EFAULT;
    memcpy((void *)to, events, sizeof events);
    return ABI_OK;
}

int64_t abi_report(uint64_t from, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct sip *sip = sip_current();
    struct abi_report report;
    if (!sip_may_read(sip, from, sizeof report))
        return ABI_EFAULT;
    memcpy(&report, (const void *)from, sizeof report);
    if (report.samples == 0 || report.samples > RESULT_MAX_SAMPLES ||
        report.overheads > RESULT_MAX_SAMPLES || report.batch == 0 ||
        report.kind > RESULT_ROUND_TRIP || report.name[sizeof report.name - 1])
        return ABI_EINVAL;
    uint64_t bytes = sizeof(uint64_t) * (report.samples + report.overheads);
    if (!sip_may_read(sip, report.values, bytes))
        return ABI_EFAULT;
    if (kernel_result->ops == RESULT_MAX_OPS ||
        bytes > kernel_plan->result_bytes - kernel_result->used)
        return ABI_ENOMEM;
    struct result_op *op = &kernel_result->op[kernel_result->ops];
    _Static_assert(sizeof op->name == sizeof report.name, "names fit");
    memcpy(op->name, report.name, sizeof op->name);
    op->kind = report.kind;
    op->batch = report.batch;
    op->samples = report.samples;
    op->overheads = report.overheads;
    op->offset = kernel_result->used;
    op->operations = report.operations;
    op->oracle = report.oracle;
    memcpy(op->events, report.events, sizeof op->events);
    memcpy((uint8_t *)kernel_result + op->offset, (const void *)report.values, bytes);
    kernel_result->used += bytes;
    kernel_result->ops++;
    return ABI_OK;
}

int64_t abi_block_alloc(uint64_t bytes, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct sip *sip = sip_current();
    if (bytes > PLAN_MAX_MESSAGE_BYTES)
        return ABI_EINVAL;
    if (!sip->free_slot)
        return ABI_ENOMEM;
    uint64_t room = bytes + sizeof(struct abi_message);
    block_t block = heap_alloc(sip->domain->heap, room);
    if (block == BLOCK_NONE)
        return ABI_ENOMEM;
    heap_zero(block, room);
    return sip_slot_take(sip, block, heap_message(block), heap_va(block), (uint32_t)room);
}

int64_t abi_block_free(uint64_t handle, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct sip *sip = sip_current();
    struct slot *slot = sip_slot(sip, handle);
    if (!slot)
        return ABI_EHANDLE;
    heap_free(slot->block);
    sip_slot_drop(sip, slot);
    return ABI_OK;
}

int64_t abi_fail(uint64_t text, uint64_t bytes, uint64_t c UNUSED, uint64_t d UNUSED) {
    char why[160];
    if (bytes >= sizeof why)
        return ABI_EINVAL;
    if (!sip_may_read(sip_current(), text, bytes))
        return ABI_EFAULT;
    memcpy(why, (const void *)text, bytes);
    why[bytes] = 0;
    run_end(RESULT_FAILED, "SIP '%s': %s", sip_current()->plan->name, why);
}
