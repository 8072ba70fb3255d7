/*
 * The device model alone, without any guest: a driver that keeps the rules, then ones that break each of
 * them, then noise. What is outside of guest memory and of the disk would be caught by the sanitizers.
 */
#include "domain-config/plan.h"
#include "vmm/virtio_blk.h"
#include <criterion/criterion.h>
#include <string.h>

#define MEMORY_BYTES 0x200000u /* a table as long as indices can say lies inside */
#define DISK_BYTES 0x4000u
#define ENTRIES 8u
#define DESCRIPTORS 0x1000u
#define AVAILABLE 0x2000u
#define USED 0x3000u
#define HEADER 0x4000u
#define STATUS_BYTE 0x4100u
#define DATA 0x5000u
#define NEXT 1u
#define WRITE 2u
#define NEEDS_RESET 64u
#define UNSET 0xee

static struct guest_memory memory;
static struct virtio_blk device;
static uint8_t *disk;
static uint16_t made; /* requests */

static uint32_t get(uint64_t offset) {
    uint32_t value;
    virtio_blk_read(&device, offset, &value, sizeof(value));
    return value;
}
static void set(uint64_t offset, uint32_t value) {
    virtio_blk_write(&device, offset, &value, sizeof(value));
}
static void put(uint64_t at, const void *from, uint64_t bytes) {
    memcpy(memory.base + at, from, bytes);
}
static void put16(uint64_t at, uint16_t value) { put(at, &value, sizeof(value)); }
static uint16_t get16(uint64_t at) {
    uint16_t value;
    memcpy(&value, memory.base + at, sizeof(value));
    return value;
}
static uint32_t get32(uint64_t at) {
    uint32_t value;
    memcpy(&value, memory.base + at, sizeof(value));
    return value;
}

static void descriptor(uint32_t number, uint64_t address, uint32_t bytes, uint16_t flags,
                       uint16_t next) {
    struct {
        uint64_t address;
        uint32_t bytes;
        uint16_t flags, next;
    } one = {address, bytes, flags, next};
    put(DESCRIPTORS + 16ull * number, &one, sizeof(one));
}

static void negotiate(uint32_t low, uint32_t high) {
    set(0x070, 0);
    set(0x070, 1);
    set(0x070, 1 | 2);
    set(0x024, 0);
    set(0x020, low);
    set(0x024, 1);
    set(0x020, high);
    set(0x070, 1 | 2 | 8);
}

static void queue_place(uint64_t descriptors, uint64_t available, uint64_t used, uint32_t entries) {
    set(0x030, 0);
    set(0x038, entries);
    set(0x080, (uint32_t)descriptors);
    set(0x084, (uint32_t)(descriptors >> 32));
    set(0x090, (uint32_t)available);
    set(0x094, (uint32_t)(available >> 32));
    set(0x0a0, (uint32_t)used);
    set(0x0a4, (uint32_t)(used >> 32));
    set(0x044, 1);
}

static void start(void) {
    made = 0;
    memset(memory.base, 0, MEMORY_BYTES);
    negotiate(1u << 9, 1);
    cr_assert(get(0x070) == (1 | 2 | 8));
    queue_place(DESCRIPTORS, AVAILABLE, USED, ENTRIES);
    cr_assert(get(0x044) == 1);
    set(0x070, 1 | 2 | 8 | 4);
}

static void setup(void) {
    disk = malloc(DISK_BYTES);
    for (uint32_t i = 0; i < DISK_BYTES; i++)
        disk[i] = (uint8_t)(i / 512 + i);
    memory = (struct guest_memory){.base = malloc(MEMORY_BYTES), .bytes = MEMORY_BYTES, .fd = -1};
    virtio_blk_init(&device, &memory, disk, DISK_BYTES);
    start();
}
static void teardown(void) {
    free(memory.base);
    free(disk);
}
TestSuite(virtio, .init = setup, .fini = teardown);

static void offer(uint16_t head) {
    put16(AVAILABLE + 4 + 2ull * (made % ENTRIES), head);
    put16(AVAILABLE + 2, ++made);
    set(0x050, 0);
}

static void header(uint32_t type, uint64_t sector) {
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } request = {type, 0, sector};
    put(HEADER, &request, sizeof(request));
    memory.base[STATUS_BYTE] = UNSET;
}

/* A request as a driver makes it; the status that the device gave. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t bytes, uint16_t data_flags) {
    header(type, sector);
    descriptor(0, HEADER, 16, NEXT, 1);
    if (bytes)
        descriptor(1, DATA, bytes, (uint16_t)(NEXT | data_flags), 2);
    descriptor(bytes ? 2 : 1, STATUS_BYTE, 1, WRITE, 0);
    offer(0);
    return memory.base[STATUS_BYTE];
}
static uint32_t used_bytes(void) { return get32(USED + 8 + 8ull * ((made - 1u) % ENTRIES)); }

/* Nothing was done, and nothing is until a reset, after which all is well again. */
static void expect_given_up(const char *what) {
    cr_expect(get(0x070) & NEEDS_RESET, "%s", what);
    cr_expect(get(0x060) & 2, "%s", what);
    cr_expect(virtio_blk_interrupt(&device), "%s", what);
    uint16_t used = get16(USED + 2);
    request(0, 0, 512, WRITE);
    cr_expect(get16(USED + 2) == used && memory.base[STATUS_BYTE] == UNSET, "%s", what);
    start();
    cr_expect(!virtio_blk_interrupt(&device), "%s", what);
    cr_expect(request(0, 1, 512, WRITE) == 0 && get16(USED + 2) == 1, "%s", what);
    start();
}

Test(virtio, registers) {
    cr_expect(get(0x000) == 0x74726976 && get(0x004) == 2 && get(0x008) == 2);
    set(0x014, 0);
    cr_expect(get(0x010) == 1u << 9);
    set(0x014, 1);
    cr_expect(get(0x010) == 1);
    set(0x014, 2);
    cr_expect(get(0x010) == 0);
    set(0x030, 1);
    cr_expect(get(0x034) == 0 && get(0x044) == 0, "there is one queue");
    set(0x030, 0);
    cr_expect(get(0x034) >= ENTRIES && get(0x044) == 1);
    cr_expect(get(0x0b0) == UINT32_MAX && get(0x0bc) == UINT32_MAX, "no shared memory");
    cr_expect(get(0x020) == 0 && get(0x050) == 0, "only written");
    uint64_t capacity;
    virtio_blk_read(&device, 0x100, &capacity, sizeof(capacity));
    cr_expect(capacity == DISK_BYTES / 512 && get(0x100) == DISK_BYTES / 512 && get(0x104) == 0);
    uint8_t byte = UNSET;
    virtio_blk_read(&device, 0x101, &byte, 1);
    cr_expect(byte == (DISK_BYTES / 512) >> 8);
    virtio_blk_read(&device, 0x000, &byte, 1);
    cr_expect(byte == 0, "a register has 32 bits");
    virtio_blk_read(&device, 0x104, &capacity, sizeof(capacity));
    cr_expect(capacity == 0, "what lies behind the capacity");
    for (uint64_t offset = 0; offset < PLAN_DEVICE_BYTES; offset++)
        for (uint32_t bytes = 1; bytes <= 8; bytes *= 2)
            virtio_blk_read(&device, offset, &capacity, bytes);
}

Test(virtio, features_are_agreed_on_once) {
    negotiate(1u << 9, 0);
    cr_expect(!(get(0x070) & 8), "without VERSION_1");
    negotiate(1u << 5, 1);
    cr_expect(!(get(0x070) & 8), "with one that was not offered");
    set(0x070, 15);
    cr_expect(!(get(0x070) & 4), "no DRIVER_OK without FEATURES_OK");
    negotiate(0, 1);
    cr_expect(get(0x070) & 8);
    set(0x020, 0xffffffff);
    set(0x070, 1 | 2 | 4 | 8);
    cr_expect((get(0x070) & 12) == 12, "a change afterwards counts for nothing");
    set(0x070, 1);
    cr_expect((get(0x070) & 15) == 15, "bits go by a reset alone");
    queue_place(DESCRIPTORS, AVAILABLE, USED, ENTRIES);
    made = 0;
    put16(AVAILABLE + 2, 0);
    cr_expect(request(4, 0, 0, 0) == 2, "FLUSH, which was not agreed on");
}

Test(virtio, requests) {
    cr_expect(request(0, 3, 1024, WRITE) == 0 && !memcmp(memory.base + DATA, disk + 1536, 1024));
    cr_expect(used_bytes() == 1025 && get16(USED + 2) == 1);
    cr_expect(get(0x060) == 1 && virtio_blk_interrupt(&device));
    set(0x064, 1);
    cr_expect(get(0x060) == 0 && !virtio_blk_interrupt(&device));
    memset(memory.base + DATA, 0x5a, 512);
    cr_expect(request(1, 31, 512, 0) == 0 && disk[DISK_BYTES - 512] == 0x5a &&
              disk[DISK_BYTES - 1] == 0x5a && disk[DISK_BYTES - 513] != 0x5a);
    cr_expect(used_bytes() == 1);
    cr_expect(request(4, 0, 0, 0) == 0, "FLUSH");
    cr_expect(request(8, 0, 20, WRITE) == 0 && !strcmp((char *)memory.base + DATA, "bulkhead"));
    cr_expect(used_bytes() == 21);
    cr_expect(request(8, 0, 32, WRITE) == 0 && used_bytes() == 20, "what was written in one go");
    cr_expect(request(8, 0, 19, WRITE) == 1, "an ID has 20 bytes");
    cr_expect(request(13, 0, 512, WRITE) == 2, "DISCARD, which is not offered");
    for (uint32_t i = 0; i < 70000; i++)
        cr_assert(request(0, i % 32, 512, WRITE) == 0);
    cr_expect(!(get(0x070) & NEEDS_RESET), "indices wrap");
}

Test(virtio, beyond_the_disk) {
    static const uint64_t sectors[] = {32, 33, UINT64_MAX, UINT64_MAX / 512, 1ull << 55, 31};
    for (size_t i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
        memset(memory.base + DATA, UNSET, 1024);
        cr_expect(request(0, sectors[i], 1024, WRITE) == 1 && memory.base[DATA] == UNSET, "%zu", i);
        cr_expect(used_bytes() == 0);
        cr_expect(request(1, sectors[i], 1024, 0) == 1, "%zu", i);
    }
    cr_expect(request(0, 0, 511, WRITE) == 1 && request(0, 0, 513, WRITE) == 1);
    cr_expect(request(1, 0, 1, 0) == 1);
    cr_expect(request(0, 0, DISK_BYTES + 512, WRITE) == 1);
    cr_expect(request(0, 0, DISK_BYTES, WRITE) == 0, "all of it");
    cr_expect(!(get(0x070) & NEEDS_RESET), "a driver may be refused, it breaks no rule");
}

/* 2.7.4: where one buffer ends and the next begins means nothing. */
Test(virtio, any_framing) {
    for (uint32_t i = 0; i < 512; i++)
        memory.base[DATA + i] = (uint8_t)(i * 7);
    header(1, 5);
    descriptor(0, HEADER, 3, NEXT, 4);
    descriptor(4, HEADER + 3, 13, NEXT, 2);
    descriptor(2, DATA, 1, NEXT, 3);
    descriptor(3, DATA + 1, 511, NEXT, 1);
    descriptor(1, STATUS_BYTE, 1, WRITE, 0);
    offer(0);
    cr_expect(memory.base[STATUS_BYTE] == 0 && !memcmp(disk + 5 * 512, memory.base + DATA, 512));
    header(0, 5);
    descriptor(0, HEADER, 16, NEXT, 1);
    descriptor(1, DATA + 4096, 100, NEXT | WRITE, 2);
    descriptor(2, DATA + 8192, 413, WRITE, 0); /* the status is its last byte */
    memory.base[DATA + 8192 + 412] = UNSET;
    offer(0);
    cr_expect(memory.base[DATA + 8192 + 412] == 0 && used_bytes() == 513);
    cr_expect(!memcmp(memory.base + DATA + 4096, disk + 5 * 512, 100));
    cr_expect(!memcmp(memory.base + DATA + 8192, disk + 5 * 512 + 100, 412));
}

Test(virtio, no_interrupt_if_none_is_wanted) {
    put16(AVAILABLE, 1);
    cr_expect(request(0, 0, 512, WRITE) == 0 && get16(USED + 2) == 1);
    cr_expect(!virtio_blk_interrupt(&device));
}

Test(virtio, several_at_once) {
    for (uint32_t i = 0; i < ENTRIES; i++)
        put16(AVAILABLE + 4 + 2 * i, 0);
    made = ENTRIES - 1;
    request(0, 0, 512, WRITE);
    cr_expect(get16(USED + 2) == ENTRIES && !(get(0x070) & NEEDS_RESET));
}

Test(virtio, chains_that_break_the_rules) {
    static const struct {
        const char *what;
        uint64_t address;
        uint32_t bytes;
        uint16_t flags, next;
    } second[] = {
        {"a buffer beyond memory", MEMORY_BYTES, 1, WRITE, 0},
        {"that ends beyond it", MEMORY_BYTES - 511, 512, WRITE, 0},
        {"whose end wraps around", UINT64_MAX - 10, 512, WRITE, 0},
        {"all that 32 bits can say", 0, UINT32_MAX, WRITE, 0},
        {"an empty buffer", DATA, 0, WRITE, 0},
        {"an indirect table", DATA, 16, 4, 0},
        {"a flag that means nothing", DATA, 16, WRITE | 0x8000, 0},
        {"a loop of one", DATA, 16, NEXT | WRITE, 1},
        {"a loop of two", DATA, 16, NEXT, 0},
        {"next beyond the table", DATA, 512, NEXT | WRITE, ENTRIES},
        {"next far beyond the table", DATA, 512, NEXT | WRITE, UINT16_MAX},
        {"no place for the status", DATA, 512, 0, 0},
    };
    for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
        header(0, 0);
        descriptor(0, HEADER, 16, NEXT, 1);
        descriptor(1, second[i].address, second[i].bytes, second[i].flags, second[i].next);
        descriptor(ENTRIES, STATUS_BYTE, 1, WRITE, 0); /* good, if it were in the table */
        descriptor(UINT16_MAX, STATUS_BYTE, 1, WRITE, 0);
        offer(0);
        expect_given_up(second[i].what);
    }
    header(1, 0);
    descriptor(0, HEADER, 16, NEXT, 1);
    descriptor(1, STATUS_BYTE, 1, NEXT | WRITE, 2);
    descriptor(2, DATA, 512, 0, 0);
    offer(0);
    expect_given_up("to read after to write");
    descriptor(0, HEADER, 15, NEXT, 1);
    descriptor(1, STATUS_BYTE, 1, WRITE, 0);
    offer(0);
    expect_given_up("a header that is too short");
    descriptor(0, STATUS_BYTE, 1, WRITE, 0);
    offer(0);
    expect_given_up("no header");
    header(4, 0);
    descriptor(ENTRIES, HEADER, 16, NEXT, 1);
    descriptor(1, STATUS_BYTE, 1, WRITE, 0);
    offer(ENTRIES);
    expect_given_up("a head beyond the table");
    offer(UINT16_MAX);
    expect_given_up("a head far beyond the table");
    static const uint16_t indices[] = {ENTRIES,
                                       UINT16_MAX - 1}; /* one too many; one that goes back */
    for (size_t i = 0; i < 2; i++) {
        header(4, 0); /* of good requests */
        descriptor(0, HEADER, 16, NEXT, 1);
        descriptor(1, STATUS_BYTE, 1, WRITE, 0);
        made = indices[i];
        offer(0);
        cr_expect(get16(USED + 2) == 0 && memory.base[STATUS_BYTE] == UNSET);
        expect_given_up("an index that cannot be");
    }
}

Test(virtio, queues_that_cannot_be) {
    static const struct {
        const char *what;
        uint64_t descriptors, available, used;
        uint32_t entries;
    } bad[] = {
        {"no entries", DESCRIPTORS, AVAILABLE, USED, 0},
        {"no power of two", DESCRIPTORS, AVAILABLE, USED, 6},
        {"too many", DESCRIPTORS, AVAILABLE, USED, 256},
        {"far too many", DESCRIPTORS, AVAILABLE, USED, 1u << 31},
        {"descriptors not aligned", DESCRIPTORS + 8, AVAILABLE, USED, ENTRIES},
        {"available not aligned", DESCRIPTORS, AVAILABLE + 1, USED, ENTRIES},
        {"used not aligned", DESCRIPTORS, AVAILABLE, USED + 2, ENTRIES},
        {"descriptors beyond memory", MEMORY_BYTES, AVAILABLE, USED, ENTRIES},
        {"descriptors to beyond it", MEMORY_BYTES - 16, AVAILABLE, USED, ENTRIES},
        {"available wraps", DESCRIPTORS, UINT64_MAX - 1, USED, ENTRIES},
        {"used above 4 GiB", DESCRIPTORS, AVAILABLE, 1ull << 32, ENTRIES},
        {"used to beyond memory", DESCRIPTORS, AVAILABLE, MEMORY_BYTES - 8, ENTRIES},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        negotiate(0, 1);
        queue_place(bad[i].descriptors, bad[i].available, bad[i].used, bad[i].entries);
        cr_expect(get(0x044) == 0, "%s", bad[i].what);
        set(0x070, 15);
        made = 0;
        put16(USED + 2, 0);
        cr_expect(request(0, 0, 512, WRITE) == UNSET && get16(USED + 2) == 0, "%s", bad[i].what);
    }
    start();
    set(0x080, (uint32_t)MEMORY_BYTES); /* while it is ready */
    set(0x038, 1u << 20);
    cr_expect(request(0, 0, 512, WRITE) == 0, "a queue in use does not move");
}

Test(virtio, reset_in_flight) {
    cr_expect(request(0, 0, 512, WRITE) == 0 && virtio_blk_interrupt(&device));
    put16(AVAILABLE + 2, 3); /* two more are waiting, and nobody has told the device */
    set(0x070, 0);
    cr_expect(get(0x070) == 0 && !virtio_blk_interrupt(&device) && get(0x044) == 0);
    set(0x050, 0);
    cr_expect(get16(USED + 2) == 1, "a device that was reset does nothing");
    set(0x070, 15);
    set(0x050, 0);
    cr_expect(get16(USED + 2) == 1, "nor with no queue");
    start();
    cr_expect(request(0, 0, 512, WRITE) == 0 && get16(USED + 2) == 1, "it begins anew");
    set(0x044, 0);
    cr_expect(get(0x044) == 0);
    set(0x050, 0);
    cr_expect(get16(USED + 2) == 1);
}

static uint64_t random_next(void) { /* xorshift64, Marsaglia 2003 */
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Any register, any value, any memory: all of it is refused or served, and nothing else is touched. */
Test(virtio, noise) {
    uint32_t served = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        if (round % 4 == 0)
            start();
        for (uint32_t i = 0; i < ENTRIES; i++) {
            static const uint32_t lengths[] = {1, 16, 512, 513, 1024, 0, UINT32_MAX, 20};
            uint64_t wild = random_next() % 16 == 0 ? random_next() : 0;
            descriptor(i, wild ? wild : random_next() % MEMORY_BYTES, lengths[random_next() % 8],
                       (uint16_t)(random_next() % 64 ? random_next() % 4 : random_next()),
                       (uint16_t)(random_next() % (ENTRIES + (random_next() % 32 == 0))));
        }
        header((uint32_t)(random_next() % 10), random_next() % 40);
        descriptor(random_next() % ENTRIES, HEADER, 16, NEXT, (uint16_t)(random_next() % ENTRIES));
        uint16_t before = get16(USED + 2);
        for (uint32_t i = random_next() % 3; i; i--)
            set(random_next() % 0x100 & ~3ull, (uint32_t)random_next());
        put16(AVAILABLE + 4 + 2 * (random_next() % ENTRIES), (uint16_t)(random_next() % ENTRIES));
        offer((uint16_t)(random_next() % ENTRIES));
        served += get16(USED + 2) != before;
    }
    cr_expect(served > 100, "%u requests of noise were served", served);
}
