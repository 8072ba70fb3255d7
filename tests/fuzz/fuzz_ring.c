/*
 * libFuzzer: the input is a program of steps of both ends and of writes anywhere in the ring, with the
 * invariants of tests/ring/world.h checked after each step.
 */
#include "tests/ring/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct world world;
    if (size < 1)
        return 0;
    world_init(&world, data[0]);
    for (size_t at = 1; at + 4 <= size; at += 4) {
        uint16_t b = (uint16_t)(data[at + 2] | data[at + 3] << 8);
        if (data[at] & 0x80) { /* a lie: a 16-bit word anywhere */
            size_t place = data[at + 1] | (data[at] & 0x7fu) << 8;
            memcpy(&world.bytes[place % (RING_BYTES(world.n) - 1)], &b, 2);
            world.lies = true;
        } else {
            world_step(&world, data[at], b);
        }
    }
    return 0;
}
