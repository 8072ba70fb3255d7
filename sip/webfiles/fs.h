/*
 * A file system of the format in ext2.h over disk_read() and disk_write(): files and directories,
 * found by path, read, made and written; nothing is removed. It trusts nothing that it reads from the
 * disk. File data is at the caller's hands: either a block at a time in the cache (fs_page) or as runs
 * of disk blocks that the caller moves himself (fs_run).
 */
#ifndef BULKHEAD_FS_H
#define BULKHEAD_FS_H

#include "cache.h"

enum fs_error { /* the negative values of POSIX */
    FS_ENOENT = -2,
    FS_EIO = -5, /* the device failed, or the disk does not hold what it should */
    FS_EEXIST = -17,
    FS_ENOTDIR = -20,
    FS_EISDIR = -21,
    FS_EINVAL = -22,
    FS_EFBIG = -27,
    FS_ENOSPC = -28,
};

struct fs {
    struct cache cache;
    uint32_t blocks, inodes; /* of the disk that is mounted */
    uint32_t block_bitmap, inode_bitmap, inode_table, first_block;
    uint32_t next_block;    /* where the search for a free block of data begins */
    uint32_t next_pointers; /* and for one of pointers: elsewhere, so that data lie together */
    int error;              /* why a function that returns a pointer returned NULL */
};

#define FS_MOST_BYTES 0x7fffffffu /* of a file */

/* Makes an empty file system on a disk of that many blocks and mounts it. */
int fs_make(struct fs *fs, uint32_t blocks, uint32_t inodes);
/* Mounts what is on the disk; FS_EINVAL if that is no such file system. */
int fs_mount(struct fs *fs, uint32_t blocks);
/* Brings everything to the disk. */
int fs_sync(struct fs *fs);

/* Paths: '/' and a name, again and again; not terminated. Return the inode, or an error. */
int64_t fs_find(struct fs *fs, const char *path, uint32_t bytes);
int64_t fs_create(struct fs *fs, const char *path, uint32_t bytes, bool directory);

/* The size of a file; FS_EISDIR of a directory. */
int64_t fs_size(struct fs *fs, uint32_t inode);
/* Sets the size to at least `size`. */
int fs_grow(struct fs *fs, uint32_t inode, uint32_t size);
/*
 * Blocks of a file that lie together on the disk, from the index-th on and at most `most`. Returns
 * how many, at least 1, and the first one's number, 0 if they are a hole; or an error.
 */
int64_t fs_run(struct fs *fs, uint32_t inode, uint32_t index, uint32_t most, uint32_t *block);
/* The same for writing: holes get blocks, whose contents the caller must write. */
int64_t fs_run_for_writing(struct fs *fs, uint32_t inode, uint32_t index, uint32_t most,
                           uint32_t *block);
/* A block of a file in the cache; see CACHE_KEPT. NULL: fs->error. */
const uint8_t *fs_page(struct fs *fs, uint32_t inode, uint32_t index);
uint8_t *fs_page_for_writing(struct fs *fs, uint32_t inode, uint32_t index);

#endif
