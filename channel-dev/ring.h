/*
 * The ring: a virtio 1.2 split virtqueue (OASIS virtio-v1.2, section 2.7) with VIRTIO_F_EVENT_IDX,
 * one implementation for SIP to SIP, guest to host and VM to VM. Carries one descriptor a message, in
 * one direction. What a buffer holds, who may map the memory and how a thread sleeps are left to
 * the caller. Freestanding, no allocation, no locks: one thread plays one end.
 *
 * The sender is the spec's driver, the receiver its device. Each end trusts only its private
 * structure: whatever the peer writes is read exactly once, then checked, then used. A peer that
 * breaks the protocol makes this end broken for good, with a sentence that says why.
 */
#ifndef BULKHEAD_RING_H
#define BULKHEAD_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * 1: the ends may run on different processors. 0: both run on one (the guest kernel on one vCPU), so
 * that program order is the order both see. All objects of one program must agree.
 */
#ifndef RING_SMP
#define RING_SMP 1
#endif

#define RING_LINE_BYTES 64u   /* areas start on a line, so that a line has one writer */
#define RING_MAX_ENTRIES 256u /* ours; the spec allows 32768 */

enum ring_error {     /* functions return these negated */
    RING_FULL = 1,    /* every descriptor is in flight; nothing was changed */
    RING_BROKEN = 2,  /* the peer broke the protocol: see `broken` for the reason */
    RING_INVALID = 3, /* an argument of an init function is out of range */
};

/* ---- memory that both ends map; little-endian, as the spec lays it out ---- */

struct ring_desc { /* 2.7.5 virtq_desc; written by the sender */
    uint64_t addr;
    union {
        struct {
            uint32_t len;
            uint16_t flags; /* always 0 here: no chains, no indirect tables, read by the receiver */
            uint16_t next;  /* meaningless, as flags has no VIRTQ_DESC_F_NEXT */
        };
        uint64_t tail; /* the three in one load */
    };
};
struct ring_avail { /* 2.7.6 virtq_avail; written by the sender; used_event follows ring[n] */
    uint16_t flags; /* 0: the event index rules (2.7.7) */
    uint16_t idx;   /* entries ever published, modulo 2^16 */
    uint16_t ring[];
};
struct ring_used_elem { /* 2.7.8 virtq_used_elem */
    uint32_t id;
    uint32_t len; /* bytes that the receiver wrote into the buffer: 0 for a message */
};
struct ring_used { /* 2.7.8 virtq_used; written by the receiver; avail_event follows ring[n] */
    uint16_t flags;
    uint16_t idx;
    struct ring_used_elem ring[];
};

_Static_assert(sizeof(struct ring_desc) == 16, "2.7.5");
_Static_assert(offsetof(struct ring_desc, len) == 8, "2.7.5");
_Static_assert(offsetof(struct ring_desc, flags) == 12, "2.7.5");
_Static_assert(offsetof(struct ring_avail, ring) == 4, "2.7.6");
_Static_assert(offsetof(struct ring_desc, next) == 14, "2.7.5");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "2.4: the ring is little-endian");
_Static_assert(sizeof(struct ring_used_elem) == 8, "2.7.8");
_Static_assert(offsetof(struct ring_used, ring) == 4, "2.7.8");

#define RING_LINES(bytes) (((bytes) + RING_LINE_BYTES - 1) & ~(size_t)(RING_LINE_BYTES - 1))
#define RING_DESC_BYTES(n) RING_LINES(16 * (size_t)(n))
#define RING_AVAIL_BYTES(n) RING_LINES(6 + 2 * (size_t)(n)) /* 2.7: with used_event */
#define RING_USED_BYTES(n) RING_LINES(6 + 8 * (size_t)(n))  /* 2.7: with avail_event */
#define RING_BYTES(n) (RING_DESC_BYTES(n) + RING_AVAIL_BYTES(n) + RING_USED_BYTES(n))

_Static_assert(RING_AVAIL_BYTES(1) % RING_LINE_BYTES == 0, "a line has one writer");
_Static_assert(RING_BYTES(RING_MAX_ENTRIES) < 8192, "256 entries fit two pages");

/* The three areas. They may be set by hand, each 64-aligned, to map them with different rights. */
struct ring_memory {
    struct ring_desc *desc;
    struct ring_avail *avail;
    struct ring_used *used;
};

/* Bytes that ring_layout needs for n entries. */
static inline size_t ring_bytes(uint32_t n) { return RING_BYTES(n); }

/* Cuts `memory` (64-aligned, ring_bytes(n) long) into the areas. Writes nothing. */
struct ring_memory ring_layout(void *memory, uint32_t n);

/* ---- private state of the ends ---- */

struct ring_slot { /* what the sender remembers of one descriptor */
    uint64_t cookie;
    uint32_t next; /* next free descriptor, or one of the marks below */
};
#define RING_END 0xfffdu    /* last of the free list */
#define RING_TAKEN 0xfffeu  /* ring_driver_cookie has handed its cookie over */
#define RING_FLYING 0xffffu /* published; the receiver has not shown that it has it */

struct ring_driver { /* the sender's end */
    struct ring_desc *desc;
    struct ring_avail *avail;
    const struct ring_used *used;
    struct ring_slot *slot;
    uint32_t mask;                   /* entries - 1 */
    uint32_t free_head;              /* RING_END: none known to be free; always so when broken */
    uint16_t avail_idx;              /* what we last stored in avail->idx */
    uint16_t used_seen;              /* used entries reclaimed, modulo 2^16 */
    uint16_t notified;               /* avail_idx when ring_driver_should_notify was last asked */
    const char *broken;              /* NULL, or what the peer did */
    void (*doorbell)(void *context); /* NULL: the caller wakes the receiver itself */
    void *context;
};

struct ring_device { /* the receiver's end */
    const struct ring_desc *desc;
    const struct ring_avail *avail; /* when broken: a ring of our own where nothing ever waits */
    struct ring_used *used;
    uint64_t tail_limit; /* the greatest descriptor tail that ring_pop accepts, shifted by 16 */
    uint32_t mask;
    uint16_t room;       /* entries not taken */
    uint16_t last_avail; /* entries taken, modulo 2^16 */
    uint16_t used_idx;   /* what we last stored in used->idx */
    uint16_t notified;   /* used_idx when ring_device_should_notify was last asked */
    const char *broken;
    void (*doorbell)(void *context);
    void *context;
};

struct ring_element { /* a message as the receiver gets it: a private copy, checked */
    uint64_t addr;
    uint32_t len; /* at most max_len; addr is the caller's to check */
    uint32_t id;  /* less than n; for ring_complete */
};

/*
 * Both return 0 or -RING_INVALID: n must be a power of two up to RING_MAX_ENTRIES. Each resets the
 * indices that it writes, so both ends are initialised before either is used; the rest of the memory
 * may hold anything. `slots` is n elements of private memory of the sender. A message longer than
 * max_len breaks the ring.
 */
int ring_driver_init(struct ring_driver *driver, const struct ring_memory *memory, uint32_t n,
                     struct ring_slot *slots, void (*doorbell)(void *), void *context);
int ring_device_init(struct ring_device *device, const struct ring_memory *memory, uint32_t n,
                     uint32_t max_len, void (*doorbell)(void *), void *context);

/*
 * Barriers. x86 keeps loads in order and stores in order (Intel SDM 3A, 9.2.2), so acquire loads and
 * release stores of the indices are plain moves there and only hold the compiler. The one order that
 * the processor does break is an own store followed by a load of the peer's event index (or index):
 * both ends could miss the other's store and sleep. That needs a full fence, on several processors.
 */
#define RING_LOAD(place) __atomic_load_n(&(place), __ATOMIC_RELAXED) /* once: no second fetch */
#define RING_LOAD_ACQUIRE(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define RING_STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELAXED)
#define RING_STORE_RELEASE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)
#if RING_SMP
#define RING_FENCE() __asm__ volatile("mfence" ::: "memory")
#else
#define RING_FENCE() __asm__ volatile("" ::: "memory")
#endif

/* ---- sender ---- */

/*
 * Takes back one descriptor that the receiver has completed. Returns 1 and its cookie, 0 if there is
 * none, or -RING_BROKEN.
 */
int ring_reap(struct ring_driver *driver, uint64_t *cookie);

/* Takes back all of them. Returns 0 if a descriptor is free now, else -RING_FULL or -RING_BROKEN. */
int ring_reclaim(struct ring_driver *driver);

/*
 * Publishes a message (2.7.13.1 to 2.7.13.3). When no descriptor is free it reclaims first, which
 * drops cookies: a sender that must release what its cookies name calls ring_reap until it returns 0
 * before it pushes. Returns 0, -RING_FULL or -RING_BROKEN; does not notify.
 */
static inline int ring_push(struct ring_driver *driver, uint64_t addr, uint32_t len,
                            uint64_t cookie) {
    if (__builtin_expect(driver->free_head == RING_END, 0)) {
        int error = ring_reclaim(driver);
        if (error)
            return error;
    }
    uint32_t id = driver->free_head;
    struct ring_slot *slot = &driver->slot[id];
    driver->free_head = slot->next;
    slot->next = RING_FLYING;
    slot->cookie = cookie;
    driver->desc[id].addr = addr;
    driver->desc[id].tail = len;
    struct ring_avail *avail = driver->avail;
    uint32_t idx = driver->avail_idx;
    RING_STORE(avail->ring[idx & driver->mask], (uint16_t)id);
    driver->avail_idx = (uint16_t)++idx;
    RING_STORE_RELEASE(avail->idx, (uint16_t)idx); /* 2.7.13.2: after descriptor and ring entry */
    return 0;
}

/*
 * For a program that plays both ends and gets `id` from ring_pop: hands over the cookie, once a
 * message. Returns 0, or -RING_BROKEN if `id` is not in flight (forged, or taken before).
 */
static inline int ring_driver_cookie(struct ring_driver *driver, uint32_t id, uint64_t *cookie) {
    if (id > driver->mask || driver->slot[id].next != RING_FLYING)
        return -RING_BROKEN;
    driver->slot[id].next = RING_TAKEN;
    *cookie = driver->slot[id].cookie;
    return 0;
}

/* ---- receiver ---- */

/*
 * The rare ends of ring_pop: they tell nothing waiting (false) from a broken ring (true), and break it
 * when the index, the id or the tail that ring_pop read is the sender's fault.
 */
__attribute__((cold)) bool ring_device_is_broken(struct ring_device *device, uint16_t waiting);
__attribute__((cold)) void ring_device_break(struct ring_device *device, uint32_t id,
                                             uint64_t tail);

/*
 * Takes the next message (2.7.14). Returns 1 and *out, 0 if there is none, or -RING_BROKEN. At most n
 * messages are taken and not completed at any time, whatever the sender does. It does not tell apart
 * a sender that sends one descriptor twice from one that sends two equal messages.
 */
static inline int ring_pop(struct ring_device *device, struct ring_element *out) {
    const struct ring_avail *avail = device->avail;
    uint32_t last = device->last_avail;
    uint16_t waiting = (uint16_t)(RING_LOAD_ACQUIRE(avail->idx) - last);
    if (__builtin_expect((uint16_t)(waiting - 1) >= device->room, 0)) /* 0 waiting wraps round */
        return ring_device_is_broken(device, waiting) ? -RING_BROKEN : 0;
    uint32_t id = RING_LOAD(avail->ring[last & device->mask]);
    if (__builtin_expect(id > device->mask, 0)) {
        ring_device_break(device, id, 0);
        return -RING_BROKEN;
    }
    const struct ring_desc *desc = &device->desc[id];
    uint64_t tail = RING_LOAD(desc->tail);
    if (__builtin_expect(tail << 16 > device->tail_limit, 0)) { /* a flag or a length too much */
        ring_device_break(device, id, tail);
        return -RING_BROKEN;
    }
    out->addr = RING_LOAD(desc->addr);
    out->len = (uint32_t)tail;
    out->id = id;
    device->last_avail = (uint16_t)(last + 1);
    device->room--;
    return 1;
}

/*
 * Gives back the descriptor of a message that ring_pop returned (2.7.14), once, in any order; `len`
 * bytes were written to it. Does not notify. Harmless on a broken ring.
 */
static inline void ring_complete(struct ring_device *device, uint32_t id, uint32_t len) {
    struct ring_used *used = device->used;
    uint32_t idx = device->used_idx;
    struct ring_used_elem *elem = &used->ring[idx & device->mask];
    RING_STORE(elem->id, id);
    RING_STORE(elem->len, len);
    device->used_idx = (uint16_t)++idx;
    device->room++;
    RING_STORE_RELEASE(used->idx, (uint16_t)idx); /* 2.7.8.2: after the entry */
}

/* ---- notifications (2.7.7, 2.7.10) ---- */

/* 2.7.10: true if `event` lies in [before, now), modulo 2^16: the peer asked to hear of this. */
static inline bool ring_need_event(uint16_t event, uint16_t now, uint16_t before) {
    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

/* Whether the peer asked to be told of what was pushed (completed) since the last such question. */
bool ring_driver_should_notify(struct ring_driver *driver);
bool ring_device_should_notify(struct ring_device *device);

/* Rings the doorbell if the peer asked for it. Once after a batch is enough. */
void ring_driver_kick(struct ring_driver *driver);
void ring_device_kick(struct ring_device *device);

/*
 * Asks the peer for a notification at its next step. Returns true if there is already something to
 * reap (pop), or the ring is broken: the caller must look again instead of sleeping. There is no call to disable: an
 * event index that lies behind is not met again for 65,536 steps, and then costs one idle look.
 */
bool ring_driver_enable_events(struct ring_driver *driver);
bool ring_device_enable_events(struct ring_device *device);

#endif
