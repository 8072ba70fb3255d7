/* SIP instances: making, starting, and the end with its report and reclamation. */
#include "sip.h"
#include "channel.h"
#include "device.h"
#include "elf.h"
#include "events.h"
#include "image.h"
#include "kernel.h"
#include "page.h"
#include "sip_memory.h"

#define MAX_RESTARTS 100000

static struct sip sips[SIPS];
static struct sip *free_sips; /* linked by parent */
static uint32_t sip_handles;
static struct sip *by_plan[PLAN_MAX_SIPS];
static uint32_t applications_running;

extern const uint64_t abi_gates[]; /* entry.S */

struct sip *sip_of_plan(uint32_t plan_index) {
    return by_plan[plan_index];
}

uint32_t sip_applications_running(void) { return applications_running; }

static void slots_create(struct sip *sip) {
    struct abi_slot *mirror =
        phys_pointer(space_lookup(sip->domain->space, sip->base + sip->image->note.slots));
    sip->slot[0].tag = sip->end[0].tag = SIP_NO_TAG;
    sip->free_slot = NULL;
    for (uint32_t i = ABI_SLOTS - 1; i > 0; i--) {
        struct slot *slot = &sip->slot[i];
        slot->tag = 0;
        slot->next = sip->free_slot;
        slot->mirror = &mirror[i];
        if (!slot->next_tag) /* goes on where an earlier instance ended */
            slot->next_tag = ABI_SLOTS + i;
        sip->free_slot = slot;
    }
}

/* Fills a free sip; false, with nothing kept, when memory or threads do not suffice. */
static bool sip_load(struct sip *sip, const struct plan_sip *plan) {
    sip->plan = plan;
    sip->image = &image_table[plan->image];
    sip->status = 0;
    sip->waiter = NULL;
    sip->threads = NULL;
    sip->domain = domain_for_sip(plan->domain);
    if (!sip->domain)
        return false;
    if (!sip_memory_create(sip)) {
        domain_leave(sip->domain);
        return false;
    }
    slots_create(sip);
    uint64_t calls = sip->domain->ring == 3 ? STUB_VA : (uint64_t)abi_gates;
    if (!thread_create(sip, sip->base + sip->image->note.entry, sip->stack_top, sip->stack,
                       calls)) {
        sip_memory_destroy(sip);
        domain_leave(sip->domain);
        return false;
    }
    sip->state = SIP_LOADED;
    return true;
}

static struct sip *sip_take(void) {
    struct sip *sip = free_sips;
    if (sip)
        free_sips = sip->parent;
    return sip;
}

static void sip_release(struct sip *sip) {
    sip->state = SIP_FREE;
    sip->handle = 0;
    sip->parent = free_sips;
    free_sips = sip;
}

/* Where a host finds what each instance is: see struct result_map. */
static void map_publish(const struct plan_sip *list) {
    struct result_map *map = &kernel_result->map;
    map->sips_pa = kernel_address(sips);
    map->plan_sips = (uint64_t)list;
    map->sips = SIPS;
    map->sip_bytes = sizeof sips[0];
    map->sip_base = offsetof(struct sip, base);
    map->sip_plan = offsetof(struct sip, plan);
}

void sip_load_all(const struct plan_header *plan) {
    const struct plan_sip *list = plan_at(plan, plan->sips);
    for (uint32_t i = SIPS; i-- > 0;) {
        sips[i].number = i;
        sip_release(&sips[i]);
    }
    map_publish(list);
    image_read_all(plan);
    domain_create_all(plan);
    for (uint32_t i = 0; i < plan->sips.count; i++) {
        if (!list[i].autostart)
            continue;
        struct sip *sip = sip_take();
        sip->parent = NULL;
        if (!sip_load(sip, &list[i]))
            run_end(RESULT_FAILED, "no memory for SIP '%s': give the guest more", list[i].name);
        by_plan[i] = sip;
        if (list[i].role == PLAN_ROLE_APPLICATION)
            applications_running++;
    }
    channel_create_all(plan);
}

static void sip_run(struct sip *sip) {
    sip->state = SIP_RUNNING;
    thread_ready(sip->threads);
}

void sip_start_all(void) {
    for (uint32_t i = 0; i < kernel_plan->sips.count; i++)
        if (by_plan[i])
            sip_run(by_plan[i]);
}

/* Everything that a SIP owned goes back. It does not run, and no stack or space of its is in use. */
static void sip_reclaim(struct sip *sip) {
    channel_close_all(sip);
    while (sip->threads)
        thread_free(sip->threads);
    for (uint32_t i = 1; i < ABI_SLOTS; i++) {
        struct slot *slot = &sip->slot[i];
        if (!slot->tag)
            continue;
        slot->next_tag = slot->tag + ABI_SLOTS;
        if (slot->block == BLOCK_NONE)
            sip_pages_free(sip, slot);
        else
            heap_free(slot->block);
        slot->tag = 0;
    }
    sip_memory_destroy(sip);
    domain_leave(sip->domain);
    for (uint32_t i = 0; i < SIPS; i++) { /* its children go on without a parent */
        if (sips[i].parent != sip || sips[i].state == SIP_FREE)
            continue;
        sips[i].parent = NULL;
        sips[i].waiter = NULL;
        if (sips[i].state == SIP_LOADED) /* it was never started and never can be */
            sip_reclaim(&sips[i]);
        if (sips[i].state == SIP_ENDED)
            sip_release(&sips[i]);
    }
    sip->state = SIP_ENDED;
}

/* The end of a SIP, however it came about. */
static void sip_end_of(struct sip *sip) {
    bool faulted = sip->status & ABI_FAULTED;
    sip_reclaim(sip);
    if (sip->parent) {
        if (sip->waiter)
            thread_ready(sip->waiter);
        return;
    }
    for (uint32_t i = 0; i < kernel_plan->sips.count; i++) {
        if (by_plan[i] != sip)
            continue;
        device_release(sip);
        if (faulted && sip->plan->on_fault == PLAN_FAULT_RESTART &&
            sip->restarts++ < MAX_RESTARTS && sip_load(sip, sip->plan)) {
            channel_create_for(i);
            sip_run(sip);
            return;
        }
        by_plan[i] = NULL;
        if (sip->plan->role == PLAN_ROLE_APPLICATION)
            applications_running--;
        return;
    }
    sip_release(sip); /* an orphan */
}

static void sip_end_after(struct thread *thread) { sip_end_of(thread->sip); }

void sip_exit(int64_t status) {
    struct sip *sip = sip_current();
    sip->status = status & (ABI_FAULTED - 1);
    bool expected = sip->parent || sip->plan->rights & PLAN_MAY_FAULT;
    if (status != 0 && !expected && kernel_result && !kernel_result->message[0])
        format_text(kernel_result->message, sizeof kernel_result->message,
                    "SIP '%s' exited with status %ld", sip->plan->name, status);
    thread_leave(sip_end_after);
}

void sip_fault(enum abi_trap trap, const char *kind, uint64_t address, uint64_t rip) {
    struct sip *sip = sip_current();
    struct result_sip report = {.address = address, .rip = rip ? rip - sip->base : 0};
    format_text(report.sip, sizeof report.sip, "%s", sip->plan->name);
    format_text(report.kind, sizeof report.kind, "%s", kind);
    if (rip)
        image_symbol(sip->image, report.rip, report.function, sizeof report.function);
    bool expected = sip->plan->rights & PLAN_MAY_FAULT || sip->plan->on_fault == PLAN_FAULT_RESTART;
    if (kernel_result->sip_reports < RESULT_MAX_SIP_REPORTS) {
        console_print("SIP '%s' ended: %s, address 0x%lx, at 0x%lx %s\n", report.sip, kind, address,
                      report.rip, report.function);
        kernel_result->sip[kernel_result->sip_reports++] = report;
    }
    if (!expected && !kernel_result->message[0])
        format_text(kernel_result->message, sizeof kernel_result->message,
                    "SIP '%s' ended: %s, address 0x%lx, at 0x%lx %s", report.sip, kind, address,
                    report.rip, report.function);
    sip->status = ABI_FAULTED | trap;
    thread_leave(sip_end_after);
}

/* ---- the calls on other SIPs ---- */

static struct sip *child_of(struct sip *parent, uint64_t handle) {
    struct sip *child = &sips[handle % SIPS];
    return handle && child->handle == handle && child->parent == parent ? child : NULL;
}

int64_t sip_create(struct sip *parent, const char *name) {
    if (!(parent->plan->rights & PLAN_RIGHT_CREATE))
        return ABI_EPERM;
    const struct plan_sip *list = plan_at(kernel_plan, kernel_plan->sips);
    for (uint32_t i = 0; i < kernel_plan->sips.count; i++) {
        if (list[i].autostart || !string_equal(list[i].name, name))
            continue;
        struct sip *sip = sip_take();
        if (!sip)
            return ABI_ENOMEM;
        if (!sip_load(sip, &list[i])) {
            sip_release(sip);
            return ABI_ENOMEM;
        }
        sip->parent = parent;
        sip_handles += SIPS;
        if (!sip_handles)
            sip_handles = SIPS;
        sip->handle = sip_handles + sip->number;
        return sip->handle;
    }
    return ABI_ENOENT;
}

int64_t sip_give(struct sip *parent, uint64_t handle, uint64_t endpoint, const char *name) {
    struct sip *child = child_of(parent, handle);
    struct end *end = sip_end(parent, endpoint);
    if (!child || !end || child->state != SIP_LOADED)
        return ABI_EHANDLE;
    return channel_move_end(end, child, name);
}

int64_t sip_start(struct sip *parent, uint64_t handle) {
    struct sip *child = child_of(parent, handle);
    if (!child || child->state != SIP_LOADED)
        return ABI_EHANDLE;
    sip_run(child);
    return ABI_OK;
}

int64_t sip_wait(struct sip *parent, uint64_t handle) {
    struct sip *child = child_of(parent, handle);
    if (!child || child->state == SIP_LOADED || child->waiter)
        return ABI_EHANDLE;
    if (child->state != SIP_ENDED) {
        child->waiter = thread_current;
        thread_block();
    }
    int64_t status = child->status;
    sip_release(child);
    return status;
}

int64_t sip_kill(struct sip *parent, uint64_t handle) {
    if (!(parent->plan->rights & PLAN_RIGHT_KILL))
        return ABI_EPERM;
    struct sip *child = child_of(parent, handle);
    if (!child)
        return ABI_EHANDLE;
    if (child->state != SIP_ENDED) {
        child->status = ABI_FAULTED | ABI_TRAP_KILLED;
        sip_reclaim(child);
        if (child->waiter) /* another thread of the parent */
            thread_ready(child->waiter);
    }
    return ABI_OK;
}

void sip_quota_check(struct sip *sip, uint64_t more) {
    if (!sip->plan->quota_bytes)
        return;
    for (uint32_t i = 1; i < ABI_SLOTS; i++)
        if (sip->slot[i].tag)
            more += sip->slot[i].bytes + (uint64_t)sip->slot[i].pages * PAGE_BYTES;
    if (more > sip->plan->quota_bytes)
        sip_fault(ABI_TRAP_QUOTA, "quota exhausted", more, 0);
}
