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
#define WORLD_COOKIES 65536u

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
    struct ring_slot slot[RING_MAX_ENTRIES];
    uint32_t n;
    uint32_t taken[RING_MAX_ENTRIES]; /* ids that the receiver has popped and not completed */
    uint32_t taken_count;
    uint32_t cookies; /* given to ring_push so far; cookie i stands for one owned block */
    unsigned char handed[WORLD_COOKIES], reaped[WORLD_COOKIES];
    bool driver_broken, device_broken; /* seen by a return value: must stay */
};

static inline void world_init(struct world *world, unsigned order) {
    memset(world, 0, sizeof *world);
    world->n = 1u << order % 9; /* 1..256 */
    memset(world->bytes, 0xa5, sizeof world->bytes);
    world->memory = ring_layout(world->bytes, world->n);
    WORLD_CHECK(
        !ring_driver_init(&world->driver, &world->memory, world->n, world->slot, NULL, NULL));
    WORLD_CHECK(
        !ring_device_init(&world->device, &world->memory, world->n, WORLD_MAX_LEN, NULL, NULL));
}

/* Each descriptor is free, flying or taken, exactly one of them. */
static inline void world_check_ownership(const struct world *world) {
    const struct ring_driver *driver = &world->driver;
    bool free[RING_MAX_ENTRIES] = {false};
    uint32_t free_count = 0, used_count = 0;

    WORLD_CHECK((driver->broken != NULL) >= world->driver_broken);
    WORLD_CHECK((world->device.broken != NULL) >= world->device_broken);
    if (!driver->broken) {
        for (uint32_t id = driver->free_head; id != RING_END; id = world->slot[id].next) {
            WORLD_CHECK(id < world->n && !free[id]);
            free[id] = true;
            free_count++;
        }
        for (uint32_t id = 0; id < world->n; id++) {
            bool used = world->slot[id].next == RING_FLYING || world->slot[id].next == RING_TAKEN;
            WORLD_CHECK(used != free[id]);
            used_count += used;
        }
        WORLD_CHECK(free_count + used_count == world->n);
        WORLD_CHECK(used_count == (uint16_t)(driver->avail_idx - driver->used_seen));
    }
    WORLD_CHECK(world->taken_count <= world->n);
    if (!world->device.broken)
        WORLD_CHECK(world->device.room + world->taken_count == world->n);
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

static inline void world_push(struct world *world, uint64_t addr, uint32_t len) {
    if (world->cookies == WORLD_COOKIES)
        return;
    int got = ring_push(&world->driver, addr, len, world->cookies);
    WORLD_CHECK(got == 0 || got == -RING_FULL || got == -RING_BROKEN);
    WORLD_CHECK(!world->driver_broken || got == -RING_BROKEN);
    world->cookies += got == 0;
    world->driver_broken |= got == -RING_BROKEN;
}

static inline void world_pop(struct world *world) {
    struct ring_element element;
    int got = ring_pop(&world->device, &element);
    WORLD_CHECK(got == 1 || got == 0 || got == -RING_BROKEN);
    WORLD_CHECK(!world->device_broken || got == -RING_BROKEN);
    world->device_broken |= got == -RING_BROKEN;
    if (got != 1)
        return;
    WORLD_CHECK(element.id < world->n && element.len <= WORLD_MAX_LEN);
    WORLD_CHECK(world->taken_count < world->n);
    world->taken[world->taken_count++] = element.id;

    uint64_t cookie;
    if (ring_driver_cookie(&world->driver, element.id, &cookie) == 0) {
        WORLD_CHECK(cookie < world->cookies && !world->handed[cookie]);
        world->handed[cookie] = 1;
    }
}

static inline void world_complete(struct world *world, uint32_t which, uint32_t len) {
    if (!world->taken_count)
        return;
    which %= world->taken_count;
    ring_complete(&world->device, world->taken[which], len);
    world->taken[which] = world->taken[--world->taken_count];
}

static inline void world_reap(struct world *world) {
    uint64_t cookie;
    int got = ring_reap(&world->driver, &cookie);
    WORLD_CHECK(got == 1 || got == 0 || got == -RING_BROKEN);
    WORLD_CHECK(!world->driver_broken || got == -RING_BROKEN);
    world->driver_broken |= got == -RING_BROKEN;
    if (got == 1) {
        WORLD_CHECK(cookie < world->cookies && !world->reaped[cookie]);
        world->reaped[cookie] = 1;
    }
}

/* One step of either end, chosen by `op`; then every invariant is checked. */
static inline void world_step(struct world *world, unsigned op, uint32_t a, uint32_t b) {
    bool sender = op % 8 < 4;
    memcpy(world->before, world->bytes, sizeof world->bytes);
    switch (op % 8) {
    case 0:
        world_push(world, a, b % (WORLD_MAX_LEN + 1));
        break;
    case 1:
        world_reap(world);
        break;
    case 2:
        (void)ring_driver_should_notify(&world->driver);
        break;
    case 3:
        WORLD_CHECK(ring_driver_enable_events(&world->driver) || !world->driver.broken);
        break;
    case 4:
        world_pop(world);
        break;
    case 5:
        world_complete(world, a, b);
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
