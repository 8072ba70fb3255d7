/* Sources: virtio 1.2, sections 2.7 (split virtqueues), 3.1 (initialization), 4.2 (MMIO), 5.2 (block). */
#include "virtio_blk.h"

/* Registers, 4.2.2. */
#define DEVICE_FEATURES 0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES 0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL 0x030
#define QUEUE_NUM_MAX 0x034
#define QUEUE_NUM 0x038
#define QUEUE_READY 0x044
#define QUEUE_NOTIFY 0x050
#define INTERRUPT_STATUS 0x060
#define INTERRUPT_ACK 0x064
#define STATUS 0x070
#define QUEUE_DESC_LOW 0x080
#define QUEUE_DRIVER_LOW 0x090
#define QUEUE_DEVICE_LOW 0x0a0
#define CONFIG_GENERATION 0x0fc
#define CONFIG_CAPACITY 0x100

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u
#define FEATURE_FLUSH (1u << 9)     /* of the first 32 */
#define FEATURE_VERSION_1 (1u << 0) /* of the second */
#define RESET_TRIES 1000000u

/* The queue: one request is a chain of up to three descriptors, always from the first one on. */
#define QUEUE_ENTRIES 4u
#define NEXT 1u
#define WRITE 2u /* by the device */

/* Where things are in the memory that is shared. */
#define AT_DESCRIPTORS 0x100u
#define AT_AVAILABLE 0x200u
#define AT_USED 0x300u
#define AT_REQUEST 0x400u
#define AT_STATUS 0x410u
#define AT_DATA 0x1000u

#define TYPE_IN 0u
#define TYPE_OUT 1u
#define TYPE_FLUSH 4u
#define STATUS_UNSET 0xffu

static sip_handle registers, memory;
static uint64_t address; /* of the memory, to the device */
static uint16_t requests;
static bool flushes;

static void descriptor(uint32_t number, uint32_t at, uint32_t bytes, uint32_t flags) {
    uint32_t entry = AT_DESCRIPTORS + 16 * number;
    sip_device_st64(memory, entry, address + at);
    sip_device_st32(memory, entry + 8, bytes);
    sip_device_st16(memory, entry + 12, (uint16_t)flags);
    sip_device_st16(memory, entry + 14, (uint16_t)(number + 1));
}

static void status_add(uint32_t bit) {
    sip_device_st32(registers, STATUS, sip_device_ld32(registers, STATUS) | bit);
}

static void address_set(uint32_t reg, uint32_t at) {
    sip_device_st32(registers, reg, (uint32_t)(address + at));
    sip_device_st32(registers, reg + 4, (uint32_t)((address + at) >> 32));
}

static void reset(void) {
    sip_device_st32(registers, STATUS, 0);
    for (uint32_t i = 0; sip_device_ld32(registers, STATUS); i++)
        if (i == RESET_TRIES)
            sip_fail("the disk does not reset");
}

static void features_agree(void) {
    sip_device_st32(registers, DEVICE_FEATURES_SEL, 0);
    uint32_t low = sip_device_ld32(registers, DEVICE_FEATURES) & FEATURE_FLUSH;
    sip_device_st32(registers, DEVICE_FEATURES_SEL, 1);
    uint32_t high = sip_device_ld32(registers, DEVICE_FEATURES) & FEATURE_VERSION_1;
    if (!high)
        sip_fail("the disk is of virtio before 1.0");
    flushes = low != 0;
    sip_device_st32(registers, DRIVER_FEATURES_SEL, 0);
    sip_device_st32(registers, DRIVER_FEATURES, low);
    sip_device_st32(registers, DRIVER_FEATURES_SEL, 1);
    sip_device_st32(registers, DRIVER_FEATURES, high);
    status_add(STATUS_FEATURES_OK);
    if (!(sip_device_ld32(registers, STATUS) & STATUS_FEATURES_OK))
        sip_fail("the disk refuses what it offered");
}

static void queue_start(void) {
    sip_device_st32(registers, QUEUE_SEL, 0);
    if (sip_device_ld32(registers, QUEUE_READY))
        sip_fail("the disk's queue is in use after a reset");
    if (sip_device_ld32(registers, QUEUE_NUM_MAX) < QUEUE_ENTRIES)
        sip_fail("the disk's queue is too short");
    sip_device_st32(registers, QUEUE_NUM, QUEUE_ENTRIES);
    address_set(QUEUE_DESC_LOW, AT_DESCRIPTORS);
    address_set(QUEUE_DRIVER_LOW, AT_AVAILABLE);
    address_set(QUEUE_DEVICE_LOW, AT_USED);
    sip_device_st32(registers, QUEUE_READY, 1);
}

static uint64_t capacity_read(void) {
    uint32_t generation, low, high;
    do {
        generation = sip_device_ld32(registers, CONFIG_GENERATION);
        low = sip_device_ld32(registers, CONFIG_CAPACITY);
        high = sip_device_ld32(registers, CONFIG_CAPACITY + 4);
    } while (sip_device_ld32(registers, CONFIG_GENERATION) != generation);
    return low | (uint64_t)high << 32;
}

uint64_t virtio_blk_start(void) {
    registers = sip_device_registers();
    memory = sip_device_memory();
    if (!registers || !memory)
        sip_fail("the workload gives this SIP no device");
    address = (uint64_t)sip_device_address();
    reset();
    status_add(STATUS_ACKNOWLEDGE);
    status_add(STATUS_DRIVER);
    features_agree();
    queue_start();
    status_add(STATUS_DRIVER_OK);
    return capacity_read();
}

sip_handle virtio_blk_data(uint32_t *offset) {
    *offset = AT_DATA - sizeof(struct abi_message);
    return memory;
}

/* The device says that it is done by the used index; its interrupt only tells when to look. */
static void wait_until_used(void) {
    do {
        if (sip_irq_wait(ABI_IRQ_DEVICE))
            sip_fail("the disk's interrupt cannot be waited for");
        sip_device_st32(registers, INTERRUPT_ACK, sip_device_ld32(registers, INTERRUPT_STATUS) & 3);
        if (sip_device_ld32(registers, STATUS) & STATUS_NEEDS_RESET)
            sip_fail("the disk has given up");
    } while (sip_device_ld16(memory, AT_USED + 2) != requests);
}

/* Makes a request; the device begins. */
static void begin(uint32_t type, uint64_t sector, uint32_t bytes) {
    uint32_t last = bytes ? 2 : 1, slot = requests % QUEUE_ENTRIES;
    sip_device_st32(memory, AT_REQUEST, type);
    sip_device_st32(memory, AT_REQUEST + 4, 0);
    sip_device_st64(memory, AT_REQUEST + 8, sector);
    sip_device_st8(memory, AT_STATUS, STATUS_UNSET);
    descriptor(0, AT_REQUEST, 16, NEXT);
    if (bytes)
        descriptor(1, AT_DATA, bytes, type == TYPE_IN ? NEXT | WRITE : NEXT);
    descriptor(last, AT_STATUS, 1, WRITE);
    sip_device_st16(memory, AT_AVAILABLE + 4 + 2 * slot, 0);
    sip_device_st16(memory, AT_AVAILABLE + 2, ++requests);
    sip_device_st32(registers, QUEUE_NOTIFY, 0);
}

static int request(uint32_t type, uint64_t sector, uint32_t bytes) {
    uint32_t slot = requests % QUEUE_ENTRIES, written = type == TYPE_IN ? bytes + 1 : 1;
    begin(type, sector, bytes);
    wait_until_used();
    if (sip_device_ld32(memory, AT_USED + 4 + 8 * slot) != 0 ||
        sip_device_ld32(memory, AT_USED + 8 + 8 * slot) > written)
        sip_fail("the disk answered another request than was made");
    return sip_device_ld8(memory, AT_STATUS) ? -1 : 0;
}

int virtio_blk_read(uint64_t sector, uint32_t sectors) {
    return request(TYPE_IN, sector, sectors * VIRTIO_BLK_SECTOR_BYTES);
}

int virtio_blk_write(uint64_t sector, uint32_t sectors) {
    return request(TYPE_OUT, sector, sectors * VIRTIO_BLK_SECTOR_BYTES);
}

int virtio_blk_flush(void) { return flushes ? request(TYPE_FLUSH, 0, 0) : 0; }
