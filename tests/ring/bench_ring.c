/*
 * bench-ring [ROUNDS]: what a message through a joined ring costs on this host, in ns: push, then take,
 * one message or a full ring at a time. One thread, no notification.
 */
#include "channel-dev/ring.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ENTRIES 256u

static _Alignas(64) unsigned char bytes[RING_BYTES(ENTRIES)];
static uint64_t cookies[ENTRIES];
static struct ring_driver driver;
static struct ring_device device;

/* Out of line, so that callgrind attributes instructions to each. */
__attribute__((noinline)) static int bench_push(uint64_t i) { return ring_push(&driver, i, 64, i); }

__attribute__((noinline)) static int bench_take(uint64_t *cookie) {
    struct ring_element element;
    return ring_take(&driver, &device, &element, cookie) == 1 ? 0 : -1;
}

static double now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int measure(uint32_t batch, uint64_t rounds) {
    uint64_t sum = 0, cookie = 0;
    double begin = now_ns();
    for (uint64_t i = 0; i < rounds; i += batch) {
        for (uint32_t k = 0; k < batch; k++)
            if (bench_push(i + k))
                return -1;
        for (uint32_t k = 0; k < batch; k++) {
            if (bench_take(&cookie))
                return -1;
            sum += cookie;
        }
    }
    double each = (now_ns() - begin) / (double)rounds;
    if (sum != rounds * (rounds - 1) / 2) /* every message came, once */
        return -1;
    printf("%3u at a time: %6.2f ns a message\n", batch, each);
    return 0;
}

int main(int argc, char **argv) {
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;
    rounds = (rounds + ENTRIES - 1) / ENTRIES * ENTRIES;
    struct ring_memory memory = ring_layout(bytes, ENTRIES);
    ring_driver_init(&driver, &memory, ENTRIES, cookies, NULL, NULL);
    ring_device_init(&device, &memory, ENTRIES, 64, NULL, NULL);
    ring_join(&driver, &device);
    if (!rounds || measure(1, rounds) || measure(ENTRIES, rounds)) {
        fprintf(stderr, "bench-ring: a message was lost; usage: bench-ring [ROUNDS]\n");
        return 1;
    }
    return 0;
}
