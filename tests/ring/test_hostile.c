/*
 * Hostile peers: each lie gets its own refusal, and random corruption of everything that a peer may
 * write never breaks an invariant of world.h.
 */
#include "world.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

static struct world world;

/* ---- one lie at a time ---- */

static int take(void) {
    struct ring_element element;
    uint64_t cookie;
    return world.joined ? ring_take(&world.driver, &world.device, &element, &cookie)
                        : ring_pop(&world.device, &element);
}

/* The receiver refuses with `why`, and still does once the sender's memory is honest again. */
static void assert_take_breaks(const char *why) {
    cr_assert_eq(take(), -RING_BROKEN);
    cr_assert_str_eq(world.device.broken, why);
    memcpy(world.bytes, world.before, sizeof world.bytes);
    cr_assert_eq(take(), -RING_BROKEN);
    cr_assert(ring_waiting(&world.device));
    if (world.joined) {
        cr_assert_str_eq(world.driver.broken, why);
        cr_assert_eq(ring_push(&world.driver, 0, 0, 0), -RING_BROKEN);
    } else {
        ring_complete(&world.device, 0);
        cr_assert_arr_eq(world.bytes, world.before, sizeof world.bytes);
    }
    cr_assert_eq(take(), -RING_BROKEN);
    cr_assert_str_eq(world.device.broken, why);
}

static void assert_push_breaks(const char *why) {
    cr_assert(ring_full(&world.driver));
    cr_assert_eq(ring_push(&world.driver, 0, 0, 0), -RING_BROKEN);
    cr_assert_str_eq(world.driver.broken, why);
    memcpy(world.bytes, world.before, sizeof world.bytes);
    cr_assert(ring_full(&world.driver));
    for (uint32_t idx = 0; idx < 65536; idx++) { /* no index mends it */
        world.memory.used->idx = world.memory.avail->idx = (uint16_t)idx;
        cr_assert_eq(ring_push(&world.driver, 0, 0, 0), -RING_BROKEN);
        if (world.joined)
            cr_assert_eq(take(), -RING_BROKEN);
    }
    cr_assert_str_eq(world.driver.broken, why);
}

static void message(bool joined) {
    world_init(&world, 3 + 16 * joined); /* 8 entries */
    world_push(&world);
    memcpy(world.before, world.bytes, sizeof world.bytes);
}

/* All eight are in flight, and as many as `taken` are taken. */
static void eight(bool joined, int taken) {
    world_init(&world, 3 + 16 * joined);
    for (int i = 0; i < 8; i++)
        world_push(&world);
    for (int i = 0; i < taken; i++)
        world_take(&world);
    memcpy(world.before, world.bytes, sizeof world.bytes);
}

static const char wrong_avail_index[] = "the sender's index is not one of what it may send";
static const char wrong_used_index[] = "the receiver's index is not one of what it was sent";

Test(ring_hostile, sender_index_too_far) {
    for (int joined = 0; joined < 2; joined++) {
        message(joined);
        world.memory.avail->idx = 9;
        assert_take_breaks(wrong_avail_index);
    }
}

Test(ring_hostile, sender_index_backwards) {
    eight(false, 8);
    world.memory.avail->idx = 7;
    assert_take_breaks(wrong_avail_index);
    eight(true, 4);
    world.memory.avail->idx = 3;
    assert_take_breaks(wrong_avail_index);
}

/* Eight are taken and none completed: a ninth cannot be honest, whatever index it comes with. */
Test(ring_hostile, sender_overruns_what_is_taken) {
    eight(false, 8);
    world.memory.avail->idx = 9;
    assert_take_breaks(wrong_avail_index);
}

/* A program that plays both ends knows what it has sent: not one message more, nor fewer. */
Test(ring_hostile, joined_sender_index_is_known) {
    for (int idx = 0; idx < 65536; idx++) {
        message(true);
        world.memory.avail->idx = (uint16_t)idx;
        cr_assert_eq(take(), idx == 1 ? 1 : -RING_BROKEN);
    }
}

Test(ring_hostile, sender_out_of_order) {
    for (int joined = 0; joined < 2; joined++)
        for (int id = 1; id < 65536; id++) {
            message(joined);
            world.memory.avail->ring[0] = (uint16_t)id;
            cr_assert_eq(take(), -RING_BROKEN);
            cr_assert_str_eq(world.device.broken, "the sender published a descriptor out of order");
        }
    assert_take_breaks("the sender published a descriptor out of order");
}

Test(ring_hostile, sender_flags) {
    for (int way = 0; way < 32; way++) { /* NEXT, WRITE, INDIRECT, and those without a name */
        message(way / 16);
        world.memory.desc[0].flags = (uint16_t)(1u << way % 16);
        assert_take_breaks("the sender set a descriptor flag that was not agreed");
    }
}

Test(ring_hostile, sender_length) {
    static const uint32_t lengths[] = {WORLD_MAX_LEN + 1, 1u << 16, 0x80000000u, UINT32_MAX};
    for (int joined = 0; joined < 2; joined++) {
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            message(joined);
            world.memory.desc[0].len = lengths[i];
            assert_take_breaks("the sender's message is longer than agreed");
        }
        message(joined);
        world.memory.desc[0].len = WORLD_MAX_LEN;
        cr_assert_eq(take(), 1);
    }
}

/* 2.7.5: next means nothing without the NEXT flag, so it is no lie. */
Test(ring_hostile, sender_next_is_ignored) {
    for (int joined = 0; joined < 2; joined++) {
        message(joined);
        world.memory.desc[0].next = 0xffff;
        cr_assert_eq(take(), 1);
    }
}

Test(ring_hostile, receiver_completes_more_than_sent) {
    for (int joined = 0; joined < 2; joined++) {
        eight(joined, 0);
        world.memory.used->idx = 9;
        assert_push_breaks(wrong_used_index);
    }
}

Test(ring_hostile, receiver_index_backwards) {
    for (int joined = 0; joined < 2; joined++) {
        eight(joined, 0);
        world.memory.used->idx = 65535;
        assert_push_breaks(wrong_used_index);
    }
}

/* Only what ring_take has taken is completed. */
Test(ring_hostile, joined_receiver_index_is_known) {
    for (int idx = 0; idx < 65536; idx++) {
        eight(true, 3);
        for (int i = 0; i < 3; i++)
            world_push(&world);
        if (idx == 3)
            continue;
        world.memory.used->idx = (uint16_t)idx;
        cr_assert(ring_full(&world.driver));
        cr_assert_eq(ring_push(&world.driver, 0, 0, 0), -RING_BROKEN);
    }
    assert_push_breaks(wrong_used_index);
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
    world.lies = true;
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
            world_step(&world, draw(), draw());
        }
        broken += world.driver_broken || world.device_broken;
    }
    if (*rate)
        cr_assert_gt(broken, worlds / 10, "corruption must be noticed: %u of %u", broken, worlds);
    else
        cr_assert_eq(broken, 0, "honest rings do not break");
}
