/*
 * Honest peers: messages arrive once, whole and in order; the ring fills, drains and wraps.
 */
#include "channel-dev/ring.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

struct pair {
    _Alignas(64) unsigned char bytes[RING_BYTES(RING_MAX_ENTRIES)];
    struct ring_memory memory;
    uint64_t cookies[RING_MAX_ENTRIES];
    struct ring_driver driver;
    struct ring_device device;
};

/* A ring whose indices have already counted to `start`. */
static void pair_init(struct pair *pair, uint32_t n, uint32_t start) {
    pair->memory = ring_layout(pair->bytes, n);
    cr_assert_eq(ring_driver_init(&pair->driver, &pair->memory, n, pair->cookies, NULL, NULL), 0);
    cr_assert_eq(ring_device_init(&pair->device, &pair->memory, n, UINT32_MAX, NULL, NULL), 0);
    pair->memory.avail->idx = pair->memory.used->idx = (uint16_t)start;
    pair->driver.avail_idx = pair->driver.notified = start;
    pair->driver.full_at = start + n;
    pair->device.last_avail = pair->device.notified = start;
}

/* Over the ends of 16 and of 32 bits. */
static const uint32_t starts[] = {65530, UINT32_MAX - 5};

ParameterizedTestParameters(ring_flow, fills_drains_and_wraps) {
    static uint32_t sizes[] = {1, 2, 8, 64, 256};
    return cr_make_param_array(uint32_t, sizes, sizeof sizes / sizeof *sizes);
}

static void fill(struct pair *pair, uint32_t n, uint64_t *sent) {
    for (uint32_t i = 0; i < n; i++, ++*sent) {
        cr_assert_not(ring_full(&pair->driver));
        cr_assert_eq(ring_push(&pair->driver, *sent * 3, (uint32_t)*sent, ~*sent), 0);
        cr_assert(ring_waiting(&pair->device));
    }
    cr_assert(ring_full(&pair->driver));
    cr_assert_eq(ring_push(&pair->driver, 0, 0, 0), -RING_FULL);
}

ParameterizedTest(uint32_t *size, ring_flow, fills_drains_and_wraps) {
    static struct pair pair;
    uint32_t n = *size;
    for (int way = 0; way < 4; way++) {
        bool joined = way / 2;
        uint32_t start = starts[way % 2];
        pair_init(&pair, n, start);
        if (joined)
            ring_join(&pair.driver, &pair.device);
        uint64_t sent = 0, received = 0, cookie;
        for (int round = 0; round < 600; round++) {
            fill(&pair, n, &sent);
            struct ring_element element;
            for (uint32_t i = 0; i < n; i++, received++) {
                if (joined) {
                    cr_assert_eq(ring_take(&pair.driver, &pair.device, &element, &cookie), 1);
                    cr_assert_eq(cookie, ~received);
                } else {
                    cr_assert_eq(ring_pop(&pair.device, &element), 1);
                    ring_complete(&pair.device, 0);
                }
                cr_assert_eq(element.addr, received * 3);
                cr_assert_eq(element.len, (uint32_t)received);
                cr_assert_eq(element.id, (start + (uint32_t)received) % n);
            }
            cr_assert_not(ring_waiting(&pair.device));
            cr_assert_eq(joined ? ring_take(&pair.driver, &pair.device, &element, &cookie)
                                : ring_pop(&pair.device, &element),
                         0);
        }
        cr_assert_eq(pair.memory.avail->idx, (uint16_t)(start + sent));
        cr_assert_eq(pair.memory.used->idx, (uint16_t)(start + sent));
        for (uint32_t i = 0; i < n; i++)
            cr_assert_eq(pair.memory.used->ring[i].id, i);
        cr_assert_null(pair.driver.broken);
        cr_assert_null(pair.device.broken);
    }
}

/* The receiver may hold messages while new ones arrive, and gives them back oldest first. */
Test(ring_flow, held_messages_keep_their_descriptors) {
    static struct pair pair;
    pair_init(&pair, 4, 0);
    struct ring_element element;
    ring_push(&pair.driver, 1, 1, 1);
    cr_assert_eq(ring_pop(&pair.device, &element), 1);
    cr_assert_eq(element.id, 0);
    for (uint64_t i = 0; i < 3; i++)
        cr_assert_eq(ring_push(&pair.driver, 2 + i, 1, 2 + i), 0);
    cr_assert_eq(ring_push(&pair.driver, 9, 1, 9), -RING_FULL);
    for (uint32_t i = 1; i < 4; i++) {
        cr_assert_eq(ring_pop(&pair.device, &element), 1);
        cr_assert_eq(element.id, i);
    }
    for (uint64_t i = 0; i < 4; i++) {
        ring_complete(&pair.device, 0);
        cr_assert_eq(ring_push(&pair.driver, 5 + i, 1, 5 + i), 0);
        cr_assert_eq(ring_push(&pair.driver, 9, 1, 9), -RING_FULL);
    }
}

/* 2.7.9: a receiver may write one used entry for a batch and move its index by the whole of it. */
Test(ring_flow, a_batch_may_be_used_at_once) {
    static struct pair pair;
    pair_init(&pair, 8, 65534);
    for (uint64_t i = 0; i < 8; i++)
        cr_assert_eq(ring_push(&pair.driver, i, 1, i), 0);
    pair.memory.used->ring[(65534 + 0) % 8].id = (65534 + 4) % 8;
    pair.memory.used->idx = (uint16_t)(65534 + 5);
    for (uint64_t i = 0; i < 5; i++)
        cr_assert_eq(ring_push(&pair.driver, i, 1, i), 0);
    cr_assert_eq(ring_push(&pair.driver, 9, 1, 9), -RING_FULL);
}
