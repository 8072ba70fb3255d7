/*
 * Honest peers: messages arrive once, whole and in order; the ring fills, drains and wraps.
 */
#include "channel-dev/ring.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

struct pair {
    _Alignas(64) unsigned char bytes[RING_BYTES(RING_MAX_ENTRIES)];
    struct ring_memory memory;
    struct ring_slot slot[RING_MAX_ENTRIES];
    struct ring_driver driver;
    struct ring_device device;
};

/* A ring whose indices have already counted to `start`. */
static void pair_init(struct pair *pair, uint32_t n, uint16_t start) {
    pair->memory = ring_layout(pair->bytes, n);
    cr_assert_eq(ring_driver_init(&pair->driver, &pair->memory, n, pair->slot, NULL, NULL), 0);
    cr_assert_eq(ring_device_init(&pair->device, &pair->memory, n, UINT32_MAX, NULL, NULL), 0);
    pair->memory.avail->idx = pair->memory.used->idx = start;
    pair->driver.avail_idx = pair->driver.used_seen = pair->driver.notified = start;
    pair->device.last_avail = pair->device.used_idx = pair->device.notified = start;
}

ParameterizedTestParameters(ring_flow, fills_drains_and_wraps) {
    static uint32_t sizes[] = {1, 2, 8, 64, 256};
    return cr_make_param_array(uint32_t, sizes, sizeof sizes / sizeof *sizes);
}

ParameterizedTest(uint32_t *size, ring_flow, fills_drains_and_wraps) {
    static struct pair pair;
    uint32_t n = *size;
    pair_init(&pair, n, 65530);
    uint64_t sent = 0, received = 0;
    for (int round = 0; round < 600; round++) {
        for (uint32_t i = 0; i < n; i++, sent++)
            cr_assert_eq(ring_push(&pair.driver, sent * 3, (uint32_t)sent, ~sent), 0);
        cr_assert_eq(ring_push(&pair.driver, 0, 0, 0), -RING_FULL);
        struct ring_element element;
        for (uint32_t i = 0; i < n; i++, received++) {
            cr_assert_eq(ring_pop(&pair.device, &element), 1);
            cr_assert_eq(element.addr, received * 3);
            cr_assert_eq(element.len, (uint32_t)received);
            uint64_t cookie;
            cr_assert_eq(ring_driver_cookie(&pair.driver, element.id, &cookie), 0);
            cr_assert_eq(cookie, ~received);
            cr_assert_eq(ring_driver_cookie(&pair.driver, element.id, &cookie), -RING_BROKEN);
            ring_complete(&pair.device, element.id, 0);
        }
        cr_assert_eq(ring_pop(&pair.device, &element), 0);
    }
    cr_assert_eq(pair.memory.avail->idx, (uint16_t)(65530 + sent));
    cr_assert_null(pair.driver.broken);
    cr_assert_null(pair.device.broken);
}

Test(ring_flow, completes_out_of_order) {
    static struct pair pair;
    pair_init(&pair, 8, 65534);
    struct ring_element element[8];
    for (uint64_t i = 0; i < 8; i++)
        cr_assert_eq(ring_push(&pair.driver, i, 1, 100 + i), 0);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(ring_pop(&pair.device, &element[i]), 1);
    static const int order[] = {3, 7, 0, 1, 6, 2, 5, 4};
    uint64_t cookie;
    cr_assert_eq(ring_reap(&pair.driver, &cookie), 0);
    for (int i = 0; i < 8; i++) {
        ring_complete(&pair.device, element[order[i]].id, 0);
        cr_assert_eq(ring_reap(&pair.driver, &cookie), 1);
        cr_assert_eq(cookie, 100 + (uint64_t)order[i]);
    }
    cr_assert_eq(ring_reap(&pair.driver, &cookie), 0);
    for (uint64_t i = 0; i < 8; i++)
        cr_assert_eq(ring_push(&pair.driver, i, 1, i), 0);
    cr_assert_eq(ring_push(&pair.driver, 8, 1, 8), -RING_FULL);
}

/* The receiver may hold messages while new ones arrive: what it holds still counts as in flight. */
Test(ring_flow, held_messages_keep_their_descriptors) {
    static struct pair pair;
    pair_init(&pair, 4, 0);
    struct ring_element held, element;
    ring_push(&pair.driver, 1, 1, 1);
    cr_assert_eq(ring_pop(&pair.device, &held), 1);
    for (uint64_t i = 0; i < 3; i++)
        cr_assert_eq(ring_push(&pair.driver, 2 + i, 1, 2 + i), 0);
    cr_assert_eq(ring_push(&pair.driver, 9, 1, 9), -RING_FULL);
    for (uint64_t i = 0; i < 3; i++) {
        cr_assert_eq(ring_pop(&pair.device, &element), 1);
        cr_assert_neq(element.id, held.id);
        ring_complete(&pair.device, element.id, 0);
    }
    for (uint64_t i = 0; i < 3; i++)
        cr_assert_eq(ring_push(&pair.driver, 5 + i, 1, 5 + i), 0);
    cr_assert_eq(ring_push(&pair.driver, 9, 1, 9), -RING_FULL);
}
