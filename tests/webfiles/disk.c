/* See disk.h. */
#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t disk[DISK_BLOCKS][EXT2_BLOCK_BYTES];
uint32_t disk_bad = UINT32_MAX;
uint64_t disk_reads, disk_writes;

static int disk_refuses(uint32_t block, uint32_t count) {
    return count == 0 || count > 16 || block >= DISK_BLOCKS || count > DISK_BLOCKS - block ||
           disk_bad - block < count;
}

int disk_read(uint32_t block, uint32_t count, void *to) {
    disk_reads++;
    if (disk_refuses(block, count))
        return FS_EIO;
    memcpy(to, disk[block], count * EXT2_BLOCK_BYTES);
    return 0;
}

int disk_write(uint32_t block, uint32_t count, const void *from) {
    disk_writes++;
    if (disk_refuses(block, count))
        return FS_EIO;
    memcpy(disk[block], from, count * EXT2_BLOCK_BYTES);
    return 0;
}

static uint32_t part_of(uint32_t at, uint32_t left) {
    uint32_t part = EXT2_BLOCK_BYTES - at % EXT2_BLOCK_BYTES;
    return part < left ? part : left;
}

int64_t file_write(struct fs *fs, uint32_t inode, uint32_t offset, const void *from,
                   uint32_t bytes) {
    uint32_t done = 0, part;
    int failed = 0;
    for (; done < bytes && !failed; done += part) {
        part = part_of(offset + done, bytes - done);
        uint8_t *page = fs_page_for_writing(fs, inode, (offset + done) / EXT2_BLOCK_BYTES);
        if (page)
            memcpy(page + (offset + done) % EXT2_BLOCK_BYTES, (const uint8_t *)from + done, part);
        else
            failed = fs->error, part = 0;
    }
    int error = fs_grow(fs, inode, offset + done); /* also on a full disk: no block past the end */
    if (failed || error)
        return failed ? failed : error;
    return bytes;
}

int64_t file_read(struct fs *fs, uint32_t inode, uint32_t offset, void *to, uint32_t bytes) {
    int64_t size = fs_size(fs, inode);
    if (size < 0)
        return size;
    if (offset >= size)
        return 0;
    if (bytes > size - offset)
        bytes = (uint32_t)(size - offset);
    for (uint32_t done = 0, part; done < bytes; done += part) {
        part = part_of(offset + done, bytes - done);
        const uint8_t *page = fs_page(fs, inode, (offset + done) / EXT2_BLOCK_BYTES);
        if (!page)
            return fs->error;
        memcpy((uint8_t *)to + done, page + (offset + done) % EXT2_BLOCK_BYTES, part);
    }
    return bytes;
}

int64_t file_write_runs(struct fs *fs, uint32_t inode, uint32_t index, const void *from,
                        uint32_t blocks) {
    uint32_t done = 0;
    int64_t run = 0;
    while (done < blocks) {
        uint32_t block, most = blocks - done < 16 ? blocks - done : 16;
        run = fs_run_for_writing(fs, inode, index + done, most, &block);
        if (run >= 0 && disk_write(block, (uint32_t)run,
                                   (const uint8_t *)from + (size_t)done * EXT2_BLOCK_BYTES))
            run = FS_EIO;
        if (run < 0)
            break;
        done += (uint32_t)run;
    }
    int error = fs_grow(fs, inode, (index + done) * EXT2_BLOCK_BYTES);
    if (run < 0 || error)
        return run < 0 ? run : error;
    return blocks;
}

int disk_check(void) {
    char path[] = "/tmp/bulkhead-disk-XXXXXX", command[256];
    int to = mkstemp(path);
    if (to < 0 || write(to, disk, sizeof disk) != (ssize_t)sizeof disk || close(to))
        abort();
    snprintf(command, sizeof command, E2FSCK " -fn %s >%s.log 2>&1 || { cat %s.log >&2; false; }",
             path, path, path);
    int status = system(command);
    unlink(path);
    snprintf(command, sizeof command, "%s.log", path);
    unlink(command);
    return status;
}
