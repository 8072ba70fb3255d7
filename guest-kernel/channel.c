/* Channels: making them, joining and moving their ends, waiting on several, closing. */
#include "channel_parts.h"
#include "channel-dev/contract.h"
#include "events.h"
#include "kernel.h"

#define CHANNELS HEAPS_OF_CHANNELS

static struct channel channels[CHANNELS];
static struct channel *free_channels;
static struct protocol protocols[PLAN_MAX_CONTRACTS];
uint64_t channel_wake_mark;

/* ---- making and joining ---- */

void channel_refill(struct direction *direction) {
    for (; direction->missing; direction->missing--) {
        block_t block = channel_spare(direction);
        if (block == BLOCK_NONE)
            return;
        direction->spare[direction->spares++] = block;
    }
}

static void spare_drop(struct direction *direction) {
    while (direction->spares)
        heap_free(direction->spare[--direction->spares]);
    direction->missing = 0;
}

static void channel_release(struct channel *channel);

static void heap_emptied(struct heap *heap) {
    struct channel *channel = (struct channel *)((uint8_t *)heap - offsetof(struct channel, heap));
    if (!channel->plan)
        channel_release(channel);
}

/* A heap that its two ends map, and nobody else; a new one if an end was moved since. */
static bool channel_heap(struct channel *channel, const struct domain *client,
                         const struct domain *server) {
    struct heap *heap = &channel->heap;
    struct space *second = server->space != client->space ? server->space : NULL;
    if (channel->has_heap) {
        if (heap->space[0] == client->space && heap->space[1] == second)
            return true;
        ASSERT(!heap->live); /* else no end can move */
        heap_destroy(heap);
        channel->has_heap = false;
    }
    uint32_t number = HEAPS_OF_DOMAINS + (uint32_t)(channel - channels);
    if (!heap_create(heap, number, client->space, PLAN_PAGES_4K, SPACE_WRITE | client->access))
        return false;
    heap->guarded = false; /* its blocks stay mapped at both ends */
    heap->emptied = heap_emptied;
    if (second)
        heap_share(heap, second, SPACE_WRITE | server->access);
    channel->has_heap = true;
    return true;
}

bool channel_connect(struct channel *channel) {
    const struct domain *client = channel->sip[0]->domain, *server = channel->sip[1]->domain;
    uint32_t transfer = channel->plan->transfer;
    bool dynamic = channel->plan->from == PLAN_NONE;
    if (transfer == PLAN_TRANSFER_AUTO ||
        (dynamic && transfer == PLAN_TRANSFER_REMAP && client->heap == server->heap))
        transfer = client->heap == server->heap ? PLAN_TRANSFER_MOVE : PLAN_TRANSFER_COPY;
    if (transfer == PLAN_TRANSFER_MOVE && client->heap != server->heap)
        return false;
    if (transfer == PLAN_TRANSFER_REMAP &&
        (!client->heap->guarded || !server->heap->guarded || client->heap == server->heap))
        return false;
    if (transfer == PLAN_TRANSFER_SHARED && !channel_heap(channel, client, server))
        return false;
    for (uint32_t side = 0; side < 2; side++) {
        struct direction *direction = &channel->to[side];
        struct heap *heap = channel->has_heap ? &channel->heap : channel->sip[side]->domain->heap;
        if (heap != direction->heap || transfer != direction->mode)
            spare_drop(direction);
        direction->heap = heap;
        direction->heap_va = heap->va;
        if (direction->mode != MODE_CLOSED)
            direction->mode = (uint8_t)transfer;
        if (transfer == PLAN_TRANSFER_COPY) {
            direction->missing = channel->plan->depth - direction->spares;
            channel_refill(direction);
        }
    }
    return true;
}

static void direction_reset(struct channel *channel, uint32_t side) {
    struct direction *direction = &channel->to[side];
    uint32_t depth = channel->plan->depth;
    struct ring_memory memory = ring_layout(direction->memory, depth);
    direction->message_bytes = channel->plan->message_bytes;
    int error =
        ring_driver_init(&direction->driver, &memory, depth, direction->cookies, NULL, NULL);
    error |= ring_device_init(&direction->device, &memory, depth,
                              direction->message_bytes + (uint32_t)sizeof(struct abi_message), NULL,
                              NULL);
    ASSERT(error == 0);
    ring_join(&direction->driver, &direction->device);
    direction->waiter = 0;
    direction->mode = MODE_UNCONNECTED;
    direction->heap = NULL;
    direction->spares = direction->missing = 0;
    for (uint32_t i = 0; i < depth; i++)
        direction->carried[i].channel = NULL;
}

static struct channel *channel_take(const struct plan_channel *plan) {
    struct channel *channel = free_channels;
    if (!channel)
        return NULL;
    free_channels = channel->next;
    channel->plan = plan;
    channel->protocol = plan->contract == PLAN_NONE ? NULL : &protocols[plan->contract];
    channel->state[0] = channel->state[1] = channel->protocol ? channel->protocol->start : 0;
    channel->open = 3;
    channel->has_heap = false;
    direction_reset(channel, 0);
    direction_reset(channel, 1);
    return channel;
}

/* Its heap stays as long as somebody owns a block of it; see heap_emptied. */
static void channel_release(struct channel *channel) {
    channel->plan = NULL;
    if (channel->has_heap) {
        if (channel->heap.live)
            return;
        heap_destroy(&channel->heap);
    }
    channel->next = free_channels;
    free_channels = channel;
}

struct end *channel_end_place(struct sip *sip, const char *name) {
    struct end *place = NULL;
    for (uint32_t i = 1; i < SIP_ENDS; i++) {
        struct end *end = &sip->end[i];
        if (!end->tag)
            return end;
        if (end->in->mode == MODE_CLOSED && !channel_in_waiting(end->in) &&
            string_equal(sip->end_name[i], name))
            place = end;
    }
    if (place)
        channel_close(place);
    return place;
}

void channel_end_attach(struct channel *channel, uint32_t side, struct sip *sip, struct end *end,
                        const char *name) {
    sip->next_end_tag += SIP_ENDS;
    if (sip->next_end_tag > 0x7fffff00u)
        sip->next_end_tag = SIP_ENDS;
    channel->sip[side] = sip;
    *end = (struct end){.in = &channel->to[side],
                        .out = &channel->to[side ^ 1],
                        .protocol = channel->protocol,
                        .sending = channel->protocol ? channel->protocol->next[side] : NULL,
                        .receiving = channel->protocol ? channel->protocol->next[side ^ 1] : NULL,
                        .channel = channel,
                        .tag = sip->next_end_tag + (uint32_t)(end - sip->end),
                        .side = (uint8_t)side,
                        .state = channel->state[side]};
    format_text(sip->end_name[end - sip->end], PLAN_NAME_BYTES, "%s", name);
}

/* NULL, or why it could not be made; nothing is kept then. */
static const char *channel_create_planned(const struct plan_channel *plan) {
    struct sip *sip[2] = {sip_of_plan(plan->from), sip_of_plan(plan->to)};
    if (!sip[0] || !sip[1])
        return NULL; /* one of them is not started by the plan, or has ended */
    struct channel *channel = channel_take(plan);
    if (!channel)
        return "there are too many channels";
    struct end *end[2] = {channel_end_place(sip[0], plan->name),
                          channel_end_place(sip[1], plan->name)};
    if (!end[0] || !end[1]) {
        channel_release(channel);
        return "one of its SIPs has too many channels";
    }
    channel_end_attach(channel, 0, sip[0], end[0], plan->name);
    channel_end_attach(channel, 1, sip[1], end[1], plan->name);
    const char *why = NULL;
    if (!channel_connect(channel))
        why = "its transfer kind is not possible between these domains, or there is no memory";
    else if (channel->to[0].missing || channel->to[1].missing)
        why = "no memory for its receive blocks: give the guest more memory, or the channel less "
              "depth or smaller messages";
    if (why) {
        channel_close(end[0]);
        channel_close(end[1]);
    }
    return why;
}

static void protocol_create(struct protocol *protocol, const struct plan_contract *contract) {
    memset(protocol->next, PLAN_CONTRACT_REFUSED, sizeof protocol->next);
    for (uint32_t type = 0; type < PLAN_CONTRACT_TYPES; type++) {
        protocol->min_bytes[type] = protocol->plain_min[type] = UINT32_MAX; /* refuses any length */
        if (type >= contract->types)
            continue;
        for (uint32_t state = 0; state < contract->states; state++)
            for (uint32_t sender = 0; sender < 2; sender++) {
                uint8_t next = contract_step(contract, (uint8_t)state, type, sender == 0);
                if (next != PLAN_CONTRACT_REFUSED)
                    protocol->next[sender][state << STATE_SHIFT | type] =
                        (uint8_t)(next << STATE_SHIFT);
            }
        protocol->min_bytes[type] = contract->min_bytes[type];
        protocol->span[type] = contract->max_bytes[type] - contract->min_bytes[type];
        protocol->carries[type] = contract->carries_endpoint[type];
        if (!protocol->carries[type]) {
            protocol->plain_min[type] = protocol->min_bytes[type];
            protocol->plain_span[type] = protocol->span[type];
        }
    }
    protocol->start = (uint8_t)(contract->start << STATE_SHIFT);
}

static void create_or_end_run(const struct plan_channel *plan) {
    const char *why = channel_create_planned(plan);
    if (why)
        run_end(RESULT_FAILED, "channel '%s': %s", plan->name, why);
}

void channel_create_all(const struct plan_header *plan) {
    const struct plan_channel *list = plan_at(plan, plan->channels);
    const struct plan_contract *contracts = plan_at(plan, plan->contracts);
    for (uint32_t i = 0; i < plan->contracts.count; i++)
        protocol_create(&protocols[i], &contracts[i]);
    channel_wake_mark = plan->flags & PLAN_WAKE_DIRECT ? WAITER_DIRECT : 0;
    for (uint32_t i = CHANNELS; i-- > 0;) {
        channels[i].next = free_channels;
        free_channels = &channels[i];
    }
    for (uint32_t i = 0; i < plan->channels.count; i++)
        if (list[i].from != PLAN_NONE)
            create_or_end_run(&list[i]);
}

void channel_create_for(uint32_t plan_sip) {
    const struct plan_channel *list = plan_at(kernel_plan, kernel_plan->channels);
    for (uint32_t i = 0; i < kernel_plan->channels.count; i++) {
        if (list[i].from != plan_sip && list[i].to != plan_sip)
            continue;
        const char *why = channel_create_planned(&list[i]);
        if (why) /* a peer may have brought it about: it must not end the run */
            console_print("channel '%s' could not be made again: %s\n", list[i].name, why);
    }
}

int64_t channel_create_dynamic(struct sip *sip, const char *name) {
    const struct plan_channel *list = plan_at(kernel_plan, kernel_plan->channels);
    const struct plan_channel *plan = NULL;
    for (uint32_t i = 0; i < kernel_plan->channels.count; i++)
        if (list[i].from == PLAN_NONE && string_equal(list[i].name, name))
            plan = &list[i];
    if (!plan)
        return ABI_ENOENT;
    struct end *end[2] = {NULL, NULL};
    for (uint32_t i = 1, found = 0; i < SIP_ENDS && found < 2; i++)
        if (!sip->end[i].tag)
            end[found++] = &sip->end[i];
    if (!end[1])
        return ABI_ENOMEM;
    struct channel *channel = channel_take(plan);
    if (!channel)
        return ABI_ENOMEM;
    channel_end_attach(channel, 0, sip, end[0], name);
    channel_end_attach(channel, 1, sip, end[1], name);
    /* How messages pass is settled when an end moves away, or at the first send. */
    return (int64_t)((uint64_t)end[1]->tag << 32 | end[0]->tag);
}

bool channel_end_can_move(const struct end *end) {
    return end->in->mode != MODE_CLOSED && !end->in->waiter && !channel_in_waiting(end->in) &&
           !(end->channel->has_heap && end->channel->heap.live);
}

int64_t channel_move_end(struct end *end, struct sip *to, const char *name) {
    if (!channel_end_can_move(end))
        return ABI_EINVAL;
    struct end *place = channel_end_place(to, name);
    if (!place)
        return ABI_ENOMEM;
    struct channel *channel = end->channel;
    channel->state[end->side] = end->state;
    channel_end_attach(channel, end->side, to, place, name);
    end->tag = 0;
    return channel->sip[0] && channel->sip[1] && !channel_connect(channel) ? ABI_ENOMEM : ABI_OK;
}

uint32_t channel_endpoint(struct sip *sip, const char *name) {
    uint32_t found = 0;
    bool open = false;
    for (uint32_t i = 1; i < SIP_ENDS; i++) {
        const struct end *end = &sip->end[i];
        if (!end->tag || !string_equal(sip->end_name[i], name))
            continue;
        bool is_open = end->in->mode != MODE_CLOSED;
        if (!found || (is_open && (!open || end->tag > found)))
            found = end->tag;
        open |= is_open;
    }
    return found;
}

block_t channel_block(struct sip *sip, struct end *end, uint64_t bytes) {
    struct channel *channel = end->channel;
    bool both = channel->sip[0] && channel->sip[1];
    if (both && end->out->mode == MODE_UNCONNECTED && !channel_connect(channel))
        return BLOCK_NONE;
    if (!both || !channel->has_heap)
        return heap_alloc(sip->domain->heap, bytes);
    block_t block = heap_alloc(&channel->heap, bytes);
    channel->heap.live += block != BLOCK_NONE;
    return block;
}

int64_t channel_wait(struct sip *sip, const uint32_t *endpoints, uint64_t count) {
    for (;;) {
        for (uint64_t i = 0; i < count; i++) {
            struct end *end = sip_end(sip, endpoints[i]);
            if (!end)
                return ABI_EHANDLE;
            if (channel_in_waiting(end->in) || end->in->mode == MODE_CLOSED)
                return (int64_t)i;
            if (end->in->waiter)
                return ABI_EINVAL;
        }
        for (uint64_t i = 0; i < count; i++)
            sip_end(sip, endpoints[i])->in->waiter =
                (uint64_t)thread_current | WAITER_OF_SET | channel_wake_mark;
        thread_block();
    }
}

struct thread *channel_woken(struct direction *in) {
    uint64_t marked = in->waiter;
    struct thread *thread = channel_waiter(in);
    for (uint32_t i = 1; marked & WAITER_OF_SET && i < SIP_ENDS; i++) {
        struct end *end = &thread->sip->end[i];
        if (end->tag && end->in->waiter == marked)
            end->in->waiter = 0;
    }
    in->waiter = 0;
    return thread;
}

/* ---- closing ---- */

static void direction_drain(struct direction *direction) {
    struct ring_element element;
    block_t block;
    while (ring_take(&direction->driver, &direction->device, &element, &block) > 0) {
        if (direction->carried[element.id].channel)
            channel_carried_close(&direction->carried[element.id]);
        heap_free(block);
    }
    spare_drop(direction);
}

/* One side of a channel is gone, from a SIP or on its way. */
static void side_close(struct channel *channel, uint32_t side) {
    struct direction *in = &channel->to[side], *out = &channel->to[side ^ 1];
    channel->sip[side] = NULL;
    channel->open &= (uint8_t) ~(1u << side);
    in->mode = out->mode = MODE_CLOSED;
    in->waiter = 0;
    direction_drain(in);
    if (out->waiter)
        thread_ready(channel_woken(out));
    if (!channel->open) {
        direction_drain(out);
        channel_release(channel);
    }
}

void channel_carried_close(struct carried *carried) {
    struct channel *channel = carried->channel;
    carried->channel = NULL;
    side_close(channel, carried->side);
}

bool channel_has_waiter(const struct end *end) { return end->in->waiter != 0; }

void channel_close(struct end *end) {
    end->tag = 0;
    side_close(end->channel, end->side);
}

void channel_close_all(struct sip *sip) {
    for (uint32_t i = 1; i < SIP_ENDS; i++)
        if (sip->end[i].tag)
            channel_close(&sip->end[i]);
}

uint32_t channel_waiting(char *text, uint64_t room) {
    uint32_t waiting = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < CHANNELS; i++)
        for (uint32_t side = 0; channels[i].plan && side < 2; side++) {
            const struct thread *waiter = channel_waiter(&channels[i].to[side]);
            if (!waiter || waiting++ >= 4)
                continue;
            size_t used = strlen(text);
            format_text(text + used, room - used, "%s'%s' waits on channel '%s'",
                        waiting > 1 ? ", " : "", waiter->sip->plan->name, channels[i].plan->name);
        }
    return waiting;
}
