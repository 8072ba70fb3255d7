/* Directories and paths. */
#include "fs_parts.h"

#include <string.h>

/* The most that a new name takes: the directory's block, a block of its parent's, two of pointers. */
#define CREATE_BLOCKS 4

struct name {
    const char *text;
    uint32_t bytes;
};

/* Takes the next name off a path. Returns 1, 0 at its end, or FS_EINVAL. */
static int next_name(const char **path, uint32_t *bytes, struct name *name) {
    uint32_t length = 0;
    if (*bytes == 0)
        return 0;
    if (**path != '/')
        return FS_EINVAL;
    name->text = *path + 1;
    while (length + 1 < *bytes && name->text[length] != '/') {
        if (name->text[length] == 0)
            return FS_EINVAL;
        length++;
    }
    if (length == 0 || length > EXT2_NAME_BYTES)
        return FS_EINVAL;
    name->bytes = length;
    *path += length + 1;
    *bytes -= length + 1;
    return 1;
}

static uint32_t entry_need(uint32_t name_bytes) {
    return (EXT2_ENTRY_BYTES + name_bytes + 3) & ~3u;
}

/* The entry at `at` of a directory's block, or NULL with fs->error if it is not sound. */
static struct ext2_entry *entry_at(struct fs *fs, const uint8_t *data, uint32_t at) {
    struct ext2_entry *entry = (struct ext2_entry *)(uintptr_t)(data + at);
    if (at + EXT2_ENTRY_BYTES <= EXT2_BLOCK_BYTES && entry->step % 4 == 0 &&
        entry->step >= entry_need(entry->name_bytes) && entry->step <= EXT2_BLOCK_BYTES - at &&
        entry->name_bytes <= EXT2_NAME_BYTES)
        return entry;
    fs->error = FS_EIO;
    return NULL;
}

/* The number of blocks of a directory, or FS_ENOTDIR. */
static int64_t directory_blocks(struct fs *fs, uint32_t inode) {
    const struct ext2_inode *found = fs_inode(fs, inode);
    if (!found)
        return fs->error;
    if ((found->mode & EXT2_TYPE_MASK) != (EXT2_DIRECTORY & EXT2_TYPE_MASK))
        return FS_ENOTDIR;
    if (found->size % EXT2_BLOCK_BYTES || found->size > FS_MOST_BYTES)
        return FS_EIO;
    return found->size / EXT2_BLOCK_BYTES;
}

static int64_t find_in(struct fs *fs, uint32_t directory, const struct name *name) {
    int64_t blocks = directory_blocks(fs, directory);
    if (blocks < 0)
        return blocks;
    for (uint32_t i = 0; i < blocks; i++) {
        const uint8_t *data = fs_page(fs, directory, i);
        if (!data)
            return fs->error;
        for (uint32_t at = 0; at < EXT2_BLOCK_BYTES;) {
            const struct ext2_entry *entry = entry_at(fs, data, at);
            if (!entry)
                return fs->error;
            if (entry->inode && entry->name_bytes == name->bytes &&
                memcmp(entry->name, name->text, name->bytes) == 0)
                return entry->inode;
            at += entry->step;
        }
    }
    return FS_ENOENT;
}

static void entry_put(struct ext2_entry *entry, const struct name *name, uint32_t inode,
                      uint32_t step) {
    entry->inode = inode;
    entry->step = (uint16_t)step;
    entry->name_bytes = (uint16_t)name->bytes;
    memcpy(entry->name, name->text, name->bytes);
}

/* Puts a name into the directory: after an entry with room behind it, else into a new block. */
static int add_to(struct fs *fs, uint32_t directory, const struct name *name, uint32_t inode) {
    int64_t blocks = directory_blocks(fs, directory);
    uint32_t need = entry_need(name->bytes);
    if (blocks < 0)
        return (int)blocks;
    for (uint32_t i = 0; i < blocks; i++) {
        uint8_t *data = fs_page_for_writing(fs, directory, i);
        if (!data)
            return fs->error;
        for (uint32_t at = 0; at < EXT2_BLOCK_BYTES;) {
            struct ext2_entry *entry = entry_at(fs, data, at);
            if (!entry)
                return fs->error;
            uint32_t step = entry->step;
            uint32_t used = entry->inode ? entry_need(entry->name_bytes) : 0;
            if (step - used >= need) {
                if (used)
                    entry->step = (uint16_t)used;
                entry_put((struct ext2_entry *)(void *)(data + at + used), name, inode,
                          step - used);
                return 0;
            }
            at += step;
        }
    }
    uint8_t *data = fs_page_for_writing(fs, directory, (uint32_t)blocks);
    if (!data)
        return fs->error;
    entry_put((struct ext2_entry *)(void *)data, name, inode, EXT2_BLOCK_BYTES);
    return fs_grow(fs, directory, ((uint32_t)blocks + 1) * EXT2_BLOCK_BYTES);
}

/* "." and ".." of a new directory, whose parent has one link more then. */
static int fill_directory(struct fs *fs, uint32_t directory, uint32_t parent) {
    static const struct name self = {".", 1}, above = {"..", 2};
    uint8_t *data = fs_page_for_writing(fs, directory, 0);
    if (!data)
        return fs->error;
    uint32_t first = entry_need(self.bytes);
    entry_put((struct ext2_entry *)(void *)data, &self, directory, first);
    entry_put((struct ext2_entry *)(void *)(data + first), &above, parent,
              EXT2_BLOCK_BYTES - first);
    struct ext2_inode *upper = fs_inode_change(fs, parent);
    if (!upper)
        return fs->error;
    upper->links++;
    return fs_grow(fs, directory, EXT2_BLOCK_BYTES);
}

int64_t fs_find(struct fs *fs, const char *path, uint32_t bytes) {
    int64_t inode = EXT2_ROOT;
    struct name name;
    int more;
    if (bytes == 0)
        return FS_EINVAL;
    while (inode > 0 && (more = next_name(&path, &bytes, &name)) != 0)
        inode = more < 0 ? more : find_in(fs, (uint32_t)inode, &name);
    return inode;
}

int64_t fs_create(struct fs *fs, const char *path, uint32_t bytes, bool directory) {
    int64_t parent = EXT2_ROOT, found = FS_EEXIST; /* what "" would be: the root is there */
    struct name name = {"", 0};
    int more;
    if (bytes == 0)
        return FS_EINVAL;
    while ((more = next_name(&path, &bytes, &name)) != 0) {
        if (more < 0)
            return more;
        found = find_in(fs, (uint32_t)parent, &name);
        if (found < 0)
            break;
        parent = found;
    }
    if (found >= 0)
        return FS_EEXIST;
    if (found != FS_ENOENT)
        return found;
    if (bytes) /* and not the last name of the path */
        return FS_ENOENT;
    const struct ext2_super *super = fs_super(fs);
    if (!super)
        return fs->error;
    if (super->free_blocks < CREATE_BLOCKS)
        return FS_ENOSPC;
    uint32_t inode = fs_inode_take(fs, directory);
    struct ext2_inode *made = inode ? fs_inode_change(fs, inode) : NULL;
    if (!made)
        return fs->error;
    made->mode = directory ? EXT2_DIRECTORY : EXT2_REGULAR;
    made->links = directory ? 2 : 1;
    int error = directory ? fill_directory(fs, inode, (uint32_t)parent) : 0;
    if (!error)
        error = add_to(fs, (uint32_t)parent, &name, inode);
    return error ? error : (int64_t)inode;
}
