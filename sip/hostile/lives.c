/* Attacks by dying, closing and being killed at the worst moment, and by races of threads. */
#include "hostile.h"
#include "service_contract.h"

/* Some of everything: blocks, pages, channels with messages under way both ways, an end on its way. */
static struct sip_ends own_some(void) {
    struct sip_ends ends = sip_channel_create("pipe"), via = sip_channel_create("carrier"),
                    other = sip_channel_create("pipe");
    for (uint32_t i = 0; i < 5; i++) {
        sip_block(100);
        sip_block(10000);
        sip_pages(3);
        sip_send(ends.client, sip_block_for(ends.client, 8), 0, 8);
        sip_send(ends.server, sip_block_for(ends.server, 8), 0, 8);
    }
    sip_handle block = sip_block_for(via.client, 64);
    sip_msg_st64(block, 0, other.client);
    sip_send(via.client, block, SERVICE_SESSION, 8);
    return ends;
}
static sip_child start_sleeper(struct sip_ends *ends) {
    *ends = sip_channel_create("pipe");
    sip_child child = sip_create("sleeper");
    if (!child || sip_give(child, ends->server, "sleep") || sip_start(child))
        sip_call_exit(WRONG + 50);
    sip_yield();
    return child;
}

ATTACK(die_with_everything) {
    own_some();
    return DONE;
}
ATTACK(fault_with_everything) {
    own_some();
    __builtin_trap();
}
/* Children that run, that wait, and that were never started. */
ATTACK(die_with_children) {
    struct sip_ends ends;
    start_sleeper(&ends);
    start_sleeper(&ends);
    struct sip_ends other = sip_channel_create("pipe");
    sip_child child = sip_create("sleeper");
    want(1, sip_give(child, other.server, "sleep"), ABI_OK);
    sip_send(ends.client, sip_block_for(ends.client, 8), 0, 8);
    return DONE;
}
ATTACK(fault_with_children) {
    struct sip_ends ends;
    start_sleeper(&ends);
    sip_create("sleeper");
    __builtin_trap();
}
ATTACK(close_in_use) {
    struct sip_ends ends;
    sip_child child = start_sleeper(&ends);
    sip_send(ends.client, sip_block_for(ends.client, 8), 0, 8);
    want(1, sip_close(ends.client), ABI_OK);
    want(2, sip_close(ends.client), ABI_EHANDLE);
    want(3, sip_wait(child), 1); /* it had one message, and then its channel was closed */
    want(4, sip_wait(child), ABI_EHANDLE);
    want(5, sip_start(child), ABI_EHANDLE);
    return REFUSED;
}
ATTACK(handles_of_children) {
    struct sip_ends ends;
    sip_child child = start_sleeper(&ends);
    want(1, sip_start(child), ABI_EHANDLE); /* it runs */
    want(2, sip_give(child, ends.client, "late"), ABI_EHANDLE);
    want(3, sip_kill(child), ABI_EPERM);
    want(4, sip_wait(child + 128), ABI_EHANDLE);
    for (uint32_t number = 0; number < 128; number++) {
        want(5, sip_wait((child & ~127u) + number == child ? 0 : (child & ~127u) + number),
             ABI_EHANDLE);
        want(6, sip_wait(128 + number == child ? 0 : 128 + number), ABI_EHANDLE);
    }
    want(7, sip_close(ends.client), ABI_OK);
    want(8, sip_wait(child), 0);
    child = sip_create("sleeper");
    want(9, sip_wait(child), ABI_EHANDLE); /* it was never started */
    return REFUSED;
}

/* ---- killed by the controller ---- */

static void ask_for_death(void) { tell(EVIDENCE_KILL_ME, 0); }
ATTACK(killed_blocked) {
    ask_for_death();
    sip_recv(own_some().client);
    sip_recv(orders);
    return DONE;
}
ATTACK(killed_ready) {
    own_some();
    ask_for_death();
    for (uint32_t i = 0; i < 1000000; i++)
        sip_yield();
    return DONE;
}
ATTACK(killed_in_wait_set) {
    struct sip_ends a = sip_channel_create("pipe"), b = sip_channel_create("pipe");
    sip_endpoint set[] = {a.client, b.client, orders, a.server};
    ask_for_death();
    sip_wait_any(set, 4);
    return DONE;
}
ATTACK(killed_waiting_for_child) {
    struct sip_ends ends;
    sip_child child = start_sleeper(&ends);
    ask_for_death();
    sip_wait(child);
    return DONE;
}

#ifndef __wasm__
enum {
    STACK_BYTES = 16384
};
static uint8_t stacks[3][STACK_BYTES] __attribute__((aligned(16)));
static volatile int64_t result[3] = {1, 1, 1};
static struct sip_ends shared;

static void forever(uint32_t unused) {
    (void)unused;
    for (;;)
        sip_yield();
}
static void receiver(uint32_t index) { result[index] = sip_call_recv(shared.server, 0); }
ATTACK(die_with_threads) {
    own_some();
    for (uint32_t i = 0; i < 3; i++)
        want(i, sip_thread(forever, 0, stacks[i], STACK_BYTES), ABI_OK);
    sip_yield();
    return DONE;
}
ATTACK(killed_with_threads) {
    own_some();
    shared = sip_channel_create("pipe");
    want(1, sip_thread(forever, 0, stacks[0], STACK_BYTES), ABI_OK);
    want(2, sip_thread(receiver, 1, stacks[1], STACK_BYTES), ABI_OK);
    ask_for_death();
    sip_recv(orders);
    return DONE;
}
static void fault(uint32_t unused) {
    (void)unused;
    __builtin_trap();
}
ATTACK(fault_in_thread) {
    want(1, sip_thread(fault, 0, stacks[0], STACK_BYTES), ABI_OK);
    sip_recv(orders);
    return DONE;
}
static void overflow(uint32_t depth) {
    volatile uint64_t here[64];
    here[0] = depth;
    if (depth < 1u << 20)
        overflow(depth + 1);
    here[1] = here[0];
}
/* A thread's stack lies among the variables: its overflow harms only this SIP. */
ATTACK(overflow_in_thread) {
    want(1, sip_thread(overflow, 0, stacks[2], STACK_BYTES), ABI_OK);
    sip_recv(orders);
    return DONE;
}

/* Closes an end while another thread waits there. */
ATTACK(close_under_waiter) {
    shared = sip_channel_create("pipe");
    want(1, sip_thread(receiver, 0, stacks[0], STACK_BYTES), ABI_OK);
    sip_yield();
    want(2, sip_close(shared.server), ABI_EINVAL);
    want(3, sip_call_recv(shared.server, 0), ABI_EINVAL);
    want(4, sip_close(shared.client), ABI_OK);
    sip_yield();
    want(5, result[0], ABI_ECLOSED);
    return REFUSED;
}
/*
 * The waiter's channel is closed on both sides before it runs again, and the kernel's memory of that
 * channel is used for another one: nothing of the new one may reach the waiter.
 */
ATTACK(stale_waiter) {
    shared = sip_channel_create("pipe");
    want(1, sip_thread(receiver, 0, stacks[0], STACK_BYTES), ABI_OK);
    sip_yield();
    want(2, sip_close(shared.client), ABI_OK); /* the waiter is ready now */
    want(3, sip_close(shared.server), ABI_OK);
    struct sip_ends reused = sip_channel_create("pipe");
    want(4, reused.client != 0, true);
    sip_yield();
    want(5, sip_send(reused.client, sip_block_for(reused.client, 8), 0, 8), ABI_OK);
    sip_yield();
    want(6, result[0] == ABI_ECLOSED || result[0] == ABI_EHANDLE, true);
    want(7, sip_poll(reused.server).error, ABI_OK); /* the message is where it belongs */
    return REFUSED;
}
/* All slots are taken while a thread waits for a message, which comes then. */
ATTACK(slots_gone_under_waiter) {
    shared = sip_channel_create("pipe");
    sip_handle message = sip_block_for(shared.client, 8);
    want(1, sip_thread(receiver, 0, stacks[0], STACK_BYTES), ABI_OK);
    sip_yield();
    while (sip_block(8))
        ;
    want(2, sip_send(shared.client, message, 0, 8), ABI_OK);
    sip_block(8);
    sip_yield();
    want(3, result[0], ABI_ENOMEM);
    return REFUSED;
}
/* Messages on two ends of one wait set before its thread runs. */
static struct sip_ends second;
static void wait_on_both(uint32_t index) {
    sip_endpoint set[] = {shared.server, second.server};
    for (uint32_t i = 0; i < 2; i++) {
        int64_t at = sip_wait_any(set, 2);
        if (at < 0)
            return;
        sip_block_free(sip_poll(set[at]).handle);
    }
    result[index] = ABI_OK;
}
ATTACK(wake_twice) {
    shared = sip_channel_create("pipe");
    second = sip_channel_create("pipe");
    want(1, sip_thread(wait_on_both, 0, stacks[0], STACK_BYTES), ABI_OK);
    sip_yield();
    want(2, sip_send(shared.client, sip_block_for(shared.client, 8), 0, 8), ABI_OK);
    want(3, sip_send(second.client, sip_block_for(second.client, 8), 0, 8), ABI_OK);
    for (uint32_t i = 0; i < 4; i++)
        sip_yield();
    want(4, result[0], ABI_OK);
    return REFUSED;
}
#endif

ATTACKS_OF(lives)
