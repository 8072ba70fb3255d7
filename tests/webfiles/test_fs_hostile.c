/* Disks that lie: whatever bytes they hold, the file system returns, and with the sanitizers it shows
   that it touched nothing else. */
#include "disk.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct fs fs;

static void use_everything(void) {
    static uint8_t data[EXT2_BLOCK_BYTES];
    uint32_t block;
    if (fs_mount(&fs, DISK_BLOCKS))
        return;
    int64_t found[] = {fs_find(&fs, "/folder/file", 12), fs_find(&fs, "/big", 4),
                       fs_find(&fs, "/folder/..", 10), fs_create(&fs, "/folder/new", 11, false),
                       fs_create(&fs, "/dir", 4, true)};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        if (found[i] <= 0)
            continue;
        uint32_t inode = (uint32_t)found[i];
        file_read(&fs, inode, 0, data, sizeof data);
        file_read(&fs, inode, 60000, data, sizeof data);
        fs_run(&fs, inode, 2000, 16, &block);
        file_write(&fs, inode, 70000, data, 10);
        file_write_runs(&fs, inode, 1030, data, 1);
    }
    fs_sync(&fs);
}

Test(fs_hostile, changed_bytes) {
    static uint8_t good[DISK_BLOCKS][EXT2_BLOCK_BYTES], data[70000];
    uint64_t state = 1;
    cr_assert_eq(fs_make(&fs, DISK_BLOCKS, 64), 0);
    fs_create(&fs, "/folder", 7, true);
    int64_t file = fs_create(&fs, "/folder/file", 12, false),
            big = fs_create(&fs, "/big", 4, false);
    cr_assert_eq(file_write(&fs, (uint32_t)file, 0, data, 5000), 5000);
    cr_assert_eq(file_write(&fs, (uint32_t)big, 0, data, sizeof data), sizeof data);
    cr_assert_eq(file_write(&fs, (uint32_t)big, 5000000, data, 10), 10);
    cr_assert_eq(fs_sync(&fs), 0);
    memcpy(good, disk, sizeof good);
    for (uint32_t round = 0; round < 4000; round++) {
        memcpy(disk, good, 64 * EXT2_BLOCK_BYTES); /* what was made lies there */
        for (uint32_t change = 0; change < 1 + round % 8; change++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            uint32_t block = (uint32_t)(state >> 33) % 40, at = (uint32_t)(state >> 45) % 512;
            if (block == 0) /* the superblock is small, and most of the table unused */
                at = EXT2_SUPER_OFFSET + at % sizeof(struct ext2_super);
            disk[block][at] = (uint8_t)(state >> 56);
        }
        use_everything();
    }
}
