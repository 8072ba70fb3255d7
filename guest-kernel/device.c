/*
 * The device of the plan. Its interrupt is level-triggered and stays masked in the I/O APIC from when it
 * comes until its SIP waits again, for only that SIP can make the device take its request back.
 * Sources: Intel 82093AA (I/O APIC) 3.2; Intel SDM 3A, chapter 11; virtio 1.2, 4.2.2.
 */
#include "device.h"
#include "apic.h"
#include "domain.h"
#include "kernel.h"
#include "multiboot.h"
#include "page.h"
#include "sip.h"
#include "tlb.h"
#include "trap.h"
#include "x86.h"

#define IO_APIC_PA 0xfec00000ull
#define IO_APIC_VA (APIC_VA + 0x1000)
#define IO_APIC_SELECT 0x00
#define IO_APIC_WINDOW 0x10
#define IO_APIC_ROUTE (0x10 + 2 * PLAN_DEVICE_PIN) /* two registers, the low one first */
#define ROUTE_LEVEL (1u << 15)                     /* active high, fixed, to one APIC: all 0 */
#define ROUTE_MASKED (1u << 16)

#define REGISTERS_VA (APIC_VA + 0x2000)
#define VIRTIO_MAGIC 0x000
#define VIRTIO_MAGIC_VALUE 0x74726976u
#define VIRTIO_VERSION 0x004
#define VIRTIO_DEVICE 0x008
#define VIRTIO_DEVICE_BLOCK 2u
#define VIRTIO_STATUS 0x070
#define RESET_TRIES 1000000u

/* Where its SIP finds it, in its stretch of addresses; its memory is one chunk. */
#define REGISTERS_OFFSET 0x2c000000
#define MEMORY_OFFSET 0x2c200000

static uint32_t drives; /* PLAN_DRIVES_DISK, PLAN_DRIVES_INTERRUPT or 0 */
static const struct sip *owner;
static uint64_t memory;       /* the chunk that the owner shares with the device */
static uint64_t registers_at; /* where the owner sees the registers, */
static uint64_t memory_at;    /* and the chunk */
static struct thread *waiter; /* in irq_wait */
static bool send_self;        /* the waiter wants an interrupt that the processor sends itself */
static uint64_t sent;         /* when it did */
static volatile bool pending; /* an interrupt came, and nobody was woken yet */
static uint64_t idle;         /* how much of the clock passed while nothing could run */
static uint64_t idle_since;   /* 0: something can */

static uint32_t register_read(uint32_t offset) {
    return *(const volatile uint32_t *)(REGISTERS_VA + offset);
}

static void route_write(uint32_t half, uint32_t value) {
    *(volatile uint32_t *)(IO_APIC_VA + IO_APIC_SELECT) = IO_APIC_ROUTE + half;
    *(volatile uint32_t *)(IO_APIC_VA + IO_APIC_WINDOW) = value;
}
static void line_mask(void) { route_write(0, ROUTE_MASKED | ROUTE_LEVEL | DEVICE_VECTOR); }
static void line_unmask(void) { route_write(0, ROUTE_LEVEL | DEVICE_VECTOR); }

void device_start(void) {
    const struct plan_sip *list = plan_at(kernel_plan, kernel_plan->sips);
    for (uint32_t i = 0; i < kernel_plan->sips.count; i++)
        drives |= list[i].rights & PLAN_DRIVES;
    if (!drives)
        return;
    if (drives == PLAN_DRIVES_DISK && multiboot_started())
        run_end(RESULT_UNAVAILABLE, "needs a virtio disk, which only virtual machines have");
    apic_start("interrupts");
    if (drives != PLAN_DRIVES_DISK)
        return;
    apic_map(REGISTERS_VA, PLAN_DEVICE_PA);
    if (register_read(VIRTIO_MAGIC) != VIRTIO_MAGIC_VALUE || register_read(VIRTIO_VERSION) != 2 ||
        register_read(VIRTIO_DEVICE) != VIRTIO_DEVICE_BLOCK)
        run_end(RESULT_UNAVAILABLE, "needs a virtio disk at 0x%lx, which this backend lacks",
                (uint64_t)PLAN_DEVICE_PA);
    apic_map(IO_APIC_VA, IO_APIC_PA);
    route_write(1, apic_read(APIC_ID) & 0xff000000);
    line_mask();
}

/* ---- registers and memory ---- */

static bool map_paged(const struct sip *sip) {
    struct space *space = sip->domain->space;
    uint32_t access = SPACE_WRITE | sip->domain->access, page_bits;
    registers_at = sip->base + REGISTERS_OFFSET;
    memory_at = sip->base + MEMORY_OFFSET;
    if (!space_map(space, registers_at, PLAN_DEVICE_PA, PAGE_BYTES, PLAN_PAGES_4K, access) ||
        !space_map(space, memory_at, memory, CHUNK_BYTES, sip->domain->page_bits, access))
        return false;
    *space_entry(space, registers_at, &page_bits) |= PTE_UNCACHED;
    return true;
}

/* 1:1 as all else there; nothing is protected, and no other SIP's pages are in that gigabyte. */
static bool map_identity(void) {
    uint32_t page_bits;
    registers_at = PLAN_DEVICE_PA;
    memory_at = memory;
    if (space_lookup(&space_kernel, registers_at) != PAGE_NONE)
        return true;
    if (!space_map(&space_kernel, registers_at, PLAN_DEVICE_PA, PAGE_BYTES, PLAN_PAGES_4K,
                   SPACE_WRITE))
        return false;
    *space_entry(&space_kernel, registers_at, &page_bits) |= PTE_UNCACHED;
    return true;
}

static void unmap(uint64_t va, uint64_t bytes, struct space *space) {
    bool current = tlb_is_current(space);
    space_unmap(space, va, bytes);
    for (uint64_t done = 0; done < bytes; done += PAGE_BYTES)
        tlb_forget_page(space, current, va + done);
}

/* Stops the device, then takes what its SIP had of it. `gone`: the SIP's tables are there no more. */
static void detach(const struct sip *sip, bool gone) {
    line_mask();
    *(volatile uint32_t *)(REGISTERS_VA + VIRTIO_STATUS) = 0;
    for (uint32_t i = 0; register_read(VIRTIO_STATUS) != 0; i++)
        if (i == RESET_TRIES)
            run_end(RESULT_FAILED, "the device of SIP '%s' does not stop", sip->plan->name);
    if (!gone && sip->domain->page_bits != PLAN_PAGES_LARGEST) {
        unmap(registers_at, PAGE_BYTES, sip->domain->space);
        unmap(memory_at, CHUNK_BYTES, sip->domain->space);
    }
    chunk_free(memory, 1);
    owner = NULL;
}

void device_release(const struct sip *sip) {
    const struct plan_domain *list = plan_at(kernel_plan, kernel_plan->domains);
    if (!(sip->plan->rights & PLAN_DRIVES))
        return;
    waiter = NULL;
    pending = false;
    if (owner == sip)
        detach(sip, list[sip->plan->domain].per_sip);
}

static bool attach(const struct sip *sip) {
    memory = chunk_alloc(1);
    if (memory == PAGE_NONE)
        return false;
    memset(phys_pointer(memory), 0, CHUNK_BYTES);
    owner = sip;
    bool mapped = sip->domain->page_bits == PLAN_PAGES_LARGEST ? map_identity() : map_paged(sip);
    if (!mapped)
        detach(sip, false);
    return mapped;
}

int64_t device_take(struct sip *sip, uint64_t part) {
    if (!(sip->plan->rights & PLAN_DRIVES_DISK))
        return ABI_EPERM;
    if (part > ABI_DEVICE_ADDRESS)
        return ABI_EINVAL;
    if (!sip->free_slot || (!owner && !attach(sip)))
        return ABI_ENOMEM;
    if (part == ABI_DEVICE_ADDRESS)
        return (int64_t)memory;
    /* To the kernel a block of no pages and no bytes: it cannot be sent, and freeing it frees nothing. */
    bool registers = part == ABI_DEVICE_REGISTERS;
    struct slot *slot = sip->free_slot;
    uint64_t va = registers ? registers_at : memory_at;
    uint32_t bytes = registers ? PLAN_DEVICE_BYTES : CHUNK_BYTES;
    sip->pages_live++;
    uint32_t handle = sip_slot_take(sip, BLOCK_NONE, va, va, bytes);
    slot->bytes = slot->pages = 0;
    return handle;
}

/* ---- interrupts ---- */

uint64_t device_idle(void) { return idle; }

bool device_waited_for(void) { return waiter; }

static void wake(void) {
    if (!waiter)
        return;
    thread_ready(waiter);
    waiter = NULL;
    pending = false;
}

int64_t device_wait(struct sip *sip, uint64_t source) {
    if (!(sip->plan->rights & PLAN_DRIVES))
        return ABI_EPERM;
    if (source > ABI_IRQ_SELF || waiter ||
        (source == ABI_IRQ_DEVICE && !(sip->plan->rights & PLAN_DRIVES_DISK)))
        return ABI_EINVAL;
    waiter = thread_current;
    send_self = source == ABI_IRQ_SELF;
    sent = 0;
    if (!send_self)
        line_unmask(); /* an interrupt that comes at once stays pending: this is the kernel */
    thread_boot_joins();
    thread_block();
    return (int64_t)sent;
}

bool device_interrupt(const struct trap_frame *frame, bool in_sip) {
    if (frame->vector == APIC_SPURIOUS_VECTOR)
        return true;
    if (!drives || (frame->vector != DEVICE_VECTOR && frame->vector != SELF_VECTOR))
        return false;
    if (idle_since) {
        idle += x86_clock() - idle_since;
        idle_since = 0;
    }
    if (frame->vector == DEVICE_VECTOR && drives == PLAN_DRIVES_DISK)
        line_mask();
    apic_write(APIC_EOI, 0);
    pending = true;
    if (!in_sip || !waiter)
        return true;
    wake();
    thread_preempt(frame); /* SIPs run with interrupts on only where they are preempted */
}

bool device_listen(void) {
    if (!waiter)
        return false;
    bool go_on = true;
    __asm__ volatile("cli");
    if (!pending) {
        if (send_self) {
            send_self = false;
            sent = x86_clock();
            apic_write(APIC_COMMAND, APIC_COMMAND_SELF | SELF_VECTOR);
        }
        if (thread_queue_head)
            __asm__ volatile("sti; nop; cli" ::: "memory");
        else if (!sip_applications_running())
            go_on = false;
        else {
            if (!idle_since && !sent) /* a timer may have ended the sleep before */
                idle_since = x86_clock();
            __asm__ volatile("sti; hlt; cli" ::: "memory");
        }
    }
    if (pending)
        wake();
    if (thread_flags & RFLAGS_IF)
        __asm__ volatile("sti");
    return go_on;
}
