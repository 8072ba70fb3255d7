/* From the start info to a finished run: find the plan, check it, build it, run it, report. */
#include "channel.h"
#include "compose.h"
#include "device.h"
#include "kernel.h"
#include "multiboot.h"
#include "page.h"
#include "selftest.h"
#include "sip.h"
#include "start.h"
#include "timer.h"
#include "trap.h"
#include "x86.h"

void kmain(uint32_t start_pa, uint32_t magic); /* called by boot.S */

static void add_memory(const struct start_info *start) {
    const struct memory_entry *entry = phys_pointer(start->memory_map);
    page_init();
    for (uint32_t i = 0; i < start->memory_entries; i++)
        if (entry[i].type == MEMORY_RAM)
            page_add(entry[i].pa, entry[i].bytes);
    page_reserve(0, round_up(kernel_address(kernel_end), CHUNK_BYTES));
}

static bool result_start(const struct plan_header *plan) {
    if (plan->result_pa % CHUNK_BYTES ||
        plan->result_bytes < sizeof(struct result_header) + RESULT_LOG_BYTES ||
        plan->result_pa < kernel_address(kernel_end) ||
        plan->result_pa + plan->result_bytes > page_memory_end())
        return false;
    struct result_header *result = phys_pointer(plan->result_pa);
    memset(result, 0, sizeof *result);
    result->magic = RESULT_MAGIC;
    result->version = RESULT_VERSION;
    result->log_offset = sizeof *result;
    result->used = round_up(sizeof *result + RESULT_LOG_BYTES, 8);
    result->state = RESULT_RUNNING;
    page_reserve(plan->result_pa, plan->result_bytes);
    console_start(result);
    kernel_result = result;
    kernel_plan = plan;
    return true;
}

/* The plan, or the end of the run with the reason on the console. */
static const struct plan_header *plan_find(const struct start_info *start) {
    if (start->modules == 0)
        run_end(RESULT_FAILED, "no plan: start the kernel with a plan as its first module");
    const struct start_module *module = phys_pointer(start->module_list);
    const struct plan_header *plan = phys_pointer(module->pa);
    if (module->pa + module->bytes > page_memory_end())
        run_end(RESULT_FAILED, "the plan lies outside of memory");
    page_reserve(module->pa, module->bytes);
    const char *why;
    if (plan_check(plan, module->bytes, &why))
        run_end(RESULT_FAILED, "plan refused: %s", why);
    return plan;
}

void kmain(uint32_t start_pa, uint32_t magic) {
    trap_init();
    if (magic == MULTIBOOT_MAGIC)
        start_pa = multiboot_start(start_pa);
    const struct start_info *start = phys_pointer(start_pa);
    if (start->magic != START_MAGIC || start->version < 1 || start->memory_entries == 0)
        run_end(RESULT_FAILED, "not started by the PVH boot ABI, version 1, with a memory map");
    add_memory(start);
    const struct plan_header *plan = plan_find(start);
    if (!result_start(plan))
        run_end(RESULT_FAILED, "the plan's result region does not fit into this memory");
    x86_out32(PORT_DOORBELL, PHASE_KERNEL);
    compose_all(plan);
    const struct plan_domain *kernel_domain = plan_at(plan, plan->domains);
    kernel_result->page_bits = space_init(kernel_domain->pages);
    compose_enable();
    thread_init();
    if (plan->flags & PLAN_SELF_TEST)
        selftest_run();
    kernel_result->free_pages_before = page_free_count();
    sip_load_all(plan);
    if (plan->flags & PLAN_SELF_TEST) {
        selftest_spaces();
        selftest_end();
    }
    x86_out32(PORT_DOORBELL, PHASE_SIPS);
    if (plan->flags & PLAN_PREEMPT)
        timer_start();
    device_start();
    sip_start_all();
    thread_run_all();
    char waiting[160];
    if (sip_applications_running())
        run_end(RESULT_FAILED, "deadlock, nothing can run: %s",
                channel_waiting(waiting, sizeof waiting) ? waiting : "no SIP waits on a channel");
    if (kernel_result->message[0]) /* a SIP ended in a way that nobody expected */
        run_end(RESULT_FAILED, "%s", "");
    run_end(RESULT_DONE, "%s", "");
}
