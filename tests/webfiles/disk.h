/* A disk in memory that can be made to fail, and files on it as bytes. */
#ifndef BULKHEAD_TEST_DISK_H
#define BULKHEAD_TEST_DISK_H

#include "sip/webfiles/fs.h"
#include "sip/webfiles/fs_parts.h"

#define DISK_BLOCKS 2048u /* 8 MiB */

extern uint8_t disk[DISK_BLOCKS][EXT2_BLOCK_BYTES];
extern uint32_t disk_bad; /* a block that cannot be read or written; UINT32_MAX: none */
extern uint64_t disk_reads, disk_writes; /* requests so far */

/* As the file server does it through the cache. Return `bytes`, fewer at the end, or an error. */
int64_t file_write(struct fs *fs, uint32_t inode, uint32_t offset, const void *from,
                   uint32_t bytes);
int64_t file_read(struct fs *fs, uint32_t inode, uint32_t offset, void *to, uint32_t bytes);
/* And in whole blocks past it. */
int64_t file_write_runs(struct fs *fs, uint32_t inode, uint32_t index, const void *from,
                        uint32_t blocks);
/* Asks e2fsck about the disk: 0 if it finds nothing wrong. */
int disk_check(void);

#endif
