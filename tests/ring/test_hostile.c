/*
 * Hostile peers: each lie gets its own refusal, and random corruption of everything that a peer may
 * write never breaks an invariant of world.h.
 */
#include "world.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

static struct world world;

/* ---- one lie at a time ---- */

/* The receiver refuses with `why`, and still does once the sender's memory is honest again. */
static void assert_pop_breaks(const char *why) {
    struct ring_element element;
    cr_assert_eq(ring_pop(&world.device, &element), -RING_BROKEN);
    cr_assert_str_eq(world.device.broken, why);
    memcpy(world.bytes, world.before, sizeof world.bytes);
    cr_assert_eq(ring_pop(&world.device, &element), -RING_BROKEN);
    ring_complete(&world.device, 0, 0);
    cr_assert_eq(ring_pop(&world.device, &element), -RING_BROKEN);
    cr_assert_str_eq(world.device.broken, why);
}

static void assert_reap_breaks(const char *why) {
    uint64_t cookie;
    cr_assert_eq(ring_reap(&world.driver, &cookie), -RING_BROKEN);
    cr_assert_str_eq(world.driver.broken, why);
    memcpy(world.bytes, world.before, sizeof world.bytes);
    cr_assert_eq(ring_reap(&world.driver, &cookie), -RING_BROKEN);
    cr_assert_eq(ring_push(&world.driver, 0, 0, 0), -RING_BROKEN);
    cr_assert_eq(ring_reclaim(&world.driver), -RING_BROKEN);
    cr_assert_str_eq(world.driver.broken, why);
}

static void one_message(void) {
    world_init(&world, 3); /* 8 entries */
    world_push(&world, 0x1000, 16);
    memcpy(world.before, world.bytes, sizeof world.bytes);
}

static void eight_taken(void) {
    world_init(&world, 3);
    for (int i = 0; i < 8; i++)
        world_push(&world, 0x1000, 16);
    for (int i = 0; i < 8; i++)
        world_pop(&world);
    memcpy(world.before, world.bytes, sizeof world.bytes);
}

Test(ring_hostile, sender_index_too_far, .init = one_message) {
    world.memory.avail->idx = 9;
    assert_pop_breaks("the sender's index runs further than the ring is long");
}

Test(ring_hostile, sender_index_backwards, .init = eight_taken) {
    world.memory.avail->idx = 7;
    assert_pop_breaks("the sender's index runs further than the ring is long");
}

/* Eight are taken and none completed: a ninth cannot be honest, whatever index it comes with. */
Test(ring_hostile, sender_overruns_what_is_taken, .init = eight_taken) {
    world.memory.avail->idx = 9;
    assert_pop_breaks("the sender's index runs further than the ring is long");
}

Test(ring_hostile, sender_head_beyond_table, .init = one_message) {
    world.memory.avail->ring[0] = 8;
    assert_pop_breaks("the sender published a descriptor beyond the table");
}

Test(ring_hostile, sender_flags) {
    for (int bit = 0; bit < 16; bit++) { /* NEXT, WRITE, INDIRECT, and those without a name */
        one_message();
        world.memory.desc[world.memory.avail->ring[0]].flags = (uint16_t)(1u << bit);
        assert_pop_breaks("the sender set a descriptor flag that was not agreed");
    }
}

Test(ring_hostile, sender_length) {
    static const uint32_t lengths[] = {WORLD_MAX_LEN + 1, 1u << 16, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        one_message();
        world.memory.desc[world.memory.avail->ring[0]].len = lengths[i];
        assert_pop_breaks("the sender's message is longer than agreed");
    }
    one_message();
    world.memory.desc[world.memory.avail->ring[0]].len = WORLD_MAX_LEN;
    struct ring_element element;
    cr_assert_eq(ring_pop(&world.device, &element), 1);
    cr_assert_eq(element.len, WORLD_MAX_LEN);
}

/* 2.7.5: next means nothing without the NEXT flag, so it is no lie. */
Test(ring_hostile, sender_next_is_ignored, .init = one_message) {
    struct ring_element element;
    world.memory.desc[world.memory.avail->ring[0]].next = 0xffff;
    cr_assert_eq(ring_pop(&world.device, &element), 1);
}

Test(ring_hostile, sender_sends_one_descriptor_twice, .init = one_message) {
    struct ring_element element;
    uint64_t cookie;
    world.memory.avail->ring[1] = world.memory.avail->ring[0];
    world.memory.avail->idx = 2;
    cr_assert_eq(ring_pop(&world.device, &element), 1);
    cr_assert_eq(ring_driver_cookie(&world.driver, element.id, &cookie), 0);
    cr_assert_eq(ring_pop(&world.device, &element), 1);
    cr_assert_eq(ring_driver_cookie(&world.driver, element.id, &cookie), -RING_BROKEN);
}

Test(ring_hostile, cookie_of_forged_ids, .init = one_message) {
    uint64_t cookie;
    uint32_t flying = world.memory.avail->ring[0];
    for (uint32_t id = 0; id < 70000; id++)
        if (id != flying)
            cr_assert_eq(ring_driver_cookie(&world.driver, id, &cookie), -RING_BROKEN);
    cr_assert_eq(ring_driver_cookie(&world.driver, UINT32_MAX, &cookie), -RING_BROKEN);
    cr_assert_eq(ring_driver_cookie(&world.driver, flying, &cookie), 0);
}

Test(ring_hostile, receiver_completes_more_than_sent, .init = one_message) {
    world.memory.used->idx = 2;
    assert_reap_breaks("the receiver completed more than it was sent");
}

Test(ring_hostile, receiver_index_backwards, .init = one_message) {
    world.memory.used->idx = 65535;
    assert_reap_breaks("the receiver completed more than it was sent");
}

Test(ring_hostile, receiver_id_beyond_table) {
    static const uint32_t ids[] = {8, 256, 0x10000, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        one_message();
        world.memory.used->ring[0].id = ids[i];
        world.memory.used->idx = 1;
        assert_reap_breaks("the receiver completed a descriptor beyond the table");
    }
}

Test(ring_hostile, receiver_id_not_in_flight, .init = one_message) {
    world.memory.used->ring[0].id = world.memory.avail->ring[0] ^ 1u;
    world.memory.used->idx = 1;
    assert_reap_breaks("the receiver completed a descriptor that is not in flight");
}

Test(ring_hostile, receiver_completes_twice, .init = eight_taken) {
    uint64_t cookie;
    world.memory.used->ring[0].id = world.memory.used->ring[1].id = 5;
    world.memory.used->idx = 2;
    cr_assert_eq(ring_reap(&world.driver, &cookie), 1);
    assert_reap_breaks("the receiver completed a descriptor that is not in flight");
}

Test(ring_hostile, push_meets_the_lie, .init = eight_taken) {
    world.memory.used->idx = 9;
    cr_assert_eq(ring_push(&world.driver, 0, 0, 0), -RING_BROKEN);
}

/* ---- all lies at once ---- */

static uint64_t random_state;
static uint32_t draw(void) { /* xorshift64* */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)(random_state * 0x2545f4914f6cdd1dull >> 32);
}

/* A 16-bit value that is as often nearly right as wild. */
static uint16_t wild(uint16_t near) {
    return (uint16_t)(draw() % 2 ? near + draw() % 7 - 3 : draw());
}

static void corrupt(void) {
    struct ring_memory *memory = &world.memory;
    uint32_t at = draw() % world.n;
    switch (draw() % 8) {
    case 0:
        memory->avail->idx = wild(memory->avail->idx);
        break;
    case 1:
        memory->avail->ring[at] = (uint16_t)(draw() % 4 ? draw() % world.n : draw());
        break;
    case 2:
        memory->desc[at].len = draw();
        break;
    case 3:
        memory->desc[at].flags = (uint16_t)draw();
        break;
    case 4:
        memory->used->idx = wild(memory->used->idx);
        break;
    case 5:
        memory->used->ring[at].id = draw() % 4 ? draw() % world.n : draw();
        break;
    case 6: /* the event indices */
        memory->avail->ring[world.n] = wild(memory->used->idx);
        memcpy(&memory->used->ring[world.n], &memory->avail->idx, 2);
        break;
    default:
        world.bytes[draw() % RING_BYTES(world.n)] = (unsigned char)draw();
        break;
    }
}

ParameterizedTestParameters(ring_hostile, random_corruption) {
    static unsigned rates[] = {0, 3, 30, 300}; /* one corruption in so many steps; 0: none */
    return cr_make_param_array(unsigned, rates, 4);
}

ParameterizedTest(unsigned *rate, ring_hostile, random_corruption) {
    random_state = 0x9e3779b97f4a7c15ull + *rate;
    unsigned broken = 0, worlds = 0;
    for (; worlds < 400; worlds++) {
        world_init(&world, draw());
        for (int step = 0; step < 500; step++) {
            if (*rate && draw() % *rate == 0)
                corrupt();
            world_step(&world, draw(), draw(), draw());
        }
        broken += world.driver_broken || world.device_broken;
    }
    if (*rate)
        cr_assert_gt(broken, worlds / 10, "corruption must be noticed: %u of %u", broken, worlds);
    else
        cr_assert_eq(broken, 0, "honest rings do not break");
}
