/* Making and mounting a file system, and what is counted in it: blocks and inodes. */
#include "fs_parts.h"

#include <string.h>

/* ---- superblock, group, inodes ---- */

struct ext2_super *fs_super(struct fs *fs) {
    uint8_t *data = fs_get(fs, EXT2_SUPER_BLOCK);
    return data ? (struct ext2_super *)(void *)(data + EXT2_SUPER_OFFSET) : NULL;
}

struct ext2_group *fs_group(struct fs *fs) {
    return fs_get(fs, EXT2_GROUP_BLOCK);
}

struct ext2_inode *fs_inode(struct fs *fs, uint32_t inode) {
    uint32_t index = inode - 1;
    if (index >= fs->inodes) {
        fs->error = FS_EIO;
        return NULL;
    }
    struct ext2_inode *table = fs_get(fs, fs->inode_table + index / EXT2_INODES_PER_BLOCK);
    return table ? &table[index % EXT2_INODES_PER_BLOCK] : NULL;
}

struct ext2_inode *fs_inode_change(struct fs *fs, uint32_t inode) {
    struct ext2_inode *found = fs_inode(fs, inode);
    if (found)
        cache_dirty(&fs->cache, found);
    return found;
}

/* ---- bitmaps ---- */

/* The first clear bit from `from` on, round to the start; `bits`: there is none. */
static uint32_t find_clear(const uint8_t *bitmap, uint32_t bits, uint32_t from) {
    for (uint32_t i = 0; i < bits;) {
        uint32_t bit = from + i < bits ? from + i : from + i - bits;
        if (bit % 8 == 0 && bit + 8 <= bits && bitmap[bit / 8] == 0xff) {
            i += 8;
            continue;
        }
        if (!(bitmap[bit / 8] & 1u << bit % 8))
            return bit;
        i++;
    }
    return bits;
}

static void set_bits(uint8_t *bitmap, uint32_t from, uint32_t to) {
    for (uint32_t bit = from; bit < to; bit++)
        bitmap[bit / 8] |= (uint8_t)(1u << bit % 8);
}

/* Marks a clear bit of the bitmap in that block; `bits`: fs->error says why not. */
static uint32_t take_bit(struct fs *fs, uint32_t block, uint32_t bits, uint32_t from) {
    uint8_t *bitmap = fs_get(fs, block);
    if (!bitmap)
        return bits;
    uint32_t bit = find_clear(bitmap, bits, from);
    if (bit == bits) {
        fs->error = FS_ENOSPC;
        return bits;
    }
    set_bits(bitmap, bit, bit + 1);
    cache_dirty(&fs->cache, bitmap);
    return bit;
}

uint32_t fs_block_take(struct fs *fs, uint32_t *next) {
    struct ext2_super *super = fs_super(fs);
    struct ext2_group *group = fs_group(fs);
    if (!super || !group)
        return 0;
    uint32_t block = take_bit(fs, fs->block_bitmap, fs->blocks, *next);
    if (block == fs->blocks)
        return 0;
    if (block < fs->first_block) { /* the bitmap gives away what holds the file system itself */
        fs->error = FS_EIO;
        return 0;
    }
    super->free_blocks--;
    group->free_blocks--;
    cache_dirty(&fs->cache, super);
    cache_dirty(&fs->cache, group);
    *next = block + 1 < fs->blocks ? block + 1 : 0;
    return block;
}

uint32_t fs_inode_take(struct fs *fs, bool directory) {
    struct ext2_super *super = fs_super(fs);
    struct ext2_group *group = fs_group(fs);
    if (!super || !group)
        return 0;
    uint32_t index = take_bit(fs, fs->inode_bitmap, fs->inodes, EXT2_FIRST_INODE - 1);
    if (index == fs->inodes)
        return 0;
    struct ext2_inode *inode = fs_inode_change(fs, index + 1);
    if (!inode)
        return 0;
    memset(inode, 0, sizeof *inode);
    super->free_inodes--;
    group->free_inodes--;
    group->directories += directory;
    cache_dirty(&fs->cache, super);
    cache_dirty(&fs->cache, group);
    return index + 1;
}

/* ---- making and mounting ---- */

/* Blocks of pointers are taken from the last part of the disk first. */
static uint32_t pointers_start(uint32_t blocks) { return blocks - blocks / 32; }

static int make_counts(struct fs *fs) {
    uint32_t used = fs->first_block;
    struct ext2_super *super = fs_super(fs);
    struct ext2_group *group = fs_group(fs);
    if (!super || !group)
        return fs->error;
    *super = (struct ext2_super){.inodes = fs->inodes,
                                 .blocks = fs->blocks,
                                 .free_blocks = fs->blocks - used,
                                 .free_inodes = fs->inodes - (EXT2_FIRST_INODE - 1),
                                 .log_block = EXT2_LOG_BLOCK,
                                 .log_fragment = EXT2_LOG_BLOCK,
                                 .group_blocks = EXT2_GROUP_BLOCKS,
                                 .group_fragments = EXT2_GROUP_BLOCKS,
                                 .group_inodes = fs->inodes,
                                 .mounts_most = 0xffff,
                                 .magic = EXT2_MAGIC,
                                 .state = 1,
                                 .errors = 1};
    *group = (struct ext2_group){.block_bitmap = fs->block_bitmap,
                                 .inode_bitmap = fs->inode_bitmap,
                                 .inode_table = fs->inode_table,
                                 .free_blocks = (uint16_t)super->free_blocks,
                                 .free_inodes = (uint16_t)super->free_inodes};
    return 0;
}

/* A directory whose parent is itself, in an inode that no path leads to yet. */
static int make_root(struct fs *fs) {
    uint32_t block = fs_block_take(fs, &fs->next_block);
    uint8_t *data = block ? cache_fresh(&fs->cache, block, &fs->error) : NULL;
    struct ext2_inode *inode = data ? fs_inode_change(fs, EXT2_ROOT) : NULL;
    struct ext2_group *group = inode ? fs_group(fs) : NULL;
    if (!group)
        return fs->error;
    struct ext2_entry *self = (void *)data, *parent = (void *)(data + 12);
    *self = (struct ext2_entry){EXT2_ROOT, 12, 1};
    self->name[0] = '.';
    *parent = (struct ext2_entry){EXT2_ROOT, EXT2_BLOCK_BYTES - 12, 2};
    parent->name[0] = parent->name[1] = '.';
    *inode = (struct ext2_inode){.mode = EXT2_DIRECTORY,
                                 .size = EXT2_BLOCK_BYTES,
                                 .links = 2,
                                 .sectors = EXT2_BLOCK_BYTES / 512,
                                 .block = {block}};
    group->directories++;
    cache_dirty(&fs->cache, group);
    int64_t lost = fs_create(fs, "/lost+found", 11, true); /* which checkers of disks expect */
    return lost < 0 ? (int)lost : 0;
}

int fs_make(struct fs *fs, uint32_t blocks, uint32_t inodes) {
    uint32_t table = (inodes + EXT2_INODES_PER_BLOCK - 1) / EXT2_INODES_PER_BLOCK;
    inodes = table * EXT2_INODES_PER_BLOCK; /* no part of the table is wasted */
    if (blocks > EXT2_GROUP_BLOCKS || table == 0 || inodes > EXT2_GROUP_BLOCKS ||
        blocks < EXT2_INODE_TABLE + table + 2)
        return FS_EINVAL;
    cache_init(&fs->cache);
    fs->blocks = blocks;
    fs->inodes = inodes;
    fs->block_bitmap = EXT2_BLOCK_BITMAP;
    fs->inode_bitmap = EXT2_INODE_BITMAP;
    fs->inode_table = EXT2_INODE_TABLE;
    fs->next_block = fs->first_block = EXT2_INODE_TABLE + table;
    fs->next_pointers = pointers_start(blocks);
    for (uint32_t i = 0; i < fs->first_block; i++)
        if (!cache_fresh(&fs->cache, i, &fs->error))
            return fs->error;
    uint8_t *used = fs_get(fs, fs->block_bitmap);
    if (!used)
        return fs->error;
    set_bits(used, 0, fs->first_block);
    set_bits(used, blocks, EXT2_GROUP_BLOCKS); /* there are no such blocks */
    cache_dirty(&fs->cache, used);
    used = fs_get(fs, fs->inode_bitmap);
    if (!used)
        return fs->error;
    set_bits(used, 0, EXT2_FIRST_INODE - 1);
    set_bits(used, inodes, EXT2_GROUP_BLOCKS);
    cache_dirty(&fs->cache, used);
    int error = make_counts(fs);
    if (!error)
        error = make_root(fs);
    return error ? error : fs_sync(fs);
}

int fs_mount(struct fs *fs, uint32_t blocks) {
    cache_init(&fs->cache);
    fs->blocks = fs->inodes = 0;
    const struct ext2_super *super = fs_super(fs);
    const struct ext2_group *group = super ? fs_group(fs) : NULL;
    if (!group)
        return fs->error;
    if (super->magic != EXT2_MAGIC || super->revision != 0 || super->log_block != EXT2_LOG_BLOCK ||
        super->group_blocks != EXT2_GROUP_BLOCKS || super->blocks > blocks ||
        super->blocks > EXT2_GROUP_BLOCKS || super->inodes != super->group_inodes ||
        super->inodes < EXT2_FIRST_INODE || super->inodes > EXT2_GROUP_BLOCKS)
        return FS_EINVAL;
    uint32_t table = super->inodes / EXT2_INODES_PER_BLOCK;
    fs->block_bitmap = group->block_bitmap;
    fs->inode_bitmap = group->inode_bitmap;
    fs->inode_table = group->inode_table;
    fs->next_block = fs->first_block = fs->inode_table + table;
    if (super->inodes % EXT2_INODES_PER_BLOCK || fs->block_bitmap <= EXT2_GROUP_BLOCK ||
        fs->inode_bitmap <= EXT2_GROUP_BLOCK || fs->block_bitmap == fs->inode_bitmap ||
        fs->block_bitmap >= fs->inode_table || fs->inode_bitmap >= fs->inode_table ||
        fs->inode_table >= super->blocks || table >= super->blocks - fs->inode_table)
        return FS_EINVAL;
    fs->blocks = super->blocks;
    fs->inodes = super->inodes;
    fs->next_pointers = pointers_start(fs->blocks);
    return 0;
}

int fs_sync(struct fs *fs) { return cache_sync(&fs->cache); }
