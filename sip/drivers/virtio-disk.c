/* The block driver: the contract `blocks` on one side, a virtio disk outside of the guest on the other. */
#include "blocks_contract.h"
#include "virtio_blk.h"

#define REFUSED (-5) /* EIO */
#define PIECE_BYTES 4096u

static sip_endpoint client;
static uint64_t sectors;

static bool in_range(uint64_t sector, uint64_t count) {
    return count > 0 && count <= VIRTIO_BLK_MOST_SECTORS && sector < sectors &&
           count <= sectors - sector;
}

/* A block for an answer in place of the request. */
static sip_handle answer_for(sip_handle request, uint32_t bytes) {
    sip_block_free(request);
    sip_handle answer = sip_block_for(client, bytes);
    if (!answer)
        sip_fail("the disk has no memory for an answer");
    return answer;
}

static int64_t refuse(sip_handle request) {
    return blocks_send_failed(client, answer_for(request, BLOCKS_FAILED_MAX_BYTES), REFUSED);
}

/* Copies payload between a message and the memory that is shared with the device. */
static void copy(sip_handle to, uint32_t to_at, sip_handle from, uint32_t from_at, uint32_t bytes) {
    static uint8_t piece[PIECE_BYTES];
    for (uint32_t done = 0; done < bytes; done += PIECE_BYTES) {
        uint32_t count = bytes - done < PIECE_BYTES ? bytes - done : PIECE_BYTES;
        sip_msg_read(from, from_at + done, piece, count);
        sip_msg_write(to, to_at + done, piece, count);
    }
}

static int64_t answer_read(sip_handle request) {
    uint64_t sector = blocks_read_get_block(request);
    uint32_t count = blocks_read_get_count(request), at;
    if (!in_range(sector, count) || virtio_blk_read(sector, count))
        return refuse(request);
    uint32_t bytes = count * VIRTIO_BLK_SECTOR_BYTES;
    sip_handle answer = answer_for(request, bytes), data = virtio_blk_data(&at);
    copy(answer, 0, data, at, bytes);
    return blocks_send_data(client, answer, bytes);
}

static int64_t answer_write(sip_handle request) {
    uint64_t sector = blocks_write_get_block(request);
    uint32_t bytes = blocks_write_get_data_bytes(request), at;
    uint32_t count = bytes / VIRTIO_BLK_SECTOR_BYTES;
    if (bytes % VIRTIO_BLK_SECTOR_BYTES || !in_range(sector, count))
        return refuse(request);
    sip_handle data = virtio_blk_data(&at);
    copy(data, at, request, BLOCKS_WRITE_DATA_OFFSET, bytes);
    if (virtio_blk_write(sector, count))
        return refuse(request);
    return blocks_send_written(client, answer_for(request, 0));
}

int sip_main(void) {
    client = sip_channel("disk");
    sectors = virtio_blk_start();
    for (;;) {
        struct sip_message message = sip_recv(client);
        int64_t error;
        if (message.error == ABI_ECLOSED)
            return virtio_blk_flush();
        if (message.error)
            sip_fail("the disk could not receive");
        if (message.type == BLOCKS_READ)
            error = answer_read(message.handle);
        else if (message.type == BLOCKS_WRITE)
            error = answer_write(message.handle);
        else
            error =
                blocks_send_measured(client, answer_for(message.handle, BLOCKS_MEASURED_MAX_BYTES),
                                     sectors, VIRTIO_BLK_SECTOR_BYTES);
        if (error && error != ABI_ECLOSED)
            sip_fail("the disk could not answer");
    }
}
