/* A file's blocks: from an index in the file to a block of the disk. */
#include "fs_parts.h"

#include <string.h>

/* A pointer of the disk leads to a block that holds data. */
static bool is_data_block(const struct fs *fs, uint32_t block) {
    return block >= fs->first_block && block < fs->blocks;
}

/*
 * The block of pointers that *pointer names, which lies in an inode or in another such block (both in
 * the cache: `pointer` stays good). 0 there means none: with `make` it gets one.
 */
static uint32_t *pointers(struct fs *fs, uint32_t inode, uint32_t *pointer, bool make) {
    if (*pointer == 0 && make) {
        uint32_t block = fs_block_take(fs, &fs->next_pointers);
        void *fresh = block ? cache_fresh(&fs->cache, block, &fs->error) : NULL;
        struct ext2_inode *owner = fresh ? fs_inode_change(fs, inode) : NULL;
        if (!owner)
            return NULL;
        *pointer = block;
        cache_dirty(&fs->cache, pointer);
        owner->sectors += EXT2_BLOCK_BYTES / 512;
        return fresh;
    }
    if (!is_data_block(fs, *pointer)) {
        fs->error = *pointer ? FS_EIO : 0;
        return NULL;
    }
    return fs_get(fs, *pointer);
}

/*
 * Where the number of a file's index-th block is kept, and how many more follow there (*room, that one
 * included). NULL with fs->error 0: the file has a hole of *room blocks.
 */
static uint32_t *slot_of(struct fs *fs, uint32_t inode, uint32_t index, bool make, uint32_t *room) {
    struct ext2_inode *owner = fs_inode(fs, inode);
    if (!owner)
        return NULL;
    if (index < EXT2_DIRECT) {
        *room = EXT2_DIRECT - index;
        return &owner->block[index];
    }
    index -= EXT2_DIRECT;
    *room = EXT2_PER_BLOCK - index % EXT2_PER_BLOCK;
    uint32_t *pointer = &owner->indirect;
    if (index >= EXT2_PER_BLOCK) {
        index -= EXT2_PER_BLOCK;
        if (index >= EXT2_PER_BLOCK * EXT2_PER_BLOCK) {
            fs->error = FS_EFBIG;
            return NULL;
        }
        pointer = pointers(fs, inode, &owner->twice, make);
        if (!pointer)
            return NULL;
        pointer += index / EXT2_PER_BLOCK;
    }
    uint32_t *list = pointers(fs, inode, pointer, make);
    return list ? &list[index % EXT2_PER_BLOCK] : NULL;
}

/* As fs_run, within one list of pointers; *whole: the run reaches the end of it. */
static int64_t run_in_list(struct fs *fs, uint32_t inode, uint32_t index, uint32_t most,
                           uint32_t *block, bool *whole) {
    uint32_t room = 0, count = 1;
    const uint32_t *slot = slot_of(fs, inode, index, false, &room);
    *block = 0;
    if (!slot && fs->error)
        return fs->error;
    *whole = room <= most;
    if (room > most)
        room = most;
    if (!slot)
        return room;
    uint32_t first = *slot;
    while (count < room && slot[count] == (first ? first + count : 0))
        count++;
    if (first && (!is_data_block(fs, first) || count > fs->blocks - first))
        return fs->error = FS_EIO;
    *block = first;
    *whole = *whole && count == room;
    return count;
}

/* As fs_run_for_writing, within one list of pointers. */
static int64_t make_in_list(struct fs *fs, uint32_t inode, uint32_t index, uint32_t most,
                            uint32_t *block, bool *whole) {
    uint32_t room, count = 0, made = 0;
    uint32_t *slot = slot_of(fs, inode, index, true, &room);
    *block = 0;
    if (!slot)
        return fs->error;
    *whole = room <= most;
    if (room > most)
        room = most;
    while (count < room) {
        uint32_t found = slot[count];
        if (!found) {
            found = fs_block_take(fs, &fs->next_block);
            if (!found)
                break;
            slot[count] = found;
            made++;
        } else if (!is_data_block(fs, found)) {
            return fs->error = FS_EIO;
        }
        if (count == 0)
            *block = found;
        else if (found != *block + count)
            break; /* a new one too is the file's; it begins the next run */
        count++;
    }
    if (made) {
        struct ext2_inode *owner = fs_inode_change(fs, inode);
        if (!owner)
            return fs->error;
        owner->sectors += made * (EXT2_BLOCK_BYTES / 512);
        cache_dirty(&fs->cache, slot);
    }
    *whole = *whole && count == room;
    if (count == 0)
        return fs->error;
    return count;
}

/* The lists' runs that lie together, as one. A later list's error is for whoever goes on there. */
static int64_t
run_over_lists(struct fs *fs, uint32_t inode, uint32_t index, uint32_t most, uint32_t *block,
               int64_t (*in_list)(struct fs *, uint32_t, uint32_t, uint32_t, uint32_t *, bool *)) {
    bool whole = false;
    uint32_t next = 0;
    int64_t count = in_list(fs, inode, index, most, block, &whole);
    while (count > 0 && whole && (uint64_t)count < most) {
        uint32_t so_far = (uint32_t)count;
        int64_t more = in_list(fs, inode, index + so_far, most - so_far, &next, &whole);
        if (more < 0 || next != (*block ? *block + so_far : 0))
            break;
        count += more;
    }
    return count;
}

int64_t fs_run(struct fs *fs, uint32_t inode, uint32_t index, uint32_t most, uint32_t *block) {
    return run_over_lists(fs, inode, index, most, block, run_in_list);
}

int64_t fs_run_for_writing(struct fs *fs, uint32_t inode, uint32_t index, uint32_t most,
                           uint32_t *block) {
    int64_t count = run_over_lists(fs, inode, index, most, block, make_in_list);
    if (count > 0)
        cache_forget(&fs->cache, *block, (uint32_t)count);
    return count;
}

const uint8_t *fs_page(struct fs *fs, uint32_t inode, uint32_t index) {
    static const uint8_t hole[EXT2_BLOCK_BYTES];
    uint32_t block;
    int64_t count = fs_run(fs, inode, index, 1, &block);
    if (count < 0)
        return NULL;
    return block ? fs_get(fs, block) : hole;
}

uint8_t *fs_page_for_writing(struct fs *fs, uint32_t inode, uint32_t index) {
    uint32_t block;
    int64_t count = fs_run(fs, inode, index, 1, &block);
    if (count < 0)
        return NULL;
    if (block) {
        uint8_t *data = fs_get(fs, block);
        if (data)
            cache_dirty(&fs->cache, data);
        return data;
    }
    if (fs_run_for_writing(fs, inode, index, 1, &block) < 0)
        return NULL;
    return cache_fresh(&fs->cache, block, &fs->error);
}

int64_t fs_size(struct fs *fs, uint32_t inode) {
    const struct ext2_inode *found = fs_inode(fs, inode);
    if (!found)
        return fs->error;
    if ((found->mode & EXT2_TYPE_MASK) == (EXT2_DIRECTORY & EXT2_TYPE_MASK))
        return FS_EISDIR;
    if ((found->mode & EXT2_TYPE_MASK) != (EXT2_REGULAR & EXT2_TYPE_MASK) ||
        found->size > FS_MOST_BYTES)
        return FS_EIO;
    return found->size;
}

int fs_grow(struct fs *fs, uint32_t inode, uint32_t size) {
    struct ext2_inode *found = fs_inode(fs, inode);
    if (!found)
        return fs->error;
    if (size <= found->size)
        return 0;
    found->size = size;
    cache_dirty(&fs->cache, found);
    return 0;
}
