/*
 * A disk behind a virtio-mmio transport, version 2 (virtio 1.2): one request at a time, through memory
 * that this SIP shares with the device. What the device writes is checked before it is used.
 */
#ifndef BULKHEAD_VIRTIO_BLK_H
#define BULKHEAD_VIRTIO_BLK_H

#include "sip/lib/sip.h"

#define VIRTIO_BLK_SECTOR_BYTES 512u
#define VIRTIO_BLK_MOST_SECTORS 128u /* of a request */

/* Starts the device; the number of its sectors. Fails the run when it is none that this drives. */
uint64_t virtio_blk_start(void);

/* The data of a read, and of the next write, lie in this block from this payload offset on. */
sip_handle virtio_blk_data(uint32_t *offset);

/* Wait for the device's interrupt. Return 0, or -1 when the device refused. */
int virtio_blk_read(uint64_t sector, uint32_t sectors);
int virtio_blk_write(uint64_t sector, uint32_t sectors);
int virtio_blk_flush(void);

#endif
