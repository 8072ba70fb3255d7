/* Attacks by reading, writing and calling where nothing of the SIP's own is. */
#include "hostile.h"

#define NON_CANONICAL 0x8000000000000000ull
#define NOWHERE 0x7f0000000000ull /* never mapped, in no layout */
enum {
    STACK_BYTES = 65536,
    PAGE = 4096
};

/* ---- a victim's memory, where the victim sees it ---- */

static uint32_t steal(const struct target *target) {
    tell(EVIDENCE_SECRET, peek(target->page + 8 * SECRET_AT));
    return DONE;
}
static uint32_t spoil(uint64_t address) {
    poke(address, ~peek(address));
    return DONE;
}

ATTACK(read_peer) { return steal(&order->peer); }
ATTACK(write_peer) { return spoil(order->peer.page + 64); }
ATTACK(write_peer_block) { return spoil(order->peer.block + 64); }
ATTACK(write_peer_pages) { return spoil(order->peer.pages + 64); }
ATTACK(read_service) { return steal(&order->service); }
ATTACK(write_service) { return spoil(order->service.page + 64); }
ATTACK(write_service_block) { return spoil(order->service.block + 64); }
ATTACK(write_service_pages) { return spoil(order->service.pages + 64); }

/* ---- the ends of the address space, and of what is the SIP's own ---- */

static volatile uint64_t null; /* the compiler does not know that it is */
ATTACK(read_null) {
    peek(null);
    return DONE;
}
ATTACK(write_null) {
    poke(null, peek(null));
    return DONE;
}
ATTACK(read_non_canonical) {
    peek(NON_CANONICAL);
    return DONE;
}
ATTACK(write_last_byte) {
    *(volatile uint8_t *)(uintptr_t)-1 = 1;
    return DONE;
}

static uint64_t own_page[PAGE / 8] __attribute__((aligned(PAGE)));

/* Reads a word of each page from its own variables on until it is stopped or has found a secret. */
static uint32_t walk(int64_t step) {
    uint64_t at = (uint64_t)(uintptr_t)own_page;
    for (uint32_t i = 0; i < 30000; i++, at += (uint64_t)step) {
        const volatile uint64_t *page = (const volatile uint64_t *)(uintptr_t)at;
        if (page[0] == SECRET_MAGIC && page[1] == ~SECRET_MAGIC) {
            tell(EVIDENCE_SECRET, page[SECRET_AT]);
            return DONE;
        }
    }
    return DONE;
}
ATTACK(walk_up) { return walk(PAGE); }
ATTACK(walk_down) { return walk(-PAGE); }

/* A block of a page, between others that are freed again. */
static sip_handle between_freed(void) {
    enum {
        BLOCKS = 24,
        MIDDLE = BLOCKS - 4
    };
    sip_handle block[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++)
        block[i] = sip_block(PAGE - 16);
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (i != MIDDLE)
            sip_block_free(block[i]);
    return block[MIDDLE];
}
ATTACK(write_past_block) {
    sip_msg_st8(between_freed(), PAGE - 16, 1);
    return DONE;
}
ATTACK(write_before_block) {
#ifdef __wasm__
    sip_msg_st8(between_freed(), (uint32_t)-17, 1);
#else
    *(sip_payload(between_freed()) - 17) = 1;
#endif
    return DONE;
}

/* ---- functions ---- */

typedef uint64_t function(uint64_t, uint32_t, uint64_t, uint32_t, uint64_t);
static uint64_t call_at(uint64_t address) {
    function *volatile target = (function *)(uintptr_t)address;
    return target(1, 2, 3, 4, 5);
}
static __attribute__((noinline)) uint64_t harmless(uint64_t a, uint32_t b, uint64_t c, uint32_t d,
                                                   uint64_t e) {
    return a + b + c + d + e;
}
static __attribute__((noinline)) uint32_t other_type(uint32_t a) { return a + 1; }
ATTACK(call_forged) {
    function *volatile real = harmless; /* the type exists, this function does not */
    real(1, 2, 3, 4, 5);
    call_at(NOWHERE + 0x7654321);
    return DONE;
}
ATTACK(call_other_type) {
    uint32_t (*volatile target)(uint32_t) = other_type;
    call_at((uintptr_t)target);
    return DONE;
}
ATTACK(call_peer) {
    call_at(order->peer.function ? order->peer.function : NOWHERE);
    return DONE;
}

#ifndef __wasm__
#include "domain-config/plan.h"

ATTACK(call_null) {
    call_at(null);
    return DONE;
}
ATTACK(call_own_data) {
    static uint8_t code[16] = {0xc3}; /* ret */
    call_at((uint64_t)code);
    return DONE;
}
ATTACK(write_own_code) {
    poke((uint64_t)harmless, peek((uint64_t)harmless));
    return DONE;
}
ATTACK(write_own_constants) {
    static const uint64_t constant = 0x123456789abcdef0;
    poke((uint64_t)&constant, peek((uint64_t)&constant));
    return DONE;
}

/* The SIP's first frame lies in the highest page of its stack. */
static uint64_t stack_top(void) { return ((uint64_t)__builtin_frame_address(0) | (PAGE - 1)) + 1; }
ATTACK(write_past_stack) { return spoil(stack_top() + PAGE); }
ATTACK(write_below_stack) {
    volatile uint64_t *below = (uint64_t *)(stack_top() - STACK_BYTES - 8);
    *below = *below;
    return DONE;
}

/* ---- the kernel ---- */

static uint32_t rewrite_kernel(uint64_t address) {
    uint64_t was = peek(address);
    poke(address, ~was);
    uint64_t now = peek(address);
    poke(address, was);
    if (now == ~was)
        tell(EVIDENCE_KERNEL, now);
    return DONE;
}
static const struct plan_header *plan_in_map(const struct order *order) {
    for (uint64_t at = PHYS_VA + RESULT_PA; at < PHYS_VA + ((uint64_t)order->megabytes << 20);
         at += PAGE)
        if (peek(at) == PLAN_MAGIC)
            return (const struct plan_header *)at;
    return NULL;
}
ATTACK(read_kernel_text) {
    tell(EVIDENCE_KERNEL, peek(KERNEL_VA + KERNEL_PA));
    return DONE;
}
ATTACK(read_kernel_data) {
    tell(EVIDENCE_KERNEL, peek(KERNEL_VA + KERNEL_PA + 2ull * CHUNK_BYTES));
    return DONE;
}
ATTACK(read_kernel_map) {
    if (plan_in_map(order))
        tell(EVIDENCE_KERNEL, PLAN_MAGIC);
    return DONE;
}
ATTACK(write_kernel_text) { return rewrite_kernel(KERNEL_VA + KERNEL_PA); }
ATTACK(write_kernel_constants) { return rewrite_kernel(KERNEL_VA + KERNEL_PA + CHUNK_BYTES); }
ATTACK(write_kernel_data) { return rewrite_kernel(KERNEL_VA + KERNEL_PA + 2ull * CHUNK_BYTES); }
ATTACK(write_text_by_map) { return rewrite_kernel(PHYS_VA + KERNEL_PA); }
ATTACK(write_call_table) { return spoil((uint64_t)&sip_calls[ABI_recv]); }
ATTACK(write_stub_page) { return spoil(STUB_VA); }

/* Changes a parameter of the run in the kernel's copy of the plan. */
ATTACK(write_plan) {
    const struct plan_header *plan = plan_in_map(order);
    struct plan_param *param = (struct plan_param *)plan_at(plan, plan->params);
    for (uint32_t i = 0; i < plan->params.count; i++)
        if (param[i].name[0] == 'c' && param[i].name[1] == 'a' && param[i].name[2] == 'n')
            param[i].value++;
    return DONE;
}

/* Victims by their physical address, whatever spaces they live in. */
static uint64_t secret_in_map(const struct order *order, uint64_t value_other_than) {
    for (uint64_t at = PHYS_VA + RESULT_PA; at < PHYS_VA + ((uint64_t)order->megabytes << 20);
         at += PAGE)
        if (peek(at) == SECRET_MAGIC && peek(at + 8) == ~SECRET_MAGIC &&
            peek(at + 8 * SECRET_AT) != value_other_than)
            return at;
    return 0;
}
ATTACK(read_victim_by_map) {
    uint64_t at = secret_in_map(order, 0);
    if (at)
        tell(EVIDENCE_SECRET, peek(at + 8 * SECRET_AT));
    return DONE;
}
ATTACK(write_victims_by_map) {
    uint64_t first = secret_in_map(order, 0);
    uint64_t second = secret_in_map(order, peek(first + 8 * SECRET_AT));
    spoil(first + 64);
    return spoil(second + 64);
}
ATTACK(read_page_table) {
    uint64_t root;
    __asm__ volatile("mov %%cr3, %0" : "=r"(root)); /* ring 3 gets no further */
    tell(EVIDENCE_PRIVILEGED, peek(PHYS_VA + root));
    return DONE;
}
/* Takes the write protection off in the processor, then writes the kernel's text. */
ATTACK(write_text_unprotected) {
    uint64_t cr0;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" ::"r"(cr0 & ~0x10000ull));
    uint32_t done = rewrite_kernel(KERNEL_VA + KERNEL_PA);
    __asm__ volatile("mov %0, %%cr0" ::"r"(cr0));
    return done;
}
/* Runs the kernel from its first byte. */
ATTACK(call_kernel) {
    call_at(KERNEL_VA + KERNEL_PA);
    return DONE;
}
#endif

ATTACKS_OF(memory)
