/*
 * The ring: a virtio 1.2 split virtqueue (OASIS virtio-v1.2, section 2.7) with VIRTIO_F_EVENT_IDX and
 * VIRTIO_F_IN_ORDER, one implementation for SIP to SIP, guest to host and VM to VM. Carries one
 * descriptor a message, in one direction. What a buffer holds, who may map the memory and how a thread
 * sleeps are left to the caller. Freestanding, no allocation, no locks: one thread plays one end.
 *
 * The sender is the spec's driver, the receiver its device. The sender uses descriptors in ring order
 * (2.7.5), the receiver gives them back in the same order (2.7.9): message number i has descriptor,
 * available entry and used entry i modulo n, and an index alone says who owns what.
 *
 * Each end trusts only its private structure: whatever the peer writes is read exactly once, then
 * checked, then used. A peer that breaks the protocol makes this end broken for good, with a sentence
 * that says why.
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
    uint32_t len;
    union {
        struct {
            uint16_t flags; /* always 0 here: no chains, no indirect tables, read by the receiver */
            uint16_t next;  /* meaningless, as flags has no VIRTQ_DESC_F_NEXT */
        };
        uint32_t rest; /* the two in one store */
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

/* ---- private state of the ends; messages are counted modulo 2^32, in the ring modulo 2^16 ---- */

struct ring_device;

struct ring_driver {    /* the sender's end */
    uint32_t avail_idx; /* messages published */
    uint32_t full_at;   /* avail_idx when no descriptor is known to be free; when broken, always */
    uint32_t entries;
    uint32_t notified; /* avail_idx when ring_driver_should_notify was last asked */
    size_t mask;       /* entries - 1 */
    struct ring_desc *desc;
    struct ring_avail *avail;
    const struct ring_used *used;
    uint64_t *cookie;                /* one a descriptor */
    struct ring_device *joined;      /* the other end, if this program plays it as well */
    const char *broken;              /* NULL, or what the peer did */
    void (*doorbell)(void *context); /* NULL: the caller wakes the receiver itself */
    void *context;
};

struct ring_device {     /* the receiver's end */
    uint32_t last_avail; /* messages taken */
    uint32_t room;       /* entries that are not held, which is taken and not completed */
    uint32_t entries;
    uint32_t notified; /* messages completed when ring_device_should_notify was asked */
    size_t mask;       /* entries - 1 */
    const struct ring_desc *desc;
    const struct ring_avail *avail; /* when broken: a ring of our own where nothing ever waits */
    struct ring_used *used;
    uint32_t max_len;
    const char *broken;
    void (*doorbell)(void *context);
    void *context;
};

struct ring_element { /* a message as the receiver gets it: a private copy, checked */
    uint64_t addr;    /* the caller's to check */
    uint32_t len;     /* at most max_len */
    uint32_t id;      /* its descriptor, less than n: see ring_next_id */
};

/*
 * Both return 0 or -RING_INVALID: n must be a power of two up to RING_MAX_ENTRIES. Each resets the
 * indices that it writes, so both ends are initialised before either is used; the rest of the memory
 * may hold anything. `cookies` is n elements of private memory of the sender. A message longer than
 * max_len breaks the ring.
 */
int ring_driver_init(struct ring_driver *driver, const struct ring_memory *memory, uint32_t n,
                     uint64_t *cookies, void (*doorbell)(void *), void *context);
int ring_device_init(struct ring_device *device, const struct ring_memory *memory, uint32_t n,
                     uint32_t max_len, void (*doorbell)(void *), void *context);

/*
 * For a program that plays both ends, after both are initialised: from then on it calls ring_take
 * instead of ring_pop and ring_complete. What the two ends know of each other then has to agree with
 * the memory exactly, and a ring that breaks does so at both ends.
 */
static inline void ring_join(struct ring_driver *driver, struct ring_device *device) {
    driver->joined = device;
}

/*
 * Barriers. x86 keeps loads in order and stores in order (Intel SDM 3A, 9.2.2), so acquire loads and
 * release stores of the indices are plain moves there and only hold the compiler. The one order that
 * the processor does break is an own store followed by a load of the peer's event index (or index):
 * both ends could miss the other's store and sleep. That needs a full fence, on several processors.
 */
#define RING_LOAD(place) __atomic_load_n(&(place), __ATOMIC_RELAXED) /* once: no second fetch */
#define RING_LOAD_ACQUIRE(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#if RING_SMP
#define RING_HOLDS(place, value) (RING_LOAD(place) == (value))
#define RING_STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELAXED)
#define RING_STORE_RELEASE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)
#define RING_FENCE() __asm__ volatile("mfence" ::: "memory")
#else /* plain where an atomic access would cost gcc an instruction more */
#define RING_HOLDS(place, value) ((place) == (value)) /* nothing is kept, so that once is all */
#define RING_STORE(place, value) ((void)((place) = (value)))
#define RING_STORE_RELEASE(place, value)                                                           \
    (__atomic_signal_fence(__ATOMIC_SEQ_CST), (void)((place) = (value)),                           \
     __atomic_signal_fence(__ATOMIC_SEQ_CST))
#define RING_FENCE() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif

#define RING_RARE(condition) __builtin_expect(!!(condition), 0)

/* ---- breaking; inline too, so that a caller that calls nothing else stays a leaf ---- */

enum ring_lie { /* what a peer can be caught at */
    RING_LIE_USED_INDEX,
    RING_LIE_AVAIL_INDEX,
    RING_LIE_ORDER,
    RING_LIE_LENGTH,
    RING_LIE_FLAGS,
};
extern const char *const ring_lie_text[];
extern const struct ring_avail ring_silent; /* nothing ever waits there */
extern const struct ring_used ring_lying;   /* completes what was never sent */

/* Moves a receiver to a ring where nothing ever waits, so that ring_pop needs no test for it. */
static inline void ring_device_break(struct ring_device *device, enum ring_lie lie) {
    device->broken = ring_lie_text[lie];
    device->avail = &ring_silent;
    device->last_avail = 0;
}

/*
 * Moves a sender to a full ring whose receiver lies, so that a push asks there and is refused. If it is
 * joined, both private indices are 0 then: nothing is there to take.
 */
static inline void ring_driver_break(struct ring_driver *driver, enum ring_lie lie) {
    if (driver->broken)
        return;
    driver->broken = ring_lie_text[lie];
    driver->used = &ring_lying;
    driver->avail_idx = driver->full_at = 0;
    if (driver->joined)
        ring_device_break(driver->joined, lie);
}

/* ---- sender ---- */

/*
 * When no descriptor is known to be free: takes back all that the receiver has completed, by its index
 * alone (2.7.9), so that a receiver that writes one used entry for a batch is served too. The sender of
 * a joined ring knows already, and only checks. Returns 0, -RING_FULL or -RING_BROKEN.
 */
static inline int ring_reclaim(struct ring_driver *driver) {
    uint16_t used = RING_LOAD_ACQUIRE(driver->used->idx);
    const struct ring_device *joined = driver->joined;
    if (RING_RARE(joined && used != (uint16_t)joined->last_avail))
        goto lie;
    uint32_t left = (uint16_t)(driver->full_at - used); /* descriptors that are still in use */
    if (left >= driver->entries) {
        if (left == driver->entries)
            return -RING_FULL;
        goto lie;
    }
    driver->full_at += driver->entries - left;
    return 0;
lie:
    ring_driver_break(driver, RING_LIE_USED_INDEX);
    return -RING_BROKEN;
}

/* Whether ring_push would refuse now: the ring is full, or broken. */
static inline bool ring_full(struct ring_driver *driver) {
    return RING_RARE(driver->avail_idx == driver->full_at) && ring_reclaim(driver);
}

/*
 * The descriptor that the next message will have, which is also its place in a table that the caller
 * keeps beside the ring; free if ring_full returns false.
 */
static inline uint32_t ring_next_id(const struct ring_driver *driver) {
    return driver->avail_idx & (uint32_t)driver->mask;
}

/* ring_push for a caller that has just seen ring_full return false. */
static inline void ring_push_free(struct ring_driver *driver, uint64_t addr, uint32_t len,
                                  uint64_t cookie) {
    uint32_t idx = driver->avail_idx;
    size_t id = idx & driver->mask;
    driver->cookie[id] = cookie;
    struct ring_desc *desc = &driver->desc[id];
    desc->addr = addr;
    desc->len = len;
    desc->rest = 0;
    struct ring_avail *avail = driver->avail;
    RING_STORE(avail->ring[id], (uint16_t)id);
    driver->avail_idx = ++idx;
    RING_STORE_RELEASE(avail->idx, (uint16_t)idx); /* 2.7.13.2: after descriptor and ring entry */
}

/*
 * Publishes a message (2.7.13.1 to 2.7.13.3). Success also says that the message n before this one is
 * completed, and ring_full returning false that it is for the message to come: so does a sender learn
 * when it may use a buffer again. Returns 0, -RING_FULL or -RING_BROKEN; does not notify.
 */
static inline int ring_push(struct ring_driver *driver, uint64_t addr, uint32_t len,
                            uint64_t cookie) {
    if (RING_RARE(driver->avail_idx == driver->full_at)) {
        int error = ring_reclaim(driver);
        if (error)
            return error;
    }
    ring_push_free(driver, addr, len, cookie);
    return 0;
}

/* ---- receiver ---- */

/* If true, ring_pop or ring_take will not return 0 now. */
static inline bool ring_waiting(const struct ring_device *device) {
    return RING_LOAD(device->avail->idx) != (uint16_t)device->last_avail || device->broken;
}

/* The number of messages completed. */
static inline uint32_t ring_device_used(const struct ring_device *device) {
    return device->last_avail + device->room - device->entries;
}

/*
 * Takes the next message (2.7.14). Returns 1 and *out, 0 if there is none, or -RING_BROKEN. At most n
 * messages are held at any time, whatever the sender does.
 */
static inline int ring_pop(struct ring_device *device, struct ring_element *out) {
    const struct ring_avail *avail = device->avail;
    uint32_t last = device->last_avail;
    uint32_t waiting = (uint16_t)(RING_LOAD_ACQUIRE(avail->idx) - last);
    if (RING_RARE(waiting - 1 >= device->room)) { /* 0 waiting wraps round */
        if (waiting)
            ring_device_break(device, RING_LIE_AVAIL_INDEX);
        return device->broken ? -RING_BROKEN : 0;
    }
    size_t id = last & device->mask;
    if (RING_RARE(RING_LOAD(avail->ring[id]) != id)) {
        ring_device_break(device, RING_LIE_ORDER);
        return -RING_BROKEN;
    }
    const struct ring_desc *desc = &device->desc[id];
    uint32_t len = RING_LOAD(desc->len);
    if (RING_RARE(len > device->max_len)) {
        ring_device_break(device, RING_LIE_LENGTH);
        return -RING_BROKEN;
    }
    if (RING_RARE(RING_LOAD(desc->flags))) {
        ring_device_break(device, RING_LIE_FLAGS);
        return -RING_BROKEN;
    }
    out->addr = RING_LOAD(desc->addr);
    out->len = len;
    out->id = (uint32_t)id;
    device->last_avail = last + 1;
    device->room--;
    return 1;
}

/* Writes used entry number idx - 1 and publishes index idx. */
static inline void ring_publish_used(struct ring_used *used, size_t id, uint32_t len,
                                     uint32_t idx) {
    uint64_t elem = id | (uint64_t)len << 32; /* the two fields in one store */
    __builtin_memcpy(&used->ring[id], &elem, sizeof elem);
    RING_STORE_RELEASE(used->idx, (uint16_t)idx); /* 2.7.8.2: after the entry */
}

/*
 * Gives back the descriptor of the oldest message that is held (2.7.9), once for each that ring_pop
 * returned; `len` bytes were written to its buffer. Does not notify. Does nothing on a broken ring.
 */
static inline void ring_complete(struct ring_device *device, uint32_t len) {
    if (device->broken)
        return;
    uint32_t idx = ring_device_used(device);
    device->room++;
    ring_publish_used(device->used, idx & device->mask, len, idx + 1);
}

/* ---- both ends in one program ---- */

/*
 * Takes the next message off a joined ring, with the cookie that it was pushed with, and completes it:
 * the whole of the receiver's traffic on the ring in one call. The cookie comes from private memory and
 * belongs to this message, whatever is in the ring. The sender's end learns at once that the descriptor
 * is free. Returns 1, *out and *cookie, 0 if nothing waits, or -RING_BROKEN. Does not notify.
 */
static inline int ring_take(struct ring_driver *driver, struct ring_device *device,
                            struct ring_element *out, uint64_t *cookie) {
    uint32_t last = device->last_avail;
    const struct ring_avail *avail = device->avail;
    enum ring_lie lie = RING_LIE_AVAIL_INDEX;
    if (RING_RARE(last == driver->avail_idx)) {
        if (RING_LOAD(avail->idx) != (uint16_t)last)
            goto lie;
        return device->broken ? -RING_BROKEN : 0;
    }
    if (RING_RARE(!RING_HOLDS(avail->idx, (uint16_t)driver->avail_idx)))
        goto lie;
    size_t id = last & device->mask;
    lie = RING_LIE_ORDER;
    if (RING_RARE(!RING_HOLDS(avail->ring[id], (uint16_t)id)))
        goto lie;
    const struct ring_desc *desc = &device->desc[id];
    uint32_t len = RING_LOAD(desc->len);
    lie = RING_LIE_LENGTH;
    if (RING_RARE(len > device->max_len))
        goto lie;
    lie = RING_LIE_FLAGS;
    if (RING_RARE(!RING_HOLDS(desc->flags, 0)))
        goto lie;
    out->addr = RING_LOAD(desc->addr);
    out->len = len;
    out->id = (uint32_t)id;
    *cookie = driver->cookie[id];
    device->last_avail = ++last;
    driver->full_at++;
    ring_publish_used(device->used, id, 0, last);
    return 1;
lie:
    ring_driver_break(driver, lie);
    return -RING_BROKEN;
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
 * Asks the peer for a notification at its next step: a sender whose ring is full, a receiver that has
 * taken all. Returns true if the step is already there, or the ring is broken: the caller must look
 * again instead of sleeping. There is no call to disable: an event index that lies behind is not met
 * again for 65,536 steps, and then costs one idle look.
 */
bool ring_driver_enable_events(struct ring_driver *driver);
bool ring_device_enable_events(struct ring_device *device);

#endif
