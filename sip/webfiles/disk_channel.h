/*
 * The disk at the other end of a channel: what cache.h asks for, and blocks that pass from
 * the disk to a client, or back, without being looked at.
 */
#ifndef BULKHEAD_DISK_CHANNEL_H
#define BULKHEAD_DISK_CHANNEL_H

#include "fs.h"
#include "sip/lib/sip.h"

#define DISK_MOST_BLOCKS 16u /* of a message */

/* Finds the channel of that name; the number of blocks of the disk. */
uint32_t disk_connect(const char *channel);
/* `request`, a message with room for 12 bytes, goes there and the data come back in its place. */
int disk_read_message(sip_handle *request, uint32_t block, uint32_t count);
/* The data lie 8 bytes into the message. What comes back is a message without any. */
int disk_write_message(sip_handle *message, uint32_t block, uint32_t count);

#endif
