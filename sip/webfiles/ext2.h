/*
 * The on-disk format: ext2 revision 0 with 4 KiB blocks and one block group, which is at most 128 MiB.
 * docs/ext2.md has the picture; `e2fsck` and `debugfs` read such a disk. All fields are little-endian.
 */
#ifndef BULKHEAD_EXT2_H
#define BULKHEAD_EXT2_H

#include <stdint.h>

#define EXT2_BLOCK_BYTES 4096u
#define EXT2_LOG_BLOCK 2u        /* block size is 1024 << this */
#define EXT2_GROUP_BLOCKS 32768u /* as many as one bitmap block has bits */
#define EXT2_SUPER_BLOCK 0u      /* the block that holds the superblock */
#define EXT2_SUPER_OFFSET 1024u  /* and where in it */
#define EXT2_GROUP_BLOCK 1u      /* group descriptors follow */
#define EXT2_BLOCK_BITMAP 2u     /* where `fs_make` puts the rest */
#define EXT2_INODE_BITMAP 3u
#define EXT2_INODE_TABLE 4u
#define EXT2_MAGIC 0xef53u
#define EXT2_ROOT 2u         /* inode of the root directory */
#define EXT2_FIRST_INODE 11u /* the ones below are reserved */
#define EXT2_INODE_BYTES 128u
#define EXT2_INODES_PER_BLOCK (EXT2_BLOCK_BYTES / EXT2_INODE_BYTES)
#define EXT2_DIRECT 12u                        /* blocks that an inode names itself */
#define EXT2_PER_BLOCK (EXT2_BLOCK_BYTES / 4u) /* and those that a block of pointers names */
#define EXT2_DIRECTORY 0x41edu                 /* mode: a directory, 0755 */
#define EXT2_REGULAR 0x81a4u                   /* mode: a file, 0644 */
#define EXT2_TYPE_MASK 0xf000u
#define EXT2_NAME_BYTES 255u

struct ext2_super {
    uint32_t inodes, blocks, reserved_blocks, free_blocks, free_inodes;
    uint32_t first_data_block, log_block, log_fragment;
    uint32_t group_blocks, group_fragments, group_inodes;
    uint32_t mount_time, write_time;
    uint16_t mounts, mounts_most;
    uint16_t magic, state, errors, minor;
    uint32_t check_time, check_interval, creator, revision;
    uint16_t reserved_user, reserved_group;
};
struct ext2_group {
    uint32_t block_bitmap, inode_bitmap, inode_table;
    uint16_t free_blocks, free_inodes, directories, padding;
    uint32_t reserved[3];
};
struct ext2_inode {
    uint16_t mode, user;
    uint32_t size, access_time, create_time, write_time, delete_time;
    uint16_t group, links;
    uint32_t sectors; /* of 512 bytes, pointer blocks included */
    uint32_t flags, system;
    uint32_t block[EXT2_DIRECT]; /* 0: a hole */
    uint32_t indirect, twice, thrice;
    uint32_t generation, file_acl, size_high, fragment;
    uint32_t rest[3];
};
struct
    ext2_entry { /* of a directory; `step` leads to the next one and never across a block's end */
    uint32_t inode; /* 0: unused */
    uint16_t step, name_bytes;
    char name[];
};
#define EXT2_ENTRY_BYTES 8u

_Static_assert(sizeof(struct ext2_super) == 84, "as on disk");
_Static_assert(sizeof(struct ext2_group) == 32, "as on disk");
_Static_assert(sizeof(struct ext2_inode) == EXT2_INODE_BYTES, "as on disk");

#endif
