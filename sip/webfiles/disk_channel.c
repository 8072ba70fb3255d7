/* The file system's end of the channel to the block driver. */
#include "disk_channel.h"

#include "blocks_contract.h"

_Static_assert(DISK_MOST_BLOCKS *EXT2_BLOCK_BYTES == BLOCKS_DATA_MAX_BYTES, "a full message");

static sip_endpoint disk;

static sip_handle disk_block(uint32_t bytes) {
    sip_handle block = sip_block_for(disk, bytes);
    if (!block)
        sip_fail("the file system has no memory for a request to the disk");
    return block;
}

/* The disk's answer: 0 if it is of that type, else the error that the disk tells. */
static int hear(sip_handle *answer, uint32_t type) {
    struct sip_message message = sip_recv(disk);
    if (message.error)
        sip_fail("the disk has gone");
    *answer = message.handle;
    if (message.type == type)
        return 0;
    int64_t error = blocks_failed_get_error(message.handle);
    return error < 0 && error >= INT32_MIN ? (int)error : FS_EIO;
}

uint32_t disk_connect(const char *channel) {
    sip_handle message;
    disk = sip_channel(channel);
    if (blocks_send_measure(disk, disk_block(BLOCKS_MEASURED_MAX_BYTES)) ||
        hear(&message, BLOCKS_MEASURED))
        sip_fail("the disk does not tell its size");
    uint64_t blocks = blocks_measured_get_blocks(message);
    if (blocks_measured_get_block_bytes(message) != EXT2_BLOCK_BYTES || blocks > UINT32_MAX)
        sip_fail("the disk has blocks of a size that the file system does not know");
    sip_block_free(message);
    return (uint32_t)blocks;
}

int disk_read_message(sip_handle *request, uint32_t block, uint32_t count) {
    sip_msg_st64(*request, BLOCKS_READ_BLOCK_OFFSET, block);
    sip_msg_st32(*request, BLOCKS_READ_COUNT_OFFSET, count);
    if (sip_pass_on(disk, *request, BLOCKS_READ, BLOCKS_READ_MAX_BYTES))
        sip_fail("the disk could not be asked");
    int error = hear(request, BLOCKS_DATA);
    if (!error && blocks_data_get_data_bytes(*request) != count * EXT2_BLOCK_BYTES)
        return FS_EIO;
    return error;
}

int disk_write_message(sip_handle *message, uint32_t block, uint32_t count) {
    sip_msg_st64(*message, BLOCKS_WRITE_BLOCK_OFFSET, block);
    if (sip_pass_on(disk, *message, BLOCKS_WRITE,
                    BLOCKS_WRITE_MIN_BYTES + count * EXT2_BLOCK_BYTES))
        sip_fail("the disk could not be given data");
    return hear(message, BLOCKS_WRITTEN);
}

int disk_read(uint32_t block, uint32_t count, void *to) {
    sip_handle message = disk_block(BLOCKS_READ_MAX_BYTES);
    int error = disk_read_message(&message, block, count);
    if (!error)
        blocks_data_read_data(message, 0, to, count * EXT2_BLOCK_BYTES);
    sip_block_free(message);
    return error;
}

int disk_write(uint32_t block, uint32_t count, const void *from) {
    uint32_t bytes = count * EXT2_BLOCK_BYTES;
    sip_handle message = disk_block(BLOCKS_WRITE_MIN_BYTES + bytes);
    blocks_write_write_data(message, 0, from, bytes);
    int error = disk_write_message(&message, block, count);
    sip_block_free(message);
    return error;
}
