/*
 * The block driver: a disk in this SIP's own memory, 56 MiB of it, behind the contract `blocks`. What
 * includes this file may give it another size, and a second client with a disk of its own.
 */
#include "blocks_contract.h"
#include "fs.h"

#ifndef DISK_BLOCKS
#define DISK_BLOCK_BYTES EXT2_BLOCK_BYTES
#define DISK_BLOCKS 14336u
#endif
#ifndef DISK_CLIENTS
#define DISK_CLIENTS 1u
#endif

static uint8_t disks[DISK_CLIENTS][DISK_BLOCKS][DISK_BLOCK_BYTES] __attribute__((aligned(4096)));
static sip_endpoint client;
static uint32_t whose; /* disk that client has */

static bool in_range(uint64_t block, uint64_t count) {
    return count > 0 && count <= BLOCKS_DATA_MAX_BYTES / DISK_BLOCK_BYTES && block < DISK_BLOCKS &&
           count <= DISK_BLOCKS - block;
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
    return blocks_send_failed(client, answer_for(request, BLOCKS_FAILED_MAX_BYTES), FS_EIO);
}

static int64_t answer_read(sip_handle request) {
    uint64_t block = blocks_read_get_block(request);
    uint32_t count = blocks_read_get_count(request);
    if (!in_range(block, count))
        return refuse(request);
    uint32_t bytes = count * DISK_BLOCK_BYTES;
    sip_handle answer = answer_for(request, bytes);
    blocks_data_write_data(answer, 0, disks[whose][block], bytes);
    return blocks_send_data(client, answer, bytes);
}

static int64_t answer_write(sip_handle request) {
    uint64_t block = blocks_write_get_block(request);
    uint32_t bytes = blocks_write_get_data_bytes(request);
    if (bytes % DISK_BLOCK_BYTES || !in_range(block, bytes / DISK_BLOCK_BYTES))
        return refuse(request);
    blocks_write_read_data(request, 0, disks[whose][block], bytes);
    return blocks_send_written(client, answer_for(request, 0));
}

static void serve(struct sip_message message) {
    int64_t error;
    if (message.error)
        sip_fail("the disk could not receive");
    if (message.type == BLOCKS_READ)
        error = answer_read(message.handle);
    else if (message.type == BLOCKS_WRITE)
        error = answer_write(message.handle);
    else
        error = blocks_send_measured(client, answer_for(message.handle, BLOCKS_MEASURED_MAX_BYTES),
                                     DISK_BLOCKS, DISK_BLOCK_BYTES);
    if (error && error != ABI_ECLOSED)
        sip_fail("the disk could not answer");
}

#if DISK_CLIENTS == 1
int sip_main(void) {
    client = sip_channel("disk");
    for (;;) {
        struct sip_message message = sip_recv(client);
        if (message.error == ABI_ECLOSED)
            return 0;
        serve(message);
    }
}
#else
int sip_main(void) {
    sip_endpoint clients[] = {sip_channel("disk"), sip_channel("disk-2")};
    uint32_t theirs[] = {0, 1};
    for (uint32_t left = DISK_CLIENTS; left;) {
        int64_t which = sip_wait_any(clients, left);
        if (which < 0)
            sip_fail("the disk could not wait for its clients");
        client = clients[which];
        whose = theirs[which];
        struct sip_message message = sip_poll(client);
        if (message.error == ABI_ECLOSED) {
            clients[which] = clients[--left];
            theirs[which] = theirs[left];
        } else {
            serve(message);
        }
    }
    return 0;
}
#endif
