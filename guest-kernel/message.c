/*
 * Messages: the two calls that the testbed is about, and what they need. A block moves from a slot of
 * the sender into the ring, and from the ring into a slot of the receiver.
 */
#include "calls.h"
#include "channel-dev/contract.h"
#include "channel_parts.h"
#include "events.h"
#include "kernel.h"

#define MAX_TYPE 0xffffu

/* The state of an end after it sends (receives) such a message, or PLAN_CONTRACT_REFUSED. */
static uint8_t end_step(const struct end *end, const uint8_t *table, uint64_t type,
                        uint64_t bytes) {
    const struct protocol *protocol = end->protocol;
    if (type >= PLAN_CONTRACT_TYPES ||
        (uint32_t)bytes - protocol->min_bytes[type] > protocol->span[type])
        return PLAN_CONTRACT_REFUSED;
    return table[end->state + type];
}

/* The same for the hot paths: also refuses what carries an end, which is then looked at again. */
static inline uint8_t end_step_plain(const struct end *end, const uint8_t *table, uint64_t type,
                                     uint32_t bytes) {
    const struct protocol *protocol = end->protocol;
    if (type >= PLAN_CONTRACT_TYPES ||
        bytes - protocol->plain_min[type] > protocol->plain_span[type])
        return PLAN_CONTRACT_REFUSED;
    return table[end->state + type];
}

static inline uint64_t *carried_handle(struct abi_message *message) {
    return (uint64_t *)((uint8_t *)(message + 1) + CONTRACT_ENDPOINT_OFFSET);
}

/* The end that a message of this type carries leaves its sender; false: the sender has no such end. */
static bool carry_take(struct sip *sip, struct end *via, struct abi_message *message,
                       struct carried *carried) {
    struct end *end = sip_end(sip, *carried_handle(message));
    if (!end || end->channel == via->channel || !channel_end_can_move(end))
        return false;
    carried->channel = end->channel;
    carried->side = end->side;
    end->channel->state[end->side] = end->state;
    end->channel->sip[end->side] = NULL;
    end->in->mode = end->out->mode = MODE_UNCONNECTED; /* nobody can send to it meanwhile */
    end->tag = 0;
    return true;
}

/*
 * And joins its receiver, who finds the new handle where the sender had put the old one. If the
 * receiver has no place for it, it is closed, and the handle is 0.
 */
static void carry_give(struct sip *sip, struct carried *carried, struct abi_message *message) {
    struct channel *channel = carried->channel;
    struct end *place = channel_end_place(sip, channel->plan->name);
    if (!place) {
        *carried_handle(message) = 0;
        channel_carried_close(carried);
        return;
    }
    channel_end_attach(channel, carried->side, sip, place, channel->plan->name);
    carried->channel = NULL;
    *carried_handle(message) = place->tag;
    if (channel->sip[0] && channel->sip[1])
        channel_connect(channel);
}

/* After a copied message was received: its block is the receiver's now, another takes its place. */
static __attribute__((noinline)) int64_t recv_refill(struct direction *in, uint64_t got) {
    block_t block = channel_spare(in);
    if (block == BLOCK_NONE)
        in->missing++;
    else
        in->spare[in->spares++] = block;
    if (in->missing)
        channel_refill(in);
    return (int64_t)got;
}

/*
 * The two calls below are the hot paths of the testbed. They call nothing on the way that a message
 * usually takes, so that the compiler keeps everything in scratch registers; what is rare is a tail
 * call of its own.
 */

/* Wakes a receiver that waits on several ends or wants the processor at once. */
static __attribute__((noinline)) int64_t send_wake_marked(struct direction *out) {
    bool direct = out->waiter & WAITER_DIRECT;
    struct thread *waiter = channel_woken(out);
    if (direct)
        thread_hand_over(waiter);
    else
        thread_ready(waiter);
    return ABI_OK;
}

static inline int64_t send_wake(struct direction *out) {
    uint64_t waiter = out->waiter;
    if (!waiter)
        return ABI_OK;
    if (waiter & WAITER_MARKS)
        return send_wake_marked(out);
    out->waiter = 0;
    thread_ready((struct thread *)waiter);
    return ABI_OK;
}

static __attribute__((noinline, noreturn)) void contract_violated(void) {
    sip_fault(ABI_TRAP_CONTRACT, "contract violation", 0, 0);
}

/* Between two heaps the block is copied or its pages move; the sender's block is free then. */
static int64_t send_block(struct end *end, struct slot *slot, uint32_t length, uint64_t type) {
    struct direction *out = end->out;
    block_t block = slot->block;
    if (out->mode == MODE_COPY) {
        if (!out->spares)
            return ABI_EFULL;
        block = out->spare[--out->spares];
        if (out->heap->guarded)
            heap_show(out->heap, block, length);
        if (length <= HEAP_ONE_PAGE_BYTES)
            memcpy(heap_message(block), slot_message(slot), length);
        else
            heap_copy(block, slot->block, length);
        events[EVENT_BYTES_COPIED] += length;
        heap_free(slot->block);
    } else if (out->mode == MODE_REMAP) {
        block = heap_remap(out->heap, slot->block);
        if (block == BLOCK_NONE)
            return ABI_ENOMEM;
    } else if (heap_of(block) != out->heap) {
        return ABI_EINVAL; /* shared: not a block of this channel */
    }
    out->types[ring_next_id(&out->driver)] = (uint32_t)type;
    int error = ring_push(&out->driver, phys_address(heap_message(block)), length, block);
    ASSERT(error == 0); /* send_slow has looked for room */
    events[EVENT_MESSAGES]++;
    sip_slot_drop(sip_current(), slot);
    return send_wake(out);
}

/* Every kind of send but the plain move; `slot`, `end` and the lengths are checked. */
static __attribute__((noinline)) int64_t send_slow(struct end *end, struct slot *slot,
                                                   uint32_t length, uint64_t type) {
    struct direction *out = end->out;
    struct sip *sip = sip_current();
    uint8_t before = end->state, next = 0;
    if (out->mode == MODE_CLOSED)
        return ABI_ECLOSED;
    if (out->mode == MODE_UNCONNECTED &&
        !(end->channel->sip[0] && end->channel->sip[1] && channel_connect(end->channel)))
        return end->channel->sip[0] && end->channel->sip[1] ? ABI_ENOMEM : ABI_EFULL;
    if (end->protocol) {
        next = end_step(end, end->sending, type, length - sizeof(struct abi_message));
        if (next == PLAN_CONTRACT_REFUSED)
            contract_violated();
    }
    if (ring_full(&out->driver))
        return ABI_EFULL;
    end->state = next;
    if (!end->protocol || !end->protocol->carries[type]) {
        int64_t error = send_block(end, slot, length, type);
        if (error)
            end->state = before;
        return error;
    }
    struct carried *carried = &out->carried[ring_next_id(&out->driver)];
    int64_t error = ABI_EHANDLE;
    if (carry_take(sip, end, slot_message(slot), carried)) {
        error = send_block(end, slot, length, type);
        if (error) /* the message did not go: the end is the sender's again, by another handle */
            carry_give(sip, carried, slot_message(slot));
    }
    if (error)
        end->state = before;
    return error;
}

int64_t abi_send(uint64_t endpoint, uint64_t handle, uint64_t type, uint64_t bytes) {
    struct sip *sip = sip_current();
    struct slot *slot = sip_slot(sip, handle);
    if (!slot)
        return ABI_EHANDLE;
    struct end *end = sip_end(sip, endpoint);
    if (!end)
        return ABI_EHANDLE;
    struct direction *out = end->out;
    uint32_t length = (uint32_t)bytes + (uint32_t)sizeof(struct abi_message);
    if (bytes > out->message_bytes || length > slot->bytes || type > MAX_TYPE)
        return ABI_EINVAL;
    if (out->mode != MODE_MOVE || out->driver.avail_idx == out->driver.full_at)
        return send_slow(end, slot, length, type);
    if (end->protocol) {
        uint8_t next = end_step_plain(end, end->sending, type, (uint32_t)bytes);
        if (next == PLAN_CONTRACT_REFUSED)
            return send_slow(end, slot, length, type);
        end->state = next;
    }
    out->types[out->driver.avail_idx & out->driver.mask] = (uint32_t)type;
    ring_push_free(&out->driver, slot->pa, length, slot->block);
    sip_slot_drop(sip, slot);
    events[EVENT_MESSAGES]++;
    return send_wake(out);
}

static __attribute__((noinline, noreturn)) void recv_broken(const struct direction *in) {
    PANIC("a ring that the kernel serves at both ends is broken: %s",
          in->device.broken ? in->device.broken : "its contract was not kept");
}

/* The SIP becomes the owner of the block that was taken off the ring. */
static inline int64_t recv_own(struct sip *sip, struct direction *in, block_t block, uint64_t pa,
                               uint32_t length, uint32_t type) {
    uint64_t va = in->heap_va + (uint64_t)(uint32_t)block * HEAP_UNIT_BYTES;
    uint64_t got = sip_slot_take(sip, block, pa, va, length) | (uint64_t)type << 32;
    return in->mode == MODE_COPY ? recv_refill(in, got) : (int64_t)got;
}

/* A message that the hot path does not know: it carries an end, which joins the receiver. */
static __attribute__((noinline)) int64_t recv_carried(struct sip *sip, struct end *end,
                                                      block_t block, uint64_t pa, uint32_t length,
                                                      uint32_t id) {
    struct direction *in = end->in;
    struct carried *carried = &in->carried[id];
    uint32_t type = in->types[id];
    uint8_t next = end_step(end, end->receiving, type, length - sizeof(struct abi_message));
    if (next == PLAN_CONTRACT_REFUSED || !carried->channel) /* the sender's end has checked it */
        recv_broken(in);
    end->state = next;
    carry_give(sip, carried, phys_pointer(pa));
    return recv_own(sip, in, block, pa, length, type);
}

/* A message waits. */
static inline int64_t recv_take(struct sip *sip, struct end *end) {
    struct direction *in = end->in;
    struct ring_element element;
    block_t block;
    if (ring_take(&in->driver, &in->device, &element, &block) <= 0)
        recv_broken(in);
    uint32_t type = in->types[element.id];
    if (end->protocol) {
        uint8_t next = end_step_plain(end, end->receiving, type,
                                      element.len - (uint32_t)sizeof(struct abi_message));
        if (next == PLAN_CONTRACT_REFUSED)
            return recv_carried(sip, end, block, element.addr, element.len, element.id);
        end->state = next;
    }
    return recv_own(sip, in, block, element.addr, element.len, type);
}

/* Nothing has arrived: waits, or says that there is no point in it. */
static __attribute__((noinline)) int64_t recv_wait(struct end *end) {
    uint32_t tag = end->tag;
again:;
    struct direction *in = end->in;
    if (in->mode == MODE_CLOSED)
        return ABI_ECLOSED;
    if (in->waiter)
        return ABI_EINVAL; /* another thread of this SIP waits here */
    in->waiter = (uint64_t)thread_current | channel_wake_mark;
    thread_block(); /* an end with a waiter is not closed or moved by its SIP */
    struct sip *sip = sip_current();
    if (end->tag != tag)
        return ABI_EHANDLE; /* but it may be once it was woken, before this thread runs */
    if (!channel_in_waiting(end->in))
        goto again;
    if (!sip->free_slot)
        return ABI_ENOMEM;
    return recv_take(sip, end);
}

int64_t abi_recv(uint64_t endpoint, uint64_t flags, uint64_t c UNUSED, uint64_t d UNUSED) {
    struct sip *sip = sip_current();
    struct end *end = sip_end(sip, endpoint);
    if (!end)
        return ABI_EHANDLE;
    if (!sip->free_slot)
        return ABI_ENOMEM;
    if (flags) {
        if (flags != ABI_RECV_POLL)
            return ABI_EINVAL;
        if (!channel_in_waiting(end->in))
            return end->in->mode == MODE_CLOSED ? ABI_ECLOSED : ABI_EEMPTY;
    }
    if (!channel_in_waiting(end->in))
        return recv_wait(end);
    return recv_take(sip, end);
}
