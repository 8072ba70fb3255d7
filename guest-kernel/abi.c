/*
 * The calls of the ABI. A ring-0 SIP gets here by a plain call through its gate, a ring-3 SIP by
 * `syscall`; both are checked alike. Structures are copied in before they are looked at.
 */
#include "calls.h"
#include "channel.h"
#include "compose.h"
#include "device.h"
#include "events.h"
#include "kernel.h"
#include "page.h"
#include "sip.h"

#define MAX_PRINT_BYTES 1024

/* Copies a name out of the SIP's memory and terminates it. */
static int64_t name_in(uint64_t address, uint64_t bytes, char name[PLAN_NAME_BYTES]) {
    if (bytes == 0 || bytes >= PLAN_NAME_BYTES)
        return ABI_EINVAL;
    if (!sip_may_read(sip_current(), address, bytes))
        return ABI_EFAULT;
    user_copy(name, (const void *)address, bytes);
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

int64_t abi_trap(uint64_t kind, uint64_t address, uint64_t c UNUSED, uint64_t d UNUSED) {
    static const char *const names[] = ABI_TRAP_NAMES;
    if (kind == 0 || kind >= ABI_TRAPS_OF_CODE)
        return ABI_EINVAL;
    /* The address is where the check failed, in the SIP's own words. */
    sip_fault((enum abi_trap)kind, names[kind], 0, address);
}

int64_t abi_exit(uint64_t status, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    sip_exit((int64_t)status);
}

int64_t abi_print(uint64_t text, uint64_t bytes, uint64_t c UNUSED, uint64_t d UNUSED) {
    if (bytes > MAX_PRINT_BYTES)
        return ABI_EINVAL;
    if (!sip_may_read(sip_current(), text, bytes))
        return ABI_EFAULT;
    char copy[MAX_PRINT_BYTES];
    user_copy(copy, (const void *)text, bytes);
    console_write(copy, bytes);
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
    if (string_equal(text, "free-pages"))
        return (int64_t)page_free_count();
    if (string_equal(text, "seed"))
        return (int64_t)kernel_plan->seed;
    if (string_equal(text, "idle"))
        return (int64_t)device_idle();
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
    user_copy((void *)to, events, sizeof events);
    return ABI_OK;
}

int64_t abi_report(uint64_t from, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct sip *sip = sip_current();
    struct abi_report report;
    if (!sip_may_read(sip, from, sizeof report))
        return ABI_EFAULT;
    user_copy(&report, (const void *)from, sizeof report);
    if (report.samples == 0 || report.samples > RESULT_MAX_SAMPLES ||
        report.overheads > RESULT_MAX_SAMPLES || report.batch == 0 ||
        (report.kind & ~RESULT_OUTSIDE) > RESULT_ROUND_TRIP || report.name[sizeof report.name - 1])
        return ABI_EINVAL;
    uint64_t bytes = sizeof(uint64_t) * (report.samples + report.overheads);
    if (!sip_may_read(sip, report.values, bytes))
        return ABI_EFAULT;
    if (sip->plan->rights & PLAN_MAY_FAULT)
        return ABI_EPERM; /* it is not trusted with the run's results */
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
    user_copy((uint8_t *)kernel_result + op->offset, (const void *)report.values, bytes);
    kernel_result->used += bytes;
    kernel_result->ops++;
    return ABI_OK;
}

int64_t abi_block_alloc(uint64_t bytes, uint64_t endpoint, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct sip *sip = sip_current();
    if (bytes > PLAN_MAX_MESSAGE_BYTES)
        return ABI_EINVAL;
    struct end *end = endpoint ? sip_end(sip, endpoint) : NULL;
    if (endpoint && !end)
        return ABI_EHANDLE;
    if (!sip->free_slot)
        return ABI_ENOMEM;
    uint64_t room = bytes + sizeof(struct abi_message);
    sip_quota_check(sip, room);
    block_t block = end ? channel_block(sip, end, room) : heap_alloc(sip->domain->heap, room);
    if (block == BLOCK_NONE)
        return ABI_ENOMEM;
    heap_zero(block, room);
    return sip_slot_take(sip, block, phys_address(heap_message(block)), heap_va(block),
                         (uint32_t)room);
}

int64_t abi_pages_alloc(uint64_t pages, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    return sip_pages_alloc(sip_current(), pages);
}

int64_t abi_block_free(uint64_t handle, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct sip *sip = sip_current();
    struct slot *slot = sip_slot(sip, handle);
    if (!slot)
        return ABI_EHANDLE;
    if (slot->block == BLOCK_NONE)
        sip_pages_free(sip, slot);
    else
        heap_free(slot->block);
    sip_slot_drop(sip, slot);
    return ABI_OK;
}

int64_t abi_wait(uint64_t endpoints, uint64_t count, uint64_t c UNUSED, uint64_t d UNUSED) {
    uint32_t list[SIP_ENDS];
    if (count == 0 || count > SIP_ENDS)
        return ABI_EINVAL;
    if (!sip_may_read(sip_current(), endpoints, count * sizeof list[0]))
        return ABI_EFAULT;
    user_copy(list, (const void *)endpoints, count * sizeof list[0]);
    return channel_wait(sip_current(), list, count);
}

int64_t abi_channel_create(uint64_t name, uint64_t bytes, uint64_t c UNUSED, uint64_t d UNUSED) {
    char text[PLAN_NAME_BYTES];
    int64_t error = name_in(name, bytes, text);
    return error ? error : channel_create_dynamic(sip_current(), text);
}

int64_t abi_close(uint64_t endpoint, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct end *end = sip_end(sip_current(), endpoint);
    if (!end)
        return ABI_EHANDLE;
    if (channel_has_waiter(end))
        return ABI_EINVAL; /* another thread waits there */
    channel_close(end);
    return ABI_OK;
}

int64_t abi_sip_create(uint64_t name, uint64_t bytes, uint64_t c UNUSED, uint64_t d UNUSED) {
    char text[PLAN_NAME_BYTES];
    int64_t error = name_in(name, bytes, text);
    return error ? error : sip_create(sip_current(), text);
}

int64_t abi_sip_give(uint64_t child, uint64_t endpoint, uint64_t name, uint64_t bytes) {
    char text[PLAN_NAME_BYTES];
    int64_t error = name_in(name, bytes, text);
    return error ? error : sip_give(sip_current(), child, endpoint, text);
}

int64_t abi_sip_start(uint64_t child, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    return sip_start(sip_current(), child);
}

int64_t abi_sip_wait(uint64_t child, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    return sip_wait(sip_current(), child);
}

int64_t abi_sip_kill(uint64_t child, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    return sip_kill(sip_current(), child);
}

#define MIN_STACK_BYTES 8192

int64_t abi_thread_create(uint64_t entry, uint64_t argument, uint64_t stack, uint64_t bytes) {
    struct sip *sip = sip_current();
    uint64_t top = (stack + bytes) & ~15ull;
    if (bytes < MIN_STACK_BYTES || stack % 16)
        return ABI_EINVAL;
    if (!sip_may_write(sip, stack, bytes) || !sip_may_read(sip, entry, 1))
        return ABI_EFAULT;
    struct thread *thread = thread_create(sip, entry, top, stack, argument);
    if (!thread)
        return ABI_ENOMEM;
    thread_ready(thread);
    return ABI_OK;
}

int64_t abi_thread_exit(uint64_t a UNUSED, uint64_t b UNUSED, uint64_t c UNUSED,
                        uint64_t d UNUSED) {
    if (!thread_current->sibling && sip_current()->threads == thread_current)
        sip_exit(0); /* it was the last one */
    thread_leave(thread_free);
}

int64_t abi_device(uint64_t part, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    return device_take(sip_current(), part);
}

int64_t abi_irq_wait(uint64_t source, uint64_t b UNUSED, uint64_t c UNUSED, uint64_t d UNUSED) {
    return device_wait(sip_current(), source);
}

int64_t abi_fail(uint64_t text, uint64_t bytes, uint64_t c UNUSED, uint64_t d UNUSED) {
    char why[160];
    if (bytes >= sizeof why)
        return ABI_EINVAL;
    if (!sip_may_read(sip_current(), text, bytes))
        return ABI_EFAULT;
    user_copy(why, (const void *)text, bytes);
    why[bytes] = 0;
    if (sip_current()->plan->rights & PLAN_MAY_FAULT)
        sip_fault(ABI_TRAP_UNREACHABLE, "failed", 0, 0);
    run_end(RESULT_FAILED, "SIP '%s': %s", sip_current()->plan->name, why);
}
