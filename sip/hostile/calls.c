/* Attacks by the arguments of calls: of every call, every bad kind. */
#include "hostile.h"

#define BIG_NUMBERS                                                                                \
    { 1ull << 31, (1ull << 32) - 1, 1ull << 32, 1ull << 63, UINT64_MAX, UINT64_MAX - 4095 }
static const uint64_t big[] = BIG_NUMBERS;
enum {
    BIGS = sizeof big / sizeof big[0]
};

#ifdef __wasm__
/* One range that leaves memory is enough: the check ends the SIP. The calls take pointers that C has. */
#define BEYOND ((char *)address_of(0))
ATTACK(pointer_print) { return (uint32_t)sip_call_print(BEYOND, 4); }
ATTACK(pointer_param) { return (uint32_t)sip_call_param(BEYOND, 4, 0); }
ATTACK(pointer_endpoint) { return (uint32_t)sip_call_endpoint(BEYOND, 4); }
ATTACK(pointer_events) { return (uint32_t)sip_call_events((struct abi_events *)BEYOND); }
ATTACK(pointer_report) { return (uint32_t)sip_call_report((struct abi_report *)BEYOND); }
ATTACK(pointer_report_values) {
    struct abi_report report = {.name = "x", .batch = 1, .samples = 1, .values = 0xfffffff0};
    return (uint32_t)sip_call_report(&report);
}
ATTACK(pointer_fail) { return (uint32_t)sip_call_fail(BEYOND, 4); }
ATTACK(pointer_wait) { return (uint32_t)sip_call_wait((sip_endpoint *)BEYOND, 1); }
ATTACK(pointer_channel_create) { return (uint32_t)sip_call_channel_create(BEYOND, 4); }
ATTACK(pointer_sip_create) { return (uint32_t)sip_call_sip_create(BEYOND, 4); }
ATTACK(pointer_sip_give) { return (uint32_t)sip_call_sip_give(1, 1, BEYOND, 4); }
#else
static uint8_t own[64];

/* Tries a call with each range that is not wholly the SIP's own. */
static uint32_t pointers(const struct order *order, enum abi_call call, uint32_t pointer_at,
                         uint64_t bytes) {
    uint64_t stack = (((uint64_t)__builtin_frame_address(0) | 4095) + 1); /* its end */
    uint64_t bad[] = {0,
                      1,
                      KERNEL_VA + KERNEL_PA,
                      KERNEL_VA + KERNEL_PA + 2ull * CHUNK_BYTES,
                      PHYS_VA,
                      PHYS_VA + RESULT_PA,
                      STUB_VA,
                      HEAP0_VA,
                      HEAP_VA,
                      order->peer.page,
                      order->service.page,
                      order->peer.block,
                      order->peer.function,
                      stack - 1,
                      stack - 65536 - 1,
                      0x8000000000000000,
                      0x00007fffffffffff,
                      UINT64_MAX,
                      UINT64_MAX - 2,
                      (uint64_t)own + (1ull << 48),
                      (uint64_t)own | 1ull << 63};
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t arguments[4] = {0};
        arguments[pointer_at] = bad[i];
        if (pointer_at < 3)
            arguments[pointer_at + 1] = bytes;
        want(i, sip_call(call, arguments[0], arguments[1], arguments[2], arguments[3]), ABI_EFAULT);
    }
    return REFUSED;
}
ATTACK(pointer_print) { return pointers(order, ABI_print, 0, 4); }
ATTACK(pointer_param) { return pointers(order, ABI_param, 0, 4); }
ATTACK(pointer_endpoint) { return pointers(order, ABI_endpoint, 0, 4); }
ATTACK(pointer_events) { return pointers(order, ABI_events, 0, 0); }
ATTACK(pointer_report) { return pointers(order, ABI_report, 0, 0); }
ATTACK(pointer_report_values) {
    struct abi_report report = {.name = "x", .batch = 1, .samples = 1024, .overheads = 1024};
    uint64_t bad[] = {0,
                      KERNEL_VA + KERNEL_PA,
                      PHYS_VA,
                      order->peer.page,
                      UINT64_MAX - 8,
                      UINT64_MAX - 16383,
                      (uint64_t)own};
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        report.values = bad[i];
        want(i, sip_call_report(&report), ABI_EFAULT);
    }
    return REFUSED;
}
ATTACK(pointer_fail) { return pointers(order, ABI_fail, 0, 4); }
ATTACK(pointer_wait) { return pointers(order, ABI_wait, 0, 4); }
ATTACK(pointer_channel_create) { return pointers(order, ABI_channel_create, 0, 4); }
ATTACK(pointer_sip_create) { return pointers(order, ABI_sip_create, 0, 4); }
ATTACK(pointer_sip_give) { return pointers(order, ABI_sip_give, 2, 4); }

ATTACK(thread_arguments) {
    static uint8_t stack[8192] __attribute__((aligned(16)));
    uint64_t entry = (uint64_t)pointers, at = (uint64_t)stack, bytes = sizeof stack;
    want(1, sip_call(ABI_thread_create, 0, 0, at, bytes), ABI_EFAULT);
    want(2, sip_call(ABI_thread_create, KERNEL_VA + KERNEL_PA, 0, at, bytes), ABI_EFAULT);
    want(3, sip_call(ABI_thread_create, order->peer.function, 0, at, bytes), ABI_EFAULT);
    want(4, sip_call(ABI_thread_create, entry, 0, order->peer.page, bytes), ABI_EFAULT);
    want(5, sip_call(ABI_thread_create, entry, 0, PHYS_VA, bytes), ABI_EFAULT);
    want(6, sip_call(ABI_thread_create, entry, 0, at + 8, bytes), ABI_EINVAL);
    want(7, sip_call(ABI_thread_create, entry, 0, at, bytes - 1), ABI_EINVAL);
    want(8, sip_call(ABI_thread_create, entry, 0, at, 0), ABI_EINVAL);
    for (uint32_t i = 0; i < BIGS; i++)
        want(10 + i, sip_call(ABI_thread_create, entry, 0, at, big[i]), ABI_EFAULT);
    return REFUSED;
}
/* Ranges that begin well and then wrap, or go on too long. */
ATTACK(wrapping_lengths) {
    uint64_t at = (uint64_t)own;
    for (uint32_t i = 0; i < BIGS; i++) {
        want(i, sip_call(ABI_print, at, big[i], 0, 0), ABI_EINVAL);
        want(10 + i, sip_call(ABI_param, at, big[i], 0, 0), ABI_EINVAL);
        want(20 + i, sip_call(ABI_wait, at, big[i], 0, 0), ABI_EINVAL);
        want(30 + i, sip_call(ABI_fail, at, big[i], 0, 0), ABI_EINVAL);
        want(40 + i, sip_call(ABI_channel_create, at, big[i], 0, 0), ABI_EINVAL);
    }
    return REFUSED;
}
#endif

/* ---- numbers ---- */

ATTACK(numbers) {
    char text[32] = "x";
    sip_endpoint list[1] = {orders};
    sip_handle block = sip_block(64);
    for (uint32_t i = 0; i < BIGS; i++) {
#ifndef __wasm__ /* the library takes 32 bits */
        want(i, sip_call(ABI_block_alloc, big[i], 0, 0, 0), ABI_EINVAL);
        want(10 + i, sip_call(ABI_pages_alloc, big[i], 0, 0, 0), ABI_EINVAL);
        want(20 + i, sip_call(ABI_send, orders, block, big[i], 1), ABI_EINVAL);
        want(30 + i, sip_call(ABI_send, orders, block, 0, big[i]), ABI_EINVAL);
        want(40 + i, sip_call(ABI_recv, orders, big[i], 0, 0), ABI_EINVAL);
#else
        want(i, sip_call_block_alloc((uint32_t)big[i] | 1u << 20, 0), ABI_EINVAL);
        want(10 + i, sip_call_pages_alloc((uint32_t)big[i] | 1u << 20), ABI_EINVAL);
        want(30 + i, sip_call_send(orders, block, 0, (uint32_t)big[i] | 1u << 20), ABI_EINVAL);
#endif
    }
    want(50, sip_call_block_alloc(256 * 1024 + 1, 0), ABI_EINVAL);
    want(51, sip_call_pages_alloc(0), ABI_EINVAL);
    want(52, sip_call_wait(list, 0), ABI_EINVAL);
    want(53, sip_call_recv(orders, 2), ABI_EINVAL);
    want(54, sip_call_send(orders, block, 1, 65), ABI_EINVAL);
    want(55, sip_call_send(orders, block, 0x10000, 1), ABI_EINVAL);
    want(56, sip_call_param(text, 0, 7), ABI_EINVAL);
    want(57, sip_call_param(text, 32, 7), ABI_EINVAL);
    want(58, sip_call_channel_create(text, 1), ABI_ENOENT);
    want(59, sip_call_endpoint(text, 1), ABI_ENOENT);
    struct abi_report report = {.name = "x", .values = (uintptr_t)text};
    want(60, sip_call_report(&report), ABI_EINVAL); /* no samples */
    report.samples = 1;
    want(61, sip_call_report(&report), ABI_EINVAL); /* no batch */
    report.batch = 1;
    report.kind = 99;
    want(62, sip_call_report(&report), ABI_EINVAL);
    report.kind = 0;
    for (uint32_t i = 0; i < sizeof report.name; i++)
        report.name[i] = 'x'; /* without an end */
    want(63, sip_call_report(&report), ABI_EINVAL);
#ifndef __wasm__
    want(64, sip_call(ABI_trap, 0, 0, 0, 0), ABI_EINVAL);
    want(65, sip_call(ABI_trap, ABI_TRAP_KILLED, 0, 0, 0), ABI_EINVAL);
    want(66, sip_call(ABI_trap, UINT64_MAX, 0, 0, 0), ABI_EINVAL);
#endif
    return REFUSED;
}

/* Handles of every kind that name nothing of this SIP's, for every call that takes one. */
ATTACK(handles) {
    sip_handle block = sip_block(8);
    uint32_t forged[] = {0,
                         1,
                         255,
                         256,
                         0x7fffffff,
                         0x80000000,
                         0xffffffff,
                         0xffffff00,
                         orders ^ 0x40,
                         block ^ 0x4000,
                         orders + 1,
                         block + 1,
                         32,
                         64,
                         128};
    for (uint32_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        uint32_t bad = forged[i];
        want(i, sip_block_free(bad), ABI_EHANDLE);
        want(20 + i, sip_send(orders, bad, 1, 0), ABI_EHANDLE);
        want(40 + i, sip_send(bad, block, 1, 0), ABI_EHANDLE);
        want(60 + i, sip_call_recv(bad, ABI_RECV_POLL), ABI_EHANDLE);
        want(80 + i, sip_close(bad), ABI_EHANDLE);
        want(100 + i, sip_call_wait(&bad, 1), ABI_EHANDLE);
        want(120 + i, sip_start(bad), ABI_EHANDLE);
        want(140 + i, sip_wait(bad), ABI_EHANDLE);
        want(160 + i, sip_give(bad, orders, "x"), ABI_EHANDLE);
        if (bad)
            want(180 + i, sip_call_block_alloc(8, bad), ABI_EHANDLE);
    }
    return REFUSED;
}

/* What needs rights that this SIP does not have. */
ATTACK(rights) {
    want(1, sip_call_sip_create("calls", 5), ABI_EPERM);
    want(2, sip_call_sip_create("peer", 4), ABI_EPERM);
    for (uint32_t child = 0; child < 300; child++)
        want(3, sip_kill(child), ABI_EPERM);
    want(4, sip_call_calibrate(0), ABI_EPERM);
    for (uint32_t part = 0; part < 5; part++) {
        want(5, sip_call_device(part), ABI_EPERM);
        want(6, sip_call_irq_wait(part), ABI_EPERM);
    }
    return REFUSED;
}
/* With the right to create, but not these: SIPs that the run has started. */
ATTACK(create_started) {
    want(1, sip_call_sip_create("peer", 4), ABI_ENOENT);
    want(2, sip_call_sip_create("control", 7), ABI_ENOENT);
    want(3, sip_kill(1), ABI_EPERM);
    return REFUSED;
}
/* It may not fail the run, nor speak for it. */
ATTACK(fail_the_run) {
    sip_call_fail("an attacker says so", 19);
    return DONE;
}
ATTACK(report_to_the_run) {
    uint64_t value = 1;
    struct abi_report report = {
        .name = "forged", .batch = 1, .samples = 1, .values = (uintptr_t)&value};
    want(1, sip_call_report(&report), ABI_EPERM);
    return REFUSED;
}

/* ---- any arguments at all ---- */

static uint64_t random_state;
static uint32_t random(uint32_t below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % below;
}

/* Handles that it was given lately, good ones and stale ones, or a random number. */
enum {
    LATELY = 16
};
static uint32_t blocks[LATELY], ends[LATELY], children[LATELY];
static uint32_t some(const uint32_t *lately) {
    uint32_t kind = random(8);
    return kind == 0 ? (uint32_t)random_state : kind == 1 ? random(300) : lately[random(LATELY)];
}
static void keep(uint32_t *lately, int64_t got) {
    if (got > 0)
        lately[random(LATELY)] = (uint32_t)got;
}
static uint32_t some_number(void) {
    static const uint32_t edges[] = {0,    1,    7,       8,       63,       64,        65,
                                     4080, 4081, 1 << 18, 1 << 19, 1u << 31, UINT32_MAX};
    return random(2) ? edges[random(sizeof edges / sizeof edges[0])] : random(5000);
}
static const char *some_name(uint32_t *bytes) {
    static const char *const names[] = {"pipe", "pipe", "sleeper", "peer", "sleep", "x", "memory"};
    const char *name = names[random(sizeof names / sizeof names[0])];
    *bytes = 0;
    while (name[*bytes])
        ++*bytes;
    if (random(16) == 0)
        *bytes = (some_number() & 4095) | 32; /* too long for any name */
    return name;
}

/* One call; none that blocks without end, and none that ends this SIP when it is right. */
static void call_at_random(void) {
    uint32_t bytes;
    const char *name = some_name(&bytes);
    switch (random(18)) {
    case 0:
    case 1:
    case 2:
        keep(blocks, sip_call_block_alloc(some_number() % (1 << 19), random(2) ? some(ends) : 0));
        break;
    case 3:
    case 4:
        sip_call_block_free(some(blocks));
        break;
    case 5:
    case 6:
    case 7: {
        uint32_t end = some(ends); /* without a contract, that this does not end at once */
        if (end != orders)
            sip_call_send(end, some(blocks), random(4) ? 0 : some_number(), some_number());
        break;
    }
    case 8:
    case 9:
        keep(blocks, sip_call_recv(some(ends), random(16) ? ABI_RECV_POLL : some_number() | 2));
        break;
    case 10:
        keep(blocks, sip_call_pages_alloc(random(8) ? random(20) : some_number()));
        break;
    case 11: {
        int64_t both = sip_call_channel_create(name, bytes);
        keep(ends, both < 0 ? 0 : (uint32_t)both);
        keep(ends, both < 0 ? 0 : both >> 32);
        break;
    }
    case 12:
        sip_call_close(some(ends));
        break;
    case 13:
        keep(children, sip_call_sip_create(name, bytes));
        break;
    case 14:
        sip_call_sip_give(some(children), some(ends), name, bytes);
        break;
    case 15:
        sip_call_sip_start(some(children));
        break;
    case 16:
        sip_call_sip_kill(some(children));
        break;
    default:
        keep(ends, sip_call_endpoint(name, bytes));
        sip_call_param(name, bytes, 0);
        sip_call_yield();
    }
}
ATTACK(random_calls) {
    random_state = (uint64_t)sip_param("seed", 1) * 0x9e3779b97f4a7c15ull | 1;
    for (uint32_t i = 0; i < 7000; i++) /* and that three times, see control.c */
        call_at_random();
    return DONE;
}

#ifndef __wasm__
/* Every call with words that are anything: in bad pointers and numbers nothing is of the right kind. */
ATTACK(random_words) {
    static const uint64_t edges[] = {0,
                                     1,
                                     8,
                                     4096,
                                     1ull << 31,
                                     1ull << 32,
                                     1ull << 47,
                                     1ull << 63,
                                     UINT64_MAX,
                                     PHYS_VA,
                                     KERNEL_VA + KERNEL_PA,
                                     SIP_VA,
                                     HEAP0_VA,
                                     HEAP_VA,
                                     STUB_VA};
    random_state = (uint64_t)sip_param("seed", 1) * 0x9e3779b97f4a7c15ull | 1;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t call = random(ABI_CALL_COUNT);
        uint64_t words[4];
        for (uint32_t k = 0; k < 4; k++)
            words[k] = random(3) ? edges[random(sizeof edges / sizeof edges[0])] + random(3) - 1
                                 : (uint64_t)own + random(64);
        if (call == ABI_exit || call == ABI_thread_exit || call == ABI_trap || call == ABI_fail ||
            call == ABI_print)
            continue;
        sip_call(call, words[0], words[1], words[2], words[3]);
    }
    return DONE;
}
#endif

ATTACKS_OF(calls)
