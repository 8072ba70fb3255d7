/* Channels. Blocks move from a slot into the ring and from the ring into a slot of the receiver. */
#include "channel.h"
#include "calls.h"
#include "events.h"
#include "kernel.h"

struct direction { /* from one end to the other */
    struct ring_driver driver;
    struct ring_device device;
    struct thread *waiter;   /* the receiver, blocked */
    uint64_t heap_va;        /* where the receiver sees unit 0 of its heap */
    uint32_t message_bytes;
    bool closed;             /* one of the ends is gone */
    bool copy;
    struct heap *heap;       /* of the receiver */
    uint32_t spares;         /* copy: blocks of the receiver's heap, ready to be filled */
    uint32_t missing;        /* blocks that had to be left out of `spare` for lack of memory */
    block_t spare[PLAN_MAX_DEPTH];
    struct ring_slot slots[PLAN_MAX_DEPTH];
    uint8_t memory[RING_BYTES(PLAN_MAX_DEPTH)] __attribute__((aligned(RING_LINE_BYTES)));
};

struct channel {
    const struct plan_channel *plan;
    struct sip *sip[2];     /* client and server; NULL once that end is closed */
    struct direction to[2]; /* by receiving side */
};

static struct channel channels[PLAN_MAX_CHANNELS];
static uint32_t channel_count;
static bool wake_direct; /* as the plan asks */

/* A ring cookie is a block's name (heap numbers are small) with the message's type above it. */
#define COOKIE_TYPE_SHIFT 48
#define MAX_TYPE 0xffffu
static inline block_t cookie_block(uint64_t cookie) {
    return cookie & ((1ull << COOKIE_TYPE_SHIFT) - 1);
}

static void end_open(struct channel *channel, uint8_t side, const struct plan_contract *contract) {
    struct sip *sip = channel->sip[side];
    for (uint32_t i = 1; i < SIP_ENDS; i++) {
        struct end *end = &sip->end[i];
        if (end->tag)
            continue;
        sip->next_end_tag += SIP_ENDS;
        *end = (struct end){.in = &channel->to[side],
                            .out = &channel->to[side ^ 1],
                            .contract = contract,
                            .channel = channel,
                            .tag = sip->next_end_tag + i,
                            .side = side,
                            .state = contract ? (uint8_t)contract->start : 0};
        return;
    }
    run_end(RESULT_FAILED, "SIP '%s' has more than %u channels; split it", sip->plan->name,
            SIP_ENDS - 1);
}

static block_t spare_alloc(const struct direction *direction) {
    return heap_alloc(direction->heap, direction->message_bytes + sizeof(struct abi_message));
}

/* Replaces blocks that were received, as far as the receiver's heap allows. */
static void spare_refill(struct direction *direction) {
    for (; direction->missing; direction->missing--) {
        block_t block = spare_alloc(direction);
        if (block == BLOCK_NONE)
            return;
        direction->spare[direction->spares++] = block;
    }
}

static void direction_create(struct channel *channel, uint32_t side) {
    struct direction *direction = &channel->to[side];
    uint32_t depth = channel->plan->depth;
    struct ring_memory memory = ring_layout(direction->memory, depth);
    direction->message_bytes = channel->plan->message_bytes;
    int error = ring_driver_init(&direction->driver, &memory, depth, direction->slots, NULL, NULL);
    error |= ring_device_init(&direction->device, &memory, depth,
                              direction->message_bytes + (uint32_t)sizeof(struct abi_message), NULL,
                              NULL);
    ASSERT(error == 0);
    direction->heap = channel->sip[side]->domain->heap;
    direction->heap_va = direction->heap->va;
    direction->copy = channel->plan->transfer == PLAN_TRANSFER_COPY;
    direction->missing = direction->copy ? depth : 0;
    spare_refill(direction);
    if (direction->missing)
        run_end(RESULT_FAILED,
                "no memory for the receive blocks of channel '%s': give the guest more memory, or "
                "the channel less depth or smaller messages",
                channel->plan->name);
}

void channel_create_all(const struct plan_header *plan) {
    const struct plan_channel *list = plan_at(plan, plan->channels);
    const struct plan_contract *contracts = plan_at(plan, plan->contracts);
    channel_count = plan->channels.count;
    wake_direct = plan->flags & PLAN_WAKE_DIRECT;
    for (uint32_t i = 0; i < channel_count; i++) {
        struct channel *channel = &channels[i];
        channel->plan = &list[i];
        channel->sip[0] = &sip_table[list[i].from];
        channel->sip[1] = &sip_table[list[i].to];
        if (list[i].transfer > PLAN_TRANSFER_COPY)
            run_end(RESULT_FAILED, "channel '%s' asks for a transfer kind that this kernel lacks",
                    list[i].name);
        direction_create(channel, 0);
        direction_create(channel, 1);
        const struct plan_contract *contract =
            list[i].contract == PLAN_NONE ? NULL : &contracts[list[i].contract];
        end_open(channel, 0, contract);
        end_open(channel, 1, contract);
    }
}

uint32_t channel_endpoint(struct sip *sip, const char *name) {
    for (uint32_t i = 1; i < SIP_ENDS; i++)
        if (sip->end[i].tag && string_equal(sip->end[i].channel->plan->name, name))
            return sip->end[i].tag;
    return 0;
}

/* After a copied message was received: its block is the receiver's now, another takes its place. */
static __attribute__((noinline)) int64_t recv_refill(struct direction *in, uint64_t got) {
    in->missing++;
    spare_refill(in);
    return (int64_t)got;
}

/* The state after this end sends (receives) such a message, or PLAN_CONTRACT_REFUSED. */
static inline uint8_t contract_next(const struct end *end, uint32_t sender, uint64_t type,
                                    uint64_t bytes) {
    const struct plan_contract *contract = end->contract;
    if (type >= contract->types || contract->from_client[type] != (sender == 0) ||
        bytes > contract->max_bytes[type])
        return PLAN_CONTRACT_REFUSED;
    return contract->next[end->state][type];
}

/*
 * The two calls below are the hot paths of the testbed. They call nothing on the way that a message
 * usually takes, so that the compiler keeps everything in scratch registers; what is rare is a tail
 * call of its own.
 */

/* Wakes the receiver in the way that the layout asks for. */
static inline int64_t send_wake(struct direction *out) {
    struct thread *waiter = out->waiter;
    if (waiter) {
        out->waiter = NULL;
        if (wake_direct) {
            thread_hand_over(waiter);
            return ABI_OK;
        }
        thread_ready(waiter);
    }
    return ABI_OK;
}

/* The sender's block, copied into one of the receiver's; the sender's is free then. */
static __attribute__((noinline)) int64_t send_copy(struct end *end, struct slot *slot,
                                                   uint32_t length, uint64_t type) {
    struct direction *out = end->out;
    if (!out->spares)
        return ABI_EFULL;
    block_t block = out->spare[out->spares - 1];
    if (ring_push(&out->driver, phys_address(heap_message(block)), length,
                  block | type << COOKIE_TYPE_SHIFT))
        return ABI_EFULL;
    out->spares--;
    heap_copy(block, slot->block, length);
    events[EVENT_BYTES_COPIED] += length;
    events[EVENT_MESSAGES]++;
    heap_free(slot->block);
    sip_slot_drop(sip_current(), slot);
    return send_wake(out);
}

static __attribute__((noinline, noreturn)) void contract_violated(void) {
    sip_fault("contract violation", 0, 0);
}

int64_t abi_send(uint64_t endpoint, uint64_t handle, uint64_t type, uint64_t bytes) {
    struct sip *sip = sip_current();
    struct slot *slot = sip_slot(sip, handle);
    struct end *end = sip_end(sip, endpoint);
    if (!slot || !end)
        return ABI_EHANDLE;
    struct direction *out = end->out;
    uint32_t length = (uint32_t)bytes + (uint32_t)sizeof(struct abi_message);
    if (bytes > out->message_bytes || length > slot->bytes || type > MAX_TYPE)
        return ABI_EINVAL;
    if (out->closed)
        return ABI_ECLOSED;
    if (end->contract) {
        uint8_t next = contract_next(end, end->side, type, bytes);
        if (next == PLAN_CONTRACT_REFUSED)
            contract_violated();
        if (out->copy ? !out->spares
                      : out->driver.free_head == RING_END && ring_reclaim(&out->driver))
            return ABI_EFULL;
        end->state = next;
    }
    struct abi_message *message = slot->message;
    message->type = (uint32_t)type;
    message->bytes = (uint32_t)bytes;
    if (out->copy)
        return send_copy(end, slot, length, type);
    if (ring_push(&out->driver, phys_address(message), length,
                  slot->block | type << COOKIE_TYPE_SHIFT))
        return ABI_EFULL;
    events[EVENT_MESSAGES]++;
    sip_slot_drop(sip, slot);
    return send_wake(out);
}

static __attribute__((noinline, noreturn)) void recv_broken(const struct direction *in) {
    PANIC("a ring that the kernel serves at both ends is broken: %s",
          in->device.broken ? in->device.broken : "forged descriptor");
}

/* A message waits: the SIP becomes the owner of its block. */
static inline int64_t recv_take(struct sip *sip, struct end *end) {
    struct direction *in = end->in;
    struct ring_element element;
    uint64_t cookie;
    if (ring_pop(&in->device, &element) <= 0 ||
        ring_driver_cookie(&in->driver, element.id, &cookie))
        recv_broken(in);
    ring_complete(&in->device, element.id, 0);
    block_t block = cookie_block(cookie);
    uint64_t type = cookie >> COOKIE_TYPE_SHIFT;
    if (end->contract) {
        uint8_t next = contract_next(end, end->side ^ 1u, type,
                                     element.len - sizeof(struct abi_message));
        ASSERT(next != PLAN_CONTRACT_REFUSED); /* the sender's end has checked it too */
        end->state = next;
    }
    uint64_t va = in->heap_va + (uint64_t)(uint32_t)block * HEAP_UNIT_BYTES;
    uint32_t got = sip_slot_take(sip, block, phys_pointer(element.addr), va, element.len);
    if (in->copy)
        return recv_refill(in, got | type << 32);
    return (int64_t)(got | type << 32);
}

static inline bool recv_empty(const struct direction *in) {
    return RING_LOAD(in->device.avail->idx) == in->device.last_avail;
}

/* Nothing has arrived: waits, or says why there is no point in it. */
static __attribute__((noinline)) int64_t recv_wait(struct sip *sip, struct end *end,
                                                   uint64_t flags) {
    struct direction *in = end->in;
    do {
        if (in->closed)
            return ABI_ECLOSED;
        if (flags & ABI_RECV_POLL)
            return ABI_EEMPTY;
        if (in->waiter)
            return ABI_EINVAL; /* another thread of this SIP waits here */
        in->waiter = thread_current;
        thread_block();
    } while (recv_empty(in));
    return recv_take(sip, end);
}

int64_t abi_recv(uint64_t endpoint, uint64_t flags, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct sip *sip = sip_current();
    struct end *end = sip_end(sip, endpoint);
    if (!end)
        return ABI_EHANDLE;
    if (flags & ~(uint64_t)ABI_RECV_POLL)
        return ABI_EINVAL;
    if (!sip->free_slot)
        return ABI_ENOMEM;
    if (recv_empty(end->in))
        return recv_wait(sip, end, flags);
    return recv_take(sip, end);
}

static void direction_drain(struct direction *direction) {
    struct ring_element element;
    uint64_t cookie;
    while (ring_pop(&direction->device, &element) > 0 &&
           ring_driver_cookie(&direction->driver, element.id, &cookie) == 0) {
        ring_complete(&direction->device, element.id, 0);
        heap_free(cookie_block(cookie));
    }
    while (direction->spares)
        heap_free(direction->spare[--direction->spares]);
}

void channel_close_all(struct sip *sip) {
    for (uint32_t i = 1; i < SIP_ENDS; i++) {
        struct end *end = &sip->end[i];
        if (!end->tag)
            continue;
        end->channel->sip[end->side] = NULL;
        end->in->closed = end->out->closed = true;
        direction_drain(end->in);
        end->in->waiter = NULL;
        if (end->out->waiter) {
            thread_ready(end->out->waiter);
            end->out->waiter = NULL;
        }
        end->tag = 0;
    }
}

uint32_t channel_waiting(char *text, uint64_t room) {
    uint32_t waiting = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < channel_count; i++)
        for (uint32_t side = 0; side < 2; side++) {
            const struct thread *waiter = channels[i].to[side].waiter;
            if (!waiter || waiting++ >= 4)
                continue;
            size_t used = strlen(text);
            format_text(text + used, room - used, "%s'%s' waits on channel '%s'",
                        waiting > 1 ? ", " : "", waiter->sip->plan->name, channels[i].plan->name);
        }
    return waiting;
}
