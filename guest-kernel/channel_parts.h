/* What channel.c (making, joining, closing) and message.c (sending, receiving) share. */
#ifndef BULKHEAD_CHANNEL_PARTS_H
#define BULKHEAD_CHANNEL_PARTS_H

#include "channel.h"

struct carried {             /* an end that travels with a message */
    struct channel *channel; /* NULL: none */
    uint32_t side;
};

/* How a direction takes messages. The hot path is for MOVE, everything else goes the long way. */
enum direction_mode {
    MODE_MOVE = PLAN_TRANSFER_MOVE,
    MODE_COPY = PLAN_TRANSFER_COPY,
    MODE_REMAP = PLAN_TRANSFER_REMAP,
    MODE_SHARED = PLAN_TRANSFER_SHARED,
    MODE_UNCONNECTED, /* an end has no place yet, or the first message of a dynamic channel */
    MODE_CLOSED,      /* one of the ends is gone */
};

struct direction { /* from one end to the other */
    struct ring_driver driver;
    struct ring_device device;
    uint64_t waiter;  /* thread of the receiver, blocked, with marks in the low bits; 0: none */
    uint64_t heap_va; /* where the receiver sees unit 0 of the blocks' heap */
    uint32_t message_bytes;
    uint8_t mode;      /* enum direction_mode */
    struct heap *heap; /* that the receiver's blocks are in */
    uint32_t spares;   /* copy: blocks of that heap, ready to be filled */
    uint32_t missing;  /* blocks that had to be left out of `spare` for lack of memory */
    block_t spare[PLAN_MAX_DEPTH];
    struct carried carried[PLAN_MAX_DEPTH]; /* by descriptor */
    uint32_t types[PLAN_MAX_DEPTH];         /* by descriptor too */
    block_t cookies[PLAN_MAX_DEPTH];        /* likewise, kept by the ring: the blocks in flight */
    uint8_t memory[RING_BYTES(PLAN_MAX_DEPTH)] __attribute__((aligned(RING_LINE_BYTES)));
};

/*
 * A contract, laid out for its checks. A state is kept shifted by STATE_SHIFT, so that state + type is
 * an index into a table of next states; there is one table for each sender, refusals included.
 */
#define STATE_SHIFT 4
struct protocol {
    uint8_t next[2][PLAN_CONTRACT_STATES * PLAN_CONTRACT_TYPES]; /* by sender: 0 client, 1 server */
    uint32_t min_bytes[PLAN_CONTRACT_TYPES];
    /* Largest less smallest payload. The table of the hot path refuses types that carry an end. */
    uint32_t span[PLAN_CONTRACT_TYPES], plain_span[PLAN_CONTRACT_TYPES];
    uint32_t plain_min[PLAN_CONTRACT_TYPES];
    uint8_t carries[PLAN_CONTRACT_TYPES];
    uint8_t start;
};
_Static_assert(PLAN_CONTRACT_TYPES == 1 << STATE_SHIFT, "state + type is an index");
_Static_assert((PLAN_CONTRACT_STATES - 1) << STATE_SHIFT < PLAN_CONTRACT_REFUSED, "no state is it");

struct channel {
    const struct plan_channel *plan; /* NULL: not in use */
    const struct protocol *protocol; /* NULL: any message either way */
    struct sip *sip[2];              /* client and server; NULL: closed or on its way */
    uint8_t state[2];                /* of the contract, while an end is on its way */
    uint8_t open;                    /* bit per side that is not closed */
    struct channel *next;            /* in the free list */
    struct heap heap;                /* shared: of the channel alone */
    bool has_heap;
    struct direction to[2]; /* by receiving side */
};

extern uint64_t channel_wake_mark; /* of new waiters: WAITER_DIRECT if the plan says so */

/* How messages pass once both ends have a place. An end that was moved may change it. */
bool channel_connect(struct channel *channel);

/* A block for one message of the longest kind, or BLOCK_NONE. */
static inline block_t channel_spare(const struct direction *direction) {
    uint64_t bytes = direction->message_bytes + sizeof(struct abi_message);
    return direction->heap->guarded ? heap_reserve(direction->heap, bytes)
                                    : heap_alloc(direction->heap, bytes);
}
/* Replaces blocks that were received, as far as the receiver's heap allows. */
void channel_refill(struct direction *direction);

/* Whether an end may leave its SIP: it is open and nothing waits there. */
bool channel_end_can_move(const struct end *end);
/*
 * A free place for an end, else that of a closed one of the same name where nothing waits, for a SIP
 * whose peer is started again and again. NULL: none.
 */
struct end *channel_end_place(struct sip *sip, const char *name);

#define WAITER_OF_SET 1ull /* it waits on several ends */
#define WAITER_DIRECT 2ull /* a send switches to it at once */
#define WAITER_MARKS 3ull
static inline struct thread *channel_waiter(const struct direction *in) {
    return (struct thread *)(in->waiter & ~WAITER_MARKS);
}
/* Takes a waiter, who is about to be made ready, off this end and off all others where it waits. */
struct thread *channel_woken(struct direction *in);

/* Closes an end that is on its way. */
void channel_carried_close(struct carried *carried);
/* Puts an end into a SIP's table; the caller connects the channel when both are in place. */
void channel_end_attach(struct channel *channel, uint32_t side, struct sip *sip, struct end *end,
                        const char *name);

/* Whether a message waits. The kernel plays both ends: what it has pushed, less what it has taken. */
static inline bool channel_in_waiting(const struct direction *in) {
    return in->device.last_avail != in->driver.avail_idx;
}

#endif
