/* Registers by virtio 1.2, 4.2.2; the split queue by 2.7; requests by 5.2.6. */
#include "virtio_blk.h"
#include "domain-config/plan.h"
#include "virtio_disk.h"
#include <endian.h>
#include <stdbool.h>
#include <string.h>

enum {
    MAGIC = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    VENDOR_ID = 0x00c,
    OFFERED = 0x010,
    OFFERED_SELECT = 0x014,
    ACCEPTED = 0x020,
    ACCEPTED_SELECT = 0x024,
    QUEUE_SELECT = 0x030,
    QUEUE_MOST = 0x034,
    QUEUE_ENTRIES = 0x038,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESCRIPTORS = 0x080, /* low half; the high half follows, as of the next two */
    QUEUE_AVAILABLE = 0x090,
    QUEUE_USED = 0x0a0,
    SHARED_LENGTH = 0x0b0, /* of a shared memory region, and where: there is none */
    SHARED_END = 0x0c0,
    CONFIG = 0x100,
};
#define MAGIC_VALUE 0x74726976u
#define VENDOR_VALUE 0x4b484c42u /* "BLHK" */
#define ID_BLOCK 2u

#define FEATURE_FLUSH (1ull << 9)
#define FEATURE_VERSION_1 (1ull << 32)
#define FEATURES (FEATURE_FLUSH | FEATURE_VERSION_1)

#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u
#define INTERRUPT_USED 1u
#define INTERRUPT_CONFIG 2u

#define DESCRIPTOR_NEXT 1u
#define DESCRIPTOR_WRITE 2u
#define AVAILABLE_NO_INTERRUPT 1u

struct descriptor { /* 2.7.5, little-endian like all of the queue */
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};
struct used { /* 2.7.8 */
    uint32_t id, bytes;
};
struct request { /* 5.2.6 */
    uint32_t type, reserved;
    uint64_t sector;
};
enum request_type {
    REQUEST_IN = 0,
    REQUEST_OUT = 1,
    REQUEST_FLUSH = 4,
    REQUEST_GET_ID = 8,
};
enum request_status {
    REQUEST_OK = 0,
    REQUEST_IOERR = 1,
    REQUEST_UNSUPP = 2
};
#define ID_BYTES 20u

struct piece { /* of a buffer of the guest, inside of its memory */
    uint8_t *at;
    uint32_t bytes;
};
struct chain {
    struct piece piece[VIRTIO_BLK_QUEUE_MOST]; /* what the device reads, then what it writes */
    uint32_t reads, pieces;
    uint64_t read_bytes, write_bytes;
};

void virtio_blk_init(struct virtio_blk *device, const struct guest_memory *memory, void *disk,
                     uint64_t bytes) {
    *device = (struct virtio_blk){
        .memory = memory, .disk = disk, .sectors = bytes / VIRTIO_BLK_SECTOR_BYTES};
}

int virtio_blk_interrupt(const struct virtio_blk *device) { return device->interrupts != 0; }

/* 2.1.2: the guest broke a rule; only a reset helps. */
static void give_up(struct virtio_blk *device) {
    device->status |= STATUS_NEEDS_RESET;
    if (device->status & STATUS_DRIVER_OK)
        device->interrupts |= INTERRUPT_CONFIG;
}

static void reset(struct virtio_blk *device) {
    virtio_blk_init(device, device->memory, device->disk,
                    device->sectors * VIRTIO_BLK_SECTOR_BYTES);
}

/* ---- the queue ---- */

static uint16_t load16(const void *from) {
    uint16_t value = __atomic_load_n((const uint16_t *)from, __ATOMIC_ACQUIRE);
    return le16toh(value);
}

/* A part of the queue, 2.7: aligned and inside of memory, or NULL. */
static void *part_at(const struct virtio_blk *device, uint64_t address, uint64_t bytes,
                     uint64_t align) {
    return address % align ? NULL : guest_memory_at(device->memory, address, bytes);
}
static const struct descriptor *descriptors_at(const struct virtio_blk *device) {
    return part_at(device, device->queue.descriptors,
                   (uint64_t)device->queue.entries * sizeof(struct descriptor), 16);
}
static const uint16_t *available_at(const struct virtio_blk *device) { /* flags, index, ring */
    return part_at(device, device->queue.available, 4 + 2ull * device->queue.entries, 2);
}
static uint8_t *used_at(const struct virtio_blk *device) { /* flags, index, ring */
    return part_at(device, device->queue.used,
                   4 + (uint64_t)device->queue.entries * sizeof(struct used), 4);
}

static void queue_enable(struct virtio_blk *device) {
    uint32_t entries = device->queue.entries;
    bool power = entries && !(entries & (entries - 1)) && entries <= VIRTIO_BLK_QUEUE_MOST;
    /* It stays not ready, which the guest can read, if it cannot work. */
    device->queue.ready =
        power && descriptors_at(device) && available_at(device) && used_at(device);
}

/* Follows a chain; false if it leaves the table or memory, has no end, or is in the wrong order. */
static bool chain_take(const struct virtio_blk *device, uint16_t head, struct chain *chain) {
    const struct descriptor *table = descriptors_at(device);
    uint32_t at = head;
    chain->reads = chain->pieces = 0;
    chain->read_bytes = chain->write_bytes = 0;
    for (;;) {
        struct descriptor one;
        if (at >= device->queue.entries || chain->pieces == device->queue.entries)
            return false;
        memcpy(&one, &table[at], sizeof(one));
        uint16_t flags = le16toh(one.flags);
        struct piece piece = {.bytes = le32toh(one.bytes)};
        piece.at = guest_memory_at(device->memory, le64toh(one.address), piece.bytes);
        if (!piece.bytes || !piece.at || flags & ~(DESCRIPTOR_NEXT | DESCRIPTOR_WRITE))
            return false;
        if (flags & DESCRIPTOR_WRITE) {
            chain->write_bytes += piece.bytes;
        } else if (chain->reads == chain->pieces) {
            chain->read_bytes += piece.bytes;
            chain->reads++;
        } else {
            return false; /* 2.7.4.2: what the device reads comes first */
        }
        chain->piece[chain->pieces++] = piece;
        if (!(flags & DESCRIPTOR_NEXT))
            return true;
        at = le16toh(one.next);
    }
}

/*
 * Copies `bytes` bytes, `skip` bytes into what the guest gave to read (`out` false) or to write. The
 * caller knows that there are so many.
 */
static void chain_copy(const struct chain *chain, bool out, uint64_t skip, void *host,
                       uint64_t bytes) {
    uint8_t *at = host;
    for (uint32_t i = out ? chain->reads : 0; bytes && i < chain->pieces; i++) {
        const struct piece *piece = &chain->piece[i];
        if (skip >= piece->bytes) {
            skip -= piece->bytes;
            continue;
        }
        uint64_t part = piece->bytes - skip < bytes ? piece->bytes - skip : bytes;
        if (out)
            memcpy(piece->at + skip, at, part);
        else
            memcpy(at, piece->at + skip, part);
        at += part;
        bytes -= part;
        skip = 0;
    }
}

/* ---- requests ---- */

/* Where on the disk the request goes, or NULL. */
static uint8_t *sectors_at(const struct virtio_blk *device, uint64_t sector, uint64_t bytes) {
    uint64_t count = bytes / VIRTIO_BLK_SECTOR_BYTES;
    if (bytes % VIRTIO_BLK_SECTOR_BYTES || sector > device->sectors ||
        count > device->sectors - sector)
        return NULL;
    return device->disk + sector * VIRTIO_BLK_SECTOR_BYTES;
}

/* Returns the status; *written bytes of data went to the guest. */
static enum request_status request_do(const struct virtio_blk *device, const struct chain *chain,
                                      const struct request *request, uint64_t *written) {
    uint64_t in = chain->write_bytes - 1, out = chain->read_bytes - sizeof(*request);
    char id[ID_BYTES] = VIRTIO_DISK_ID;
    uint8_t *disk;
    *written = 0;
    switch (le32toh(request->type)) {
    case REQUEST_IN:
        disk = sectors_at(device, le64toh(request->sector), in);
        if (!disk)
            return REQUEST_IOERR;
        chain_copy(chain, true, 0, disk, in);
        *written = in;
        return REQUEST_OK;
    case REQUEST_OUT:
        disk = sectors_at(device, le64toh(request->sector), out);
        if (!disk)
            return REQUEST_IOERR;
        chain_copy(chain, false, sizeof(*request), disk, out);
        return REQUEST_OK;
    case REQUEST_FLUSH:
        return device->accepted & FEATURE_FLUSH ? REQUEST_OK : REQUEST_UNSUPP;
    case REQUEST_GET_ID:
        if (in < sizeof(id))
            return REQUEST_IOERR;
        chain_copy(chain, true, 0, id, sizeof(id));
        *written = sizeof(id);
        return REQUEST_OK;
    default:
        return REQUEST_UNSUPP;
    }
}

/* One request, if the chain is one; the bytes for its used entry in *used. */
static bool request_serve(const struct virtio_blk *device, uint16_t head, uint32_t *used) {
    struct chain chain;
    struct request request;
    uint64_t written;
    if (!chain_take(device, head, &chain) || chain.read_bytes < sizeof(request) ||
        !chain.write_bytes || chain.write_bytes > UINT32_MAX)
        return false;
    chain_copy(&chain, false, 0, &request, sizeof(request));
    uint8_t status = (uint8_t)request_do(device, &chain, &request, &written);
    uint64_t last = chain.write_bytes - 1;
    chain_copy(&chain, true, last, &status, sizeof(status));
    /* 2.7.8.2: only what was written from the first byte on, and the status is the last one. */
    *used = (uint32_t)(written == last ? chain.write_bytes : written);
    return true;
}

static void queue_serve(struct virtio_blk *device) {
    struct virtio_blk_queue *queue = &device->queue;
    if (!queue->ready || !(device->status & STATUS_DRIVER_OK) ||
        device->status & STATUS_NEEDS_RESET)
        return;
    const uint16_t *available = available_at(device);
    uint8_t *ring = used_at(device);
    uint16_t waiting = (uint16_t)(load16(&available[1]) - queue->taken);
    if (waiting > queue->entries) {
        give_up(device);
        return;
    }
    for (; waiting; waiting--) {
        uint32_t slot = queue->taken & (queue->entries - 1);
        uint16_t head = load16(&available[2 + slot]);
        struct used used = {.id = htole32(head)};
        uint32_t bytes;
        if (!request_serve(device, head, &bytes)) {
            give_up(device);
            return;
        }
        used.bytes = htole32(bytes);
        memcpy(ring + 4 + slot * sizeof(used), &used, sizeof(used));
        queue->taken++; /* in order: what was used is what was taken */
        __atomic_store_n((uint16_t *)(void *)(ring + 2), htole16(queue->taken), __ATOMIC_RELEASE);
        if (!(load16(&available[0]) & AVAILABLE_NO_INTERRUPT))
            device->interrupts |= INTERRUPT_USED;
    }
}

/* ---- registers ---- */

static uint32_t register_read(const struct virtio_blk *device, uint64_t offset) {
    const struct virtio_blk_queue *queue = &device->queue;
    switch (offset) {
    case MAGIC:
        return MAGIC_VALUE;
    case VERSION:
        return 2;
    case DEVICE_ID:
        return ID_BLOCK;
    case VENDOR_ID:
        return VENDOR_VALUE;
    case OFFERED:
        return device->offered_select < 2 ? (uint32_t)(FEATURES >> 32 * device->offered_select) : 0;
    case QUEUE_MOST:
        return device->queue_select ? 0 : VIRTIO_BLK_QUEUE_MOST;
    case QUEUE_READY:
        return device->queue_select ? 0 : queue->ready;
    case INTERRUPT_STATUS:
        return device->interrupts;
    case STATUS:
        return device->status;
    default: /* also the generation of a configuration that never changes */
        return offset >= SHARED_LENGTH && offset < SHARED_END ? UINT32_MAX : 0;
    }
}

static void half_set(uint64_t *whole, uint64_t high, uint32_t value) {
    *whole = high ? (*whole & UINT32_MAX) | (uint64_t)value << 32
                  : (*whole & ~(uint64_t)UINT32_MAX) | value;
}

static void status_write(struct virtio_blk *device, uint32_t value) {
    if (value == 0) {
        reset(device);
        return;
    }
    /* 3.1.1: features are fixed once, and only if the device can live with them. */
    bool wants = value & STATUS_FEATURES_OK && !(device->status & STATUS_FEATURES_OK);
    if (wants && (device->accepted & ~FEATURES || !(device->accepted & FEATURE_VERSION_1)))
        value &= ~STATUS_FEATURES_OK;
    if (!((device->status | value) & STATUS_FEATURES_OK))
        value &= ~STATUS_DRIVER_OK;
    device->status |= value & 0xff & ~STATUS_NEEDS_RESET; /* no bit is taken back but by a reset */
}

static void queue_write(struct virtio_blk *device, uint64_t offset, uint32_t value) {
    struct virtio_blk_queue *queue = &device->queue;
    if (device->queue_select)
        return;
    if (offset == QUEUE_READY && !(value & 1)) {
        queue->ready = 0;
        return;
    }
    if (queue->ready) /* 4.2.2.2: not to be changed then */
        return;
    switch (offset) {
    case QUEUE_ENTRIES:
        queue->entries = value;
        break;
    case QUEUE_READY:
        queue_enable(device);
        break;
    case QUEUE_DESCRIPTORS:
    case QUEUE_DESCRIPTORS + 4:
        half_set(&queue->descriptors, offset & 4, value);
        break;
    case QUEUE_AVAILABLE:
    case QUEUE_AVAILABLE + 4:
        half_set(&queue->available, offset & 4, value);
        break;
    case QUEUE_USED:
    case QUEUE_USED + 4:
        half_set(&queue->used, offset & 4, value);
        break;
    default:
        break;
    }
}

static void register_write(struct virtio_blk *device, uint64_t offset, uint32_t value) {
    switch (offset) {
    case OFFERED_SELECT:
        device->offered_select = value;
        break;
    case ACCEPTED:
        if (!(device->status & STATUS_FEATURES_OK) && device->accepted_select < 2)
            half_set(&device->accepted, device->accepted_select, value);
        break;
    case ACCEPTED_SELECT:
        device->accepted_select = value;
        break;
    case QUEUE_SELECT:
        device->queue_select = value;
        break;
    case QUEUE_NOTIFY:
        if (value == 0)
            queue_serve(device);
        break;
    case INTERRUPT_ACK:
        device->interrupts &= ~value;
        break;
    case STATUS:
        status_write(device, value);
        break;
    default:
        queue_write(device, offset, value);
        break;
    }
}

void virtio_blk_read(const struct virtio_blk *device, uint64_t offset, void *to, uint32_t bytes) {
    memset(to, 0, bytes);
    if (offset >= CONFIG) { /* 5.2.4: the capacity, then fields of features that are not offered */
        const uint64_t config = htole64(device->sectors);
        uint64_t at = offset - CONFIG;
        if (at < sizeof(config))
            memcpy(to, (const uint8_t *)&config + at,
                   bytes < sizeof(config) - at ? bytes : sizeof(config) - at);
    } else if (bytes == sizeof(uint32_t) && offset % sizeof(uint32_t) == 0) {
        uint32_t value = htole32(register_read(device, offset));
        memcpy(to, &value, sizeof(value));
    } /* 4.2.2.2: registers are only accessed as wide as they are */
}

void virtio_blk_write(struct virtio_blk *device, uint64_t offset, const void *from,
                      uint32_t bytes) {
    uint32_t value;
    if (bytes != sizeof(value) || offset % sizeof(value) || offset >= CONFIG)
        return;
    memcpy(&value, from, sizeof(value));
    register_write(device, offset, le32toh(value));
}
