/*
 * A virtio block device (virtio 1.2, 5.2) behind a virtio-mmio transport (4.2), for a disk in memory. Whatever
 * the guest writes, on purpose or by mistake, is copied and checked before it is used; one that breaks the
 * rules of its queue gets DEVICE_NEEDS_RESET and nothing more until it resets the device. Not chosen: a
 * thread of its own with KVM_IOEVENTFD. The disk is memory, so that the request is done sooner than told.
 */
#ifndef BULKHEAD_VIRTIO_BLK_H
#define BULKHEAD_VIRTIO_BLK_H

#include "backend.h"

#define VIRTIO_BLK_QUEUE_MOST 128u
#define VIRTIO_BLK_SECTOR_BYTES 512u

struct virtio_blk_queue {
    uint32_t entries, ready;
    uint64_t descriptors, available, used; /* guest-physical */
    uint16_t taken;                        /* available entries so far, modulo 2^16 */
};

struct virtio_blk {
    const struct guest_memory *memory;
    uint8_t *disk;
    uint64_t sectors;
    uint32_t status, interrupts;
    uint32_t offered_select, accepted_select, queue_select;
    uint64_t accepted; /* features */
    struct virtio_blk_queue queue;
};

/* `bytes` of disk at `disk`, whole sectors; both stay the caller's. */
void virtio_blk_init(struct virtio_blk *device, const struct guest_memory *memory, void *disk,
                     uint64_t bytes);

/* The guest reads or writes `bytes` bytes (1, 2, 4, 8) at `offset` from the first register. */
void virtio_blk_read(const struct virtio_blk *device, uint64_t offset, void *to, uint32_t bytes);
void virtio_blk_write(struct virtio_blk *device, uint64_t offset, const void *from, uint32_t bytes);

/* Whether its interrupt line is high now. */
int virtio_blk_interrupt(const struct virtio_blk *device);

#endif
