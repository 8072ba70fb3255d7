/*
 * The colder half of the ring: set-up, taking back used descriptors, notifications. The hot paths are
 * inline in ring.h, which also states the rules that both ends live by.
 */
#include "ring.h"

static bool entries_valid(uint32_t n) {
    return n && n <= RING_MAX_ENTRIES && !(n & (n - 1)); /* 2.7: a power of two */
}

/* 2.7.6, 2.7.8: the event indices lie behind the rings, each in its writer's area. */
static uint16_t *used_event(struct ring_avail *avail, uint32_t mask) {
    return &avail->ring[mask + 1];
}
static const uint16_t *used_event_of_peer(const struct ring_avail *avail, uint32_t mask) {
    return &avail->ring[mask + 1];
}
static uint16_t *avail_event(struct ring_used *used, uint32_t mask) {
    return (uint16_t *)&used->ring[mask + 1];
}
static const uint16_t *avail_event_of_peer(const struct ring_used *used, uint32_t mask) {
    return (const uint16_t *)&used->ring[mask + 1];
}

struct ring_memory ring_layout(void *memory, uint32_t n) {
    char *at = memory;
    return (struct ring_memory){
        .desc = (struct ring_desc *)at,
        .avail = (struct ring_avail *)(at + RING_DESC_BYTES(n)),
        .used = (struct ring_used *)(at + RING_DESC_BYTES(n) + RING_AVAIL_BYTES(n)),
    };
}

int ring_driver_init(struct ring_driver *driver, const struct ring_memory *memory, uint32_t n,
                     struct ring_slot *slots, void (*doorbell)(void *), void *context) {
    if (!entries_valid(n))
        return -RING_INVALID;
    *driver = (struct ring_driver){
        .desc = memory->desc,
        .avail = memory->avail,
        .used = memory->used,
        .slot = slots,
        .mask = n - 1,
        .doorbell = doorbell,
        .context = context,
    };
    for (uint32_t i = 0; i < n; i++)
        slots[i] = (struct ring_slot){.next = i + 1 < n ? i + 1 : RING_END};
    RING_STORE(memory->avail->flags, 0);
    RING_STORE(memory->avail->idx, 0);
    RING_STORE(*used_event(memory->avail, driver->mask), 0);
    return 0;
}

int ring_device_init(struct ring_device *device, const struct ring_memory *memory, uint32_t n,
                     uint32_t max_len, void (*doorbell)(void *), void *context) {
    if (!entries_valid(n))
        return -RING_INVALID;
    *device = (struct ring_device){
        .desc = memory->desc,
        .avail = memory->avail,
        .used = memory->used,
        .mask = n - 1,
        .room = (uint16_t)n,
        .tail_limit = (uint64_t)max_len << 16 | 0xffff,
        .doorbell = doorbell,
        .context = context,
    };
    RING_STORE(memory->used->flags, 0);
    RING_STORE(memory->used->idx, 0);
    RING_STORE(*avail_event(memory->used, device->mask), 0);
    return 0;
}

static int driver_break(struct ring_driver *driver, const char *why) {
    driver->broken = why;
    driver->free_head = RING_END;
    return -RING_BROKEN;
}

/* Moves a broken receiver to a ring where nothing ever waits, so that ring_pop needs no check. */
static void device_break(struct ring_device *device, const char *why) {
    static const struct ring_avail silence;
    device->broken = why;
    device->avail = &silence;
    device->last_avail = silence.idx;
}

bool ring_device_is_broken(struct ring_device *device, uint16_t waiting) {
    if (waiting)
        device_break(device, "the sender's index runs further than the ring is long");
    return device->broken != NULL;
}

void ring_device_break(struct ring_device *device, uint32_t id, uint64_t tail) {
    if (id > device->mask)
        device_break(device, "the sender published a descriptor beyond the table");
    else if (tail << 16 >> 48)
        device_break(device, "the sender set a descriptor flag that was not agreed");
    else
        device_break(device, "the sender's message is longer than agreed");
}

/* How many used entries wait, or -RING_BROKEN. */
static int used_waiting(struct ring_driver *driver) {
    if (driver->broken)
        return -RING_BROKEN;
    uint16_t done = (uint16_t)(RING_LOAD_ACQUIRE(driver->used->idx) - driver->used_seen);
    if (done > (uint16_t)(driver->avail_idx - driver->used_seen))
        return driver_break(driver, "the receiver completed more than it was sent");
    return done;
}

/* Frees the descriptor of the used entry number `seen`. Returns its slot, or NULL: broken. */
static inline struct ring_slot *take_back(struct ring_driver *driver, uint32_t seen) {
    uint32_t id = RING_LOAD(driver->used->ring[seen & driver->mask].id);
    if (__builtin_expect(id > driver->mask, 0)) {
        driver_break(driver, "the receiver completed a descriptor beyond the table");
        return NULL;
    }
    struct ring_slot *slot = &driver->slot[id];
    if (__builtin_expect(slot->next <= RING_END, 0)) { /* on the free list */
        driver_break(driver, "the receiver completed a descriptor that is not in flight");
        return NULL;
    }
    slot->next = driver->free_head;
    driver->free_head = id;
    return slot;
}

int ring_reap(struct ring_driver *driver, uint64_t *cookie) {
    int waiting = used_waiting(driver);
    if (waiting <= 0)
        return waiting;
    struct ring_slot *slot = take_back(driver, driver->used_seen);
    if (!slot)
        return -RING_BROKEN;
    driver->used_seen++;
    *cookie = slot->cookie;
    return 1;
}

int ring_reclaim(struct ring_driver *driver) {
    int waiting = used_waiting(driver);
    if (waiting < 0)
        return waiting;
    uint32_t seen = driver->used_seen;
    for (int i = 0; i < waiting; i++)
        if (!take_back(driver, seen++))
            return -RING_BROKEN;
    driver->used_seen = (uint16_t)seen;
    return driver->free_head == RING_END ? -RING_FULL : 0;
}

bool ring_driver_should_notify(struct ring_driver *driver) {
    uint16_t before = driver->notified;
    driver->notified = driver->avail_idx;
    RING_FENCE(); /* our index is out before we read whether the peer sleeps (2.7.13.4.1) */
    uint16_t event = RING_LOAD(*avail_event_of_peer(driver->used, driver->mask));
    return ring_need_event(event, driver->avail_idx, before);
}

bool ring_device_should_notify(struct ring_device *device) {
    if (device->broken)
        return false; /* and device->avail is no whole ring any more */
    uint16_t before = device->notified;
    device->notified = device->used_idx;
    RING_FENCE();
    uint16_t event = RING_LOAD(*used_event_of_peer(device->avail, device->mask));
    return ring_need_event(event, device->used_idx, before);
}

void ring_driver_kick(struct ring_driver *driver) {
    if (ring_driver_should_notify(driver) && driver->doorbell)
        driver->doorbell(driver->context);
}

void ring_device_kick(struct ring_device *device) {
    if (ring_device_should_notify(device) && device->doorbell)
        device->doorbell(device->context);
}

bool ring_driver_enable_events(struct ring_driver *driver) {
    RING_STORE(*used_event(driver->avail, driver->mask), driver->used_seen);
    RING_FENCE(); /* the wish is out before we look a last time, or both could sleep */
    return driver->broken || RING_LOAD_ACQUIRE(driver->used->idx) != driver->used_seen;
}

bool ring_device_enable_events(struct ring_device *device) {
    RING_STORE(*avail_event(device->used, device->mask), device->last_avail);
    RING_FENCE();
    return device->broken || RING_LOAD_ACQUIRE(device->avail->idx) != device->last_avail;
}
