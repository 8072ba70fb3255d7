/* SIP instances: loading, start, slots, and the end with its report and reclamation. */
#include "sip.h"
#include "channel.h"
#include "domain.h"
#include "image.h"
#include "kernel.h"
#include "page.h"

struct sip sip_table[PLAN_MAX_SIPS];
static uint32_t sip_count;
static uint32_t applications_running;

extern const uint64_t abi_gates[]; /* entry.S */

static void sip_refuse_memory(const struct sip *sip) {
    run_end(RESULT_FAILED, "no memory for SIP '%s': give the guest more", sip->plan->name);
}

/* Maps fresh, cleared memory at va in pages of the SIP's domain. */
static void sip_map(struct sip *sip, uint64_t va, uint64_t bytes, uint32_t access) {
    uint32_t bits = sip->domain->page_bits;
    uint64_t page = 1ull << bits;
    for (uint64_t done = 0; done < bytes; done += page) {
        uint64_t pa = bits == PLAN_PAGES_4K ? page_alloc() : chunk_alloc(1);
        if (pa == PAGE_NONE ||
            !space_map(sip->domain->space, va + done, pa, page, bits,
                       access | domain_access(sip->domain)))
            sip_refuse_memory(sip);
        memset(phys_pointer(pa), 0, page);
    }
}

static void sip_unmap(struct sip *sip, uint64_t va, uint64_t bytes) {
    uint64_t page = 1ull << sip->domain->page_bits;
    for (uint64_t done = 0; done < bytes; done += page) {
        uint64_t pa = space_lookup(sip->domain->space, va + done);
        space_unmap(sip->domain->space, va + done, page);
        if (sip->domain->page_bits == PLAN_PAGES_4K)
            page_free(pa);
        else
            chunk_free(pa, 1);
    }
}

/* Writes into the SIP's memory through the map of physical memory, whatever its rights there. */
static void sip_store(struct sip *sip, uint64_t va, const void *from, uint64_t bytes) {
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = va + done, part = PAGE_BYTES - at % PAGE_BYTES;
        if (part > bytes - done)
            part = bytes - done;
        memcpy(phys_pointer(space_lookup(sip->domain->space, at)), (const uint8_t *)from + done,
               part);
        done += part;
    }
}

static void sip_place(struct sip *sip) {
    const struct image *image = sip->image;
    if (sip->domain->page_bits != PLAN_PAGES_LARGEST) {
        sip->base = SIP_VA + (uint64_t)sip->number * SIP_STRIDE;
        sip->stack = sip->base + SIP_STACK_OFFSET;
        sip->stack_top = sip->stack + round_up(image->note.stack_bytes, PAGE_BYTES);
        for (uint32_t i = 0; i < image->segments; i++)
            sip_map(sip, sip->base + image->segment[i].va, image->segment[i].bytes,
                    image->segment[i].access);
        sip_map(sip, sip->stack, sip->stack_top - sip->stack, SPACE_WRITE);
        return;
    }
    /* Identity: one stretch of adjacent chunks, where the stack follows the variables. */
    uint64_t bytes = image->bytes + round_up(image->note.stack_bytes, PAGE_BYTES);
    sip->identity_chunks = round_up(bytes, CHUNK_BYTES) / CHUNK_BYTES;
    sip->identity = chunk_alloc(sip->identity_chunks);
    if (sip->identity == PAGE_NONE)
        sip_refuse_memory(sip);
    sip->base = sip->identity;
    sip->stack = sip->base + image->bytes;
    sip->stack_top = sip->base + bytes;
    memset((void *)(sip->base + image->data), 0, bytes - image->data);
}

static void sip_load(struct sip *sip, const struct plan_sip *plan) {
    sip->plan = plan;
    sip->number = (uint32_t)(sip - sip_table);
    sip->image = &image_table[plan->image];
    sip->domain = &domain_table[plan->domain];
    const struct image *image = sip->image;
    sip_place(sip);
    sip->data = sip->base + image->data;
    sip->data_end = sip->base + image->data_end;
    for (uint32_t i = 0; i < image->segments; i++)
        sip_store(sip, sip->base + image->segment[i].va, image->file + image->segment[i].file_offset,
                  image->segment[i].file_bytes);
    const struct {
        uint64_t offset, info, addend;
    } *relocation = (const void *)(image->file + image->relocations);
    for (uint32_t i = 0; i < image->relocation_count; i++) {
        uint64_t value = sip->base + relocation[i].addend;
        sip_store(sip, sip->base + relocation[i].offset, &value, sizeof value);
    }
    struct abi_slot *mirror =
        phys_pointer(space_lookup(sip->domain->space, sip->base + image->note.slots));
    sip->slot[0].tag = sip->end[0].tag = SIP_NO_TAG;
    sip->free_slot = NULL;
    for (uint32_t i = ABI_SLOTS - 1; i > 0; i--) {
        sip->slot[i] = (struct slot){
            .next = sip->free_slot, .next_tag = ABI_SLOTS + i, .mirror = &mirror[i]};
        sip->free_slot = &sip->slot[i];
    }
    uint64_t calls = sip->domain->ring == 3 ? STUB_VA : (uint64_t)abi_gates;
    sip->thread = thread_create(sip, sip->base + image->note.entry, sip->stack_top, sip->stack, calls);
    if (!sip->thread)
        run_end(RESULT_FAILED, "no thread left for SIP '%s'", plan->name);
    sip->state = SIP_RUNNING;
    if (plan->role == PLAN_ROLE_APPLICATION)
        applications_running++;
}

void sip_load_all(const struct plan_header *plan) {
    const struct plan_sip *list = plan_at(plan, plan->sips);
    image_read_all(plan);
    domain_create_all(plan);
    sip_count = plan->sips.count;
    for (uint32_t i = 0; i < sip_count; i++)
        if (list[i].autostart)
            sip_load(&sip_table[i], &list[i]);
    channel_create_all(plan);
}

void sip_start_all(void) {
    for (uint32_t i = 0; i < sip_count; i++)
        if (sip_table[i].state == SIP_RUNNING)
            thread_ready(sip_table[i].thread);
}

uint32_t sip_applications_running(void) { return applications_running; }

/* Everything that a SIP owned goes back. Runs on the spare stack, in the kernel's space. */
static void sip_reclaim(struct thread *thread) {
    struct sip *sip = thread->sip;
    channel_close_all(sip);
    for (uint32_t i = 1; i < ABI_SLOTS; i++)
        if (sip->slot[i].tag)
            heap_free(sip->slot[i].block);
    if (sip->identity_chunks) {
        chunk_free(sip->identity, sip->identity_chunks);
    } else {
        for (uint32_t i = 0; i < sip->image->segments; i++)
            sip_unmap(sip, sip->base + sip->image->segment[i].va, sip->image->segment[i].bytes);
        sip_unmap(sip, sip->stack, sip->stack_top - sip->stack);
    }
    thread_free(thread);
    sip->thread = NULL;
    sip->state = SIP_ENDED;
    if (sip->plan->role == PLAN_ROLE_APPLICATION)
        applications_running--;
}

void sip_exit(int64_t status) {
    struct sip *sip = sip_current();
    sip->status = status;
    if (status != 0)
        sip_fault("exit with an error", (uint64_t)status, 0);
    thread_leave(sip_reclaim);
}

void sip_fault(const char *kind, uint64_t address, uint64_t rip) {
    struct sip *sip = sip_current();
    struct result_sip report = {.address = address, .rip = rip ? rip - sip->base : 0};
    format_text(report.sip, sizeof report.sip, "%s", sip->plan->name);
    format_text(report.kind, sizeof report.kind, "%s", kind);
    if (rip)
        image_symbol(sip->image, report.rip, report.function, sizeof report.function);
    console_print("SIP '%s' ended: %s, address 0x%lx, at 0x%lx %s\n", report.sip, kind, address,
                  report.rip, report.function);
    if (kernel_result->sip_reports < RESULT_MAX_SIP_REPORTS)
        kernel_result->sip[kernel_result->sip_reports++] = report;
    if (!kernel_result->message[0])
        format_text(kernel_result->message, sizeof kernel_result->message,
                    "SIP '%s' ended: %s, address 0x%lx, at 0x%lx %s", report.sip, kind, address,
                    report.rip, report.function);
    thread_leave(sip_reclaim);
}
