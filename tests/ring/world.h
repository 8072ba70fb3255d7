/*
 * A ring with both ends, whose memory anyone may corrupt, and the invariants that must hold all the
 * same. Driven by random numbers in test_hostile.c and by libFuzzer in fuzz_ring.c.
 */
#ifndef TESTS_RING_WORLD_H
#define TESTS_RING_WORLD_H

#include "channel-dev/ring.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_MAX_LEN 4096u

#define WORLD_CHECK(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: violated: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct world {
    _Alignas(RING_LINE_BYTES) unsigned char bytes[RING_BYTES(RING_MAX_ENTRIES)];
    unsigned char before[RING_BYTES(RING_MAX_ENTRIES)];
    struct ring_memory memory;
    struct ring_driver driver;
    struct ring_device device;
    uint64_t cookies[RING_MAX_ENTRIES];
    uint32_t n;
    bool joined; /* one program plays both ends: ring_take; else ring_pop and ring_complete */
    bool lies;   /* somebody has written to the ring who must not */
    /* The model: message number i is pushed, taken, completed, in this order. */
    uint32_t pushed, taken, completed;
    bool driver_broken, device_broken; /* seen by a return value: must stay */
};

/* Bits 0 to 3 of `kind` choose the size, 1 to 256; the next one joins the ends. */
static inline void world_init(struct world *world, unsigned kind) {
    memset(world, 0, sizeof *world);
    world->n = 1u << kind % 16 % 9;
    world->joined = kind / 16 % 2;
    memset(world->bytes, 0xa5, sizeof world->bytes);
    world->memory = ring_layout(world->bytes, world->n);
    WORLD_CHECK(
        !ring_driver_init(&world->driver, &world->memory, world->n, world->cookies, NULL, NULL));
    WORLD_CHECK(
        !ring_device_init(&world->device, &world->memory, world->n, WORLD_MAX_LEN, NULL, NULL));
    if (world->joined)
        ring_join(&world->driver, &world->device);
}

/* What message number i holds. */
static inline uint64_t world_addr(uint32_t i) { return i * 0x123456789abcdefull; }
static inline uint32_t world_len(uint32_t i) { return i * 40503u % (WORLD_MAX_LEN + 1); }
static inline uint64_t world_cookie(uint32_t i) { return ~(uint64_t)i; }

/* What each end believes to own agrees with the model, or, under lies, is at least possible. */
static inline void world_check_ownership(const struct world *world) {
    const struct ring_driver *driver = &world->driver;
    const struct ring_device *device = &world->device;

    WORLD_CHECK((driver->broken != NULL) >= world->driver_broken);
    WORLD_CHECK((device->broken != NULL) >= world->device_broken);
    WORLD_CHECK(!world->joined || (driver->broken != NULL) == (device->broken != NULL));
    WORLD_CHECK(world->lies || (!driver->broken && !device->broken));
    if (!driver->broken) {
        uint32_t seen = driver->full_at - driver->entries;
        WORLD_CHECK(driver->avail_idx == world->pushed);
        WORLD_CHECK(world->pushed - seen <= world->n); /* never more in flight than there are */
        if (world->joined)
            WORLD_CHECK(seen == world->completed);
        else if (!world->lies)
            WORLD_CHECK((int32_t)(world->completed - seen) >= 0); /* reused only what was used */
    }
    if (!device->broken) {
        WORLD_CHECK(device->last_avail == world->taken);
        WORLD_CHECK(device->room == world->n - (world->taken - world->completed));
        WORLD_CHECK(device->room <= world->n);
    }
}

/* An end writes only its own areas: the sender all but the used ring, the receiver only that. */
static inline void world_check_writer(const struct world *world, bool sender) {
    size_t used = RING_DESC_BYTES(world->n) + RING_AVAIL_BYTES(world->n);
    size_t total = RING_BYTES(world->n);
    if (sender)
        WORLD_CHECK(!memcmp(world->bytes + used, world->before + used, total - used));
    else
        WORLD_CHECK(!memcmp(world->bytes, world->before, used));
    WORLD_CHECK(!memcmp(world->bytes + total, world->before + total, sizeof world->bytes - total));
}

static inline void world_push(struct world *world) {
    bool full = ring_full(&world->driver);
    uint32_t i = world->pushed;
    int got = 0;
    if (!full)
        WORLD_CHECK(ring_next_id(&world->driver) == i % world->n);
    if (full || i % 2)
        got = ring_push(&world->driver, world_addr(i), world_len(i), world_cookie(i));
    else
        ring_push_free(&world->driver, world_addr(i), world_len(i), world_cookie(i));
    WORLD_CHECK(got == 0 || got == -RING_FULL || got == -RING_BROKEN);
    WORLD_CHECK(full == (got != 0));
    WORLD_CHECK(!world->driver_broken || got == -RING_BROKEN);
    if (!world->lies)
        WORLD_CHECK((got == -RING_FULL) == (world->pushed - world->completed == world->n));
    world->pushed += got == 0;
    world->driver_broken |= got == -RING_BROKEN;
}

/* The next message, by ring_take or ring_pop: its place, its cookie, and its limits, in any case. */
static inline void world_take(struct world *world) {
    struct ring_element element = {0};
    uint64_t cookie = 0;
    uint32_t i = world->taken;
    bool waiting = ring_waiting(&world->device);
    int got = world->joined ? ring_take(&world->driver, &world->device, &element, &cookie)
                            : ring_pop(&world->device, &element);
    WORLD_CHECK(got == 1 || got == 0 || got == -RING_BROKEN);
    WORLD_CHECK(waiting == (got != 0) || (world->joined && world->lies && got == -RING_BROKEN));
    WORLD_CHECK(!world->device_broken || got == -RING_BROKEN);
    if (!world->lies)
        WORLD_CHECK((got == 1) == (world->pushed != i));
    world->device_broken |= got == -RING_BROKEN;
    if (got != 1)
        return;
    WORLD_CHECK(element.id == i % world->n && element.len <= WORLD_MAX_LEN);
    if (!world->lies)
        WORLD_CHECK(element.addr == world_addr(i) && element.len == world_len(i));
    world->taken++;
    if (world->joined) { /* private memory: exactly this message's, whatever is in the ring */
        WORLD_CHECK(i != world->pushed && cookie == world_cookie(i));
        world->completed++;
    }
}

static inline void world_complete(struct world *world, uint32_t len) {
    if (world->joined || world->completed == world->taken || world->device_broken)
        return;
    ring_complete(&world->device, len);
    world->completed++;
}

/* One step of either end, chosen by `op`; then every invariant is checked. */
static inline void world_step(struct world *world, unsigned op, uint32_t len) {
    bool sender = op % 8 < 4;
    memcpy(world->before, world->bytes, sizeof world->bytes);
    switch (op % 8) {
    case 0:
    case 1:
        world_push(world);
        break;
    case 2:
        (void)ring_driver_should_notify(&world->driver);
        break;
    case 3:
        WORLD_CHECK(ring_driver_enable_events(&world->driver) || !world->driver.broken);
        break;
    case 4:
        world_take(world);
        break;
    case 5:
        world_complete(world, len);
        break;
    case 6:
        (void)ring_device_should_notify(&world->device);
        break;
    default:
        WORLD_CHECK(ring_device_enable_events(&world->device) || !world->device.broken);
        break;
    }
    world_check_writer(world, sender);
    world_check_ownership(world);
}

#endif
