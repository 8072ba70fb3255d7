/* What the files of the file system share: fs.c, fs_blocks.c, fs_names.c. */
#ifndef BULKHEAD_FS_PARTS_H
#define BULKHEAD_FS_PARTS_H

#include "fs.h"

/* NULL: fs->error */
struct ext2_super *fs_super(struct fs *fs);
struct ext2_group *fs_group(struct fs *fs);
struct ext2_inode *fs_inode(struct fs *fs, uint32_t inode);
/* The same, to be changed. */
struct ext2_inode *fs_inode_change(struct fs *fs, uint32_t inode);

/* A free block from *next on, which follows; marked as used and counted; 0: fs->error. */
uint32_t fs_block_take(struct fs *fs, uint32_t *next);
/* A free inode, marked, counted and cleared; 0: fs->error. */
uint32_t fs_inode_take(struct fs *fs, bool directory);

static inline void *fs_get(struct fs *fs, uint32_t block) {
    return cache_get(&fs->cache, block, &fs->error);
}

#endif
