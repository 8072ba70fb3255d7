/*
 * Notifications: who is told when, by the truth table of section 2.7.10 and by real doorbells.
 */
#include "channel-dev/ring.h"
#include <criterion/criterion.h>

struct pair {
    _Alignas(64) unsigned char bytes[RING_BYTES(8)];
    struct ring_memory memory;
    uint64_t cookies[8];
    struct ring_driver driver;
    struct ring_device device;
    int to_receiver, to_sender;
};

static void ring_bell(void *context) { ++*(int *)context; }

static void pair_init(struct pair *pair) {
    pair->memory = ring_layout(pair->bytes, 8);
    pair->to_receiver = pair->to_sender = 0;
    ring_driver_init(&pair->driver, &pair->memory, 8, pair->cookies, ring_bell, &pair->to_receiver);
    ring_device_init(&pair->device, &pair->memory, 8, 64, ring_bell, &pair->to_sender);
}

Test(ring_events, truth_table) {
    static const struct {
        uint16_t event, now, before;
        bool want;
    } row[] = {
        {0, 1, 0, true},          /* the very step that was asked for */
        {0, 3, 0, true},          /* met inside a batch, at its start */
        {2, 3, 0, true},          /* at its end */
        {3, 3, 0, false},         /* one beyond */
        {5, 3, 0, false},         /* still to come */
        {0, 3, 1, false},         /* behind */
        {7, 7, 7, false},         /* no step at all */
        {65535, 0, 65535, true},  /* over the wrap */
        {65535, 2, 65533, true},  /* inside a batch over the wrap */
        {65532, 2, 65533, false}, /* behind, over the wrap */
        {2, 2, 65533, false},     /* beyond, over the wrap */
        {0, 32768, 32767, false}, /* half a turn behind */
        {32767, 32768, 32767, true},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        cr_assert_eq(ring_need_event(row[i].event, row[i].now, row[i].before), row[i].want,
                     "row %zu", i);
}

Test(ring_events, sleeper_is_told_once) {
    static struct pair pair;
    pair_init(&pair);
    struct ring_element element;
    cr_assert_not(ring_device_enable_events(&pair.device));
    for (int i = 0; i < 4; i++) {
        ring_push(&pair.driver, 0, 1, 0);
        ring_driver_kick(&pair.driver);
    }
    cr_assert_eq(pair.to_receiver, 1, "the first message only");
    while (ring_pop(&pair.device, &element) > 0)
        ring_complete(&pair.device, 0);
    ring_push(&pair.driver, 0, 1, 0);
    ring_driver_kick(&pair.driver);
    cr_assert_eq(pair.to_receiver, 1, "it has not asked again");
    cr_assert(ring_device_enable_events(&pair.device), "a message came before it asked");
    cr_assert_eq(ring_pop(&pair.device, &element), 1);
    cr_assert_not(ring_device_enable_events(&pair.device));
    ring_push(&pair.driver, 0, 1, 0);
    ring_push(&pair.driver, 0, 1, 0);
    ring_driver_kick(&pair.driver);
    cr_assert_eq(pair.to_receiver, 2, "a batch with one kick");
    ring_driver_kick(&pair.driver);
    cr_assert_eq(pair.to_receiver, 2, "nothing new to tell");
}

Test(ring_events, full_sender_is_told_of_room) {
    static struct pair pair;
    pair_init(&pair);
    struct ring_element element;
    while (ring_push(&pair.driver, 0, 1, 0) == 0)
        ;
    cr_assert_not(ring_driver_enable_events(&pair.driver));
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(ring_pop(&pair.device, &element), 1);
        ring_complete(&pair.device, 0);
        ring_device_kick(&pair.device);
    }
    cr_assert_eq(pair.to_sender, 1);
    cr_assert(ring_driver_enable_events(&pair.driver), "there is room already");
}

/* Over more than a whole turn of the indices a receiver that sleeps each time never misses one. */
Test(ring_events, never_lost_over_the_wrap) {
    static struct pair pair;
    pair_init(&pair);
    struct ring_element element;
    for (int i = 0; i < 70000; i++) {
        cr_assert_not(ring_device_enable_events(&pair.device));
        cr_assert_eq(ring_push(&pair.driver, 0, 1, 0), 0);
        ring_driver_kick(&pair.driver);
        cr_assert_eq(pair.to_receiver, i + 1);
        cr_assert_eq(ring_pop(&pair.device, &element), 1);
        ring_complete(&pair.device, 0);
    }
}

Test(ring_events, broken_ends_do_not_sleep) {
    static struct pair pair;
    pair_init(&pair);
    struct ring_element element;
    pair.memory.avail->idx = 1000;
    cr_assert_eq(ring_pop(&pair.device, &element), -RING_BROKEN);
    cr_assert(ring_device_enable_events(&pair.device));
    cr_assert_not(ring_device_should_notify(&pair.device));
    while (ring_push(&pair.driver, 0, 1, 0) == 0)
        ;
    pair.memory.used->idx = 1000;
    cr_assert_eq(ring_push(&pair.driver, 0, 1, 0), -RING_BROKEN);
    pair.memory.used->idx = 0;
    cr_assert(ring_driver_enable_events(&pair.driver));
    cr_assert_not(ring_driver_should_notify(&pair.driver));
}
