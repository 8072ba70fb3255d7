/*
 * The colder half of the ring: set-up, breaking, notifications. The hot paths are inline in ring.h,
 * which also states the rules that both ends live by.
 */
#include "ring.h"

static bool entries_valid(uint32_t n) {
    return n && n <= RING_MAX_ENTRIES && !(n & (n - 1)); /* 2.7: a power of two */
}

/* 2.7.6, 2.7.8: the event indices lie behind the rings, each in its writer's area. */
static uint16_t *used_event(struct ring_avail *avail, uint32_t entries) {
    return &avail->ring[entries];
}
static const uint16_t *used_event_of_peer(const struct ring_avail *avail, uint32_t entries) {
    return &avail->ring[entries];
}
static uint16_t *avail_event(struct ring_used *used, uint32_t entries) {
    return (uint16_t *)&used->ring[entries];
}
static const uint16_t *avail_event_of_peer(const struct ring_used *used, uint32_t entries) {
    return (const uint16_t *)&used->ring[entries];
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
                     uint64_t *cookies, void (*doorbell)(void *), void *context) {
    if (!entries_valid(n))
        return -RING_INVALID;
    *driver = (struct ring_driver){
        .desc = memory->desc,
        .avail = memory->avail,
        .used = memory->used,
        .cookie = cookies,
        .entries = n,
        .mask = n - 1,
        .full_at = n,
        .doorbell = doorbell,
        .context = context,
    };
    RING_STORE(memory->avail->flags, 0);
    RING_STORE(memory->avail->idx, 0);
    RING_STORE(*used_event(memory->avail, driver->entries), 0);
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
        .entries = n,
        .mask = n - 1,
        .room = n,
        .max_len = max_len,
        .doorbell = doorbell,
        .context = context,
    };
    RING_STORE(memory->used->flags, 0);
    RING_STORE(memory->used->idx, 0);
    RING_STORE(*avail_event(memory->used, device->entries), 0);
    return 0;
}

const char *const ring_lie_text[] = {
    [RING_LIE_USED_INDEX] = "the receiver's index is not one of what it was sent",
    [RING_LIE_AVAIL_INDEX] = "the sender's index is not one of what it may send",
    [RING_LIE_ORDER] = "the sender published a descriptor out of order",
    [RING_LIE_LENGTH] = "the sender's message is longer than agreed",
    [RING_LIE_FLAGS] = "the sender set a descriptor flag that was not agreed",
};
const struct ring_avail ring_silent = {.idx = 0};
const struct ring_used ring_lying = {.idx = 1};

bool ring_driver_should_notify(struct ring_driver *driver) {
    if (driver->broken)
        return false;
    uint32_t before = driver->notified;
    driver->notified = driver->avail_idx;
    RING_FENCE(); /* our index is out before we read whether the peer sleeps (2.7.13.4.1) */
    uint16_t event = RING_LOAD(*avail_event_of_peer(driver->used, driver->entries));
    return ring_need_event(event, (uint16_t)driver->avail_idx, (uint16_t)before);
}

bool ring_device_should_notify(struct ring_device *device) {
    if (device->broken)
        return false; /* and device->avail is no whole ring any more */
    uint32_t before = device->notified;
    device->notified = ring_device_used(device);
    RING_FENCE();
    uint16_t event = RING_LOAD(*used_event_of_peer(device->avail, device->entries));
    return ring_need_event(event, (uint16_t)device->notified, (uint16_t)before);
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
    uint16_t seen = (uint16_t)(driver->full_at - driver->entries);
    RING_STORE(*used_event(driver->avail, driver->entries), seen);
    RING_FENCE(); /* the wish is out before we look a last time, or both could sleep */
    return driver->broken || RING_LOAD_ACQUIRE(driver->used->idx) != seen;
}

bool ring_device_enable_events(struct ring_device *device) {
    uint16_t last = (uint16_t)device->last_avail;
    RING_STORE(*avail_event(device->used, device->entries), last);
    RING_FENCE();
    return device->broken || RING_LOAD_ACQUIRE(device->avail->idx) != last;
}
