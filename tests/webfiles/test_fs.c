/* The file system as it should be used: names, data, a full disk, a bad block; e2fsck is the judge. */
#include "disk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fs fs;

static void make(void) { cr_assert_eq(fs_make(&fs, DISK_BLOCKS, 256), 0); }

static int64_t find(const char *path) { return fs_find(&fs, path, (uint32_t)strlen(path)); }
static int64_t create(const char *path, bool directory) {
    return fs_create(&fs, path, (uint32_t)strlen(path), directory);
}

static void fill(uint8_t *data, size_t bytes, unsigned seed) {
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)((seed = seed * 1103515245u + 12345u) >> 16);
}

static void settle(void) {
    cr_assert_eq(fs_sync(&fs), 0);
    cr_assert_eq(disk_check(), 0, "e2fsck finds the disk wrong");
}

TestSuite(fs, .init = make);

Test(fs, an_empty_one_is_sound) {
    settle();
    cr_assert_eq(find("/lost+found"), EXT2_FIRST_INODE);
    cr_assert_eq(find("/nothing"), FS_ENOENT);
}

Test(fs, names) {
    int64_t folder = create("/folder", true), file = create("/folder/file", false);
    cr_assert_gt(folder, 0);
    cr_assert_gt(file, 0);
    cr_assert_eq(find("/folder"), folder);
    cr_assert_eq(find("/folder/file"), file);
    cr_assert_eq(find("/folder/../folder/./file"), file);
    cr_assert_eq(find("/.."), EXT2_ROOT);
    cr_assert_eq(fs_size(&fs, (uint32_t)file), 0);
    cr_assert_eq(fs_size(&fs, (uint32_t)folder), FS_EISDIR);
    cr_assert_eq(create("/folder/file", false), FS_EEXIST);
    cr_assert_eq(create("/folder", false), FS_EEXIST);
    cr_assert_eq(create("/folder/.", true), FS_EEXIST);
    cr_assert_eq(create("/folder/file/below", false), FS_ENOTDIR);
    cr_assert_eq(create("/none/file", false), FS_ENOENT);
    cr_assert_eq(find("/folder/file/below"), FS_ENOTDIR);
    settle();
}

Test(fs, paths_that_are_none) {
    static const char *const wrong[] = {"", "/", "file", "//", "/a//b", "/a/", "a/b"};
    char longest[300];
    create("/a", true);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(find(wrong[i]), FS_EINVAL, "%s", wrong[i]);
        cr_assert_eq(create(wrong[i], false), FS_EINVAL, "%s", wrong[i]);
    }
    cr_assert_eq(fs_find(&fs, "/a\0b", 4), FS_EINVAL);
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    cr_assert_eq(fs_find(&fs, longest, 257), FS_EINVAL);
    cr_assert_gt(fs_create(&fs, longest, 256, false), 0, "255 characters are a name");
    cr_assert_eq(fs_find(&fs, longest, 255), FS_ENOENT);
    settle();
}

Test(fs, many_names) {
    char path[64];
    create("/many", true);
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "/many/a-name-of-some-length-%d", i);
        cr_assert_gt(create(path, false), 0, "%s", path);
    }
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "/many/a-name-of-some-length-%d", i);
        cr_assert_gt(find(path), 0, "%s", path);
    }
    settle();
}

Test(fs, no_inode_left) {
    char path[32];
    int64_t made = 0;
    for (int i = 0; i < 256 && made >= 0; i++) {
        snprintf(path, sizeof path, "/%d", i);
        made = create(path, false);
    }
    cr_assert_eq(made, FS_ENOSPC);
    settle();
}

/* Up to where all kinds of pointers are in use. */
Test(fs, data_through_the_cache) {
    static const uint32_t sizes[] = {1, 4095, 4096, 4097, 12 * 4096, 12 * 4096 + 1, 4400000};
    uint8_t *wrote = malloc(4400000), *got = malloc(4400000);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char path[] = "/0";
        path[1] += (char)i;
        int64_t file = create(path, false);
        fill(wrote, sizes[i], i);
        cr_assert_eq(file_write(&fs, (uint32_t)file, 0, wrote, sizes[i]), sizes[i]);
        cr_assert_eq(fs_size(&fs, (uint32_t)file), sizes[i]);
    }
    settle();
    cr_assert_eq(fs_mount(&fs, DISK_BLOCKS), 0);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char path[] = "/0";
        path[1] += (char)i;
        fill(wrote, sizes[i], i);
        cr_assert_eq(file_read(&fs, (uint32_t)find(path), 0, got, 4400000), sizes[i]);
        cr_assert_eq(memcmp(wrote, got, sizes[i]), 0, "%s", path);
    }
    free(wrote);
    free(got);
}

Test(fs, runs_and_cache_agree) {
    static uint8_t wrote[100 * EXT2_BLOCK_BYTES], got[sizeof wrote];
    uint32_t file = (uint32_t)create("/file", false), block;
    fill(wrote, sizeof wrote, 7);
    cr_assert_eq(file_write(&fs, file, 0, got, 50000), 50000); /* lines that the runs replace */
    cr_assert_eq(file_write_runs(&fs, file, 0, wrote, 100), 100);
    cr_assert_eq(file_read(&fs, file, 0, got, sizeof got), sizeof got);
    cr_assert_eq(memcmp(wrote, got, sizeof got), 0);
    wrote[5000] ^= 1;
    cr_assert_eq(file_write(&fs, file, 5000, wrote + 5000, 1), 1);
    cr_assert_eq(fs_run(&fs, file, 1, 1, &block), 1);
    cr_assert_neq(disk[block][5000 - 4096], wrote[5000], "it is not yet on the disk");
    cr_assert_eq(cache_settle(&fs.cache, block, 1), 0);
    cr_assert_eq(disk[block][5000 - 4096], wrote[5000]);
    settle();
}

Test(fs, a_file_made_in_one_go_lies_together) {
    static uint8_t data[64 * EXT2_BLOCK_BYTES];
    uint32_t file = (uint32_t)create("/file", false), block;
    cr_assert_eq(file_write_runs(&fs, file, 0, data, 64), 64);
    cr_assert_eq(fs_run(&fs, file, 0, 64, &block), 64);
    cr_assert_eq(fs_run(&fs, file, 8, 16, &block), 16, "across two lists of pointers");
}

Test(fs, holes_read_as_zero) {
    uint8_t got[3] = {1, 1, 1};
    uint32_t file = (uint32_t)create("/file", false), block;
    cr_assert_eq(file_write(&fs, file, 5000000, "end", 3), 3);
    cr_assert_eq(file_read(&fs, file, 100000, got, 3), 3);
    cr_assert_eq(memcmp(got, "\0\0\0", 3), 0);
    cr_assert_eq(file_read(&fs, file, 5000000, got, 9), 3);
    cr_assert_eq(memcmp(got, "end", 3), 0);
    cr_assert_gt(fs_run(&fs, file, 20, 16, &block), 0);
    cr_assert_eq(block, 0);
    settle();
}

Test(fs, full) {
    static uint8_t data[16 * EXT2_BLOCK_BYTES];
    uint32_t file = (uint32_t)create("/file", false), blocks = 0;
    int64_t wrote;
    uint8_t last;
    while ((wrote = file_write_runs(&fs, file, blocks, data, 16)) == 16)
        blocks += 16;
    cr_assert_eq(wrote, FS_ENOSPC);
    cr_assert_gt(blocks, DISK_BLOCKS - 64);
    cr_assert_eq(file_write(&fs, file, blocks * EXT2_BLOCK_BYTES, data, sizeof data), FS_ENOSPC);
    cr_assert_eq(create("/folder", true), FS_ENOSPC);
    cr_assert_eq(create("/other", false), FS_ENOSPC, "a name may need blocks");
    cr_assert_eq(file_read(&fs, file, (uint32_t)fs_size(&fs, file) - 1, &last, 1), 1);
    cr_assert_eq(file_write(&fs, file, 0, "still", 5), 5, "what is there can be written");
    settle();
}

Test(fs, a_bad_block_of_a_file) {
    static uint8_t data[16 * EXT2_BLOCK_BYTES];
    uint32_t file = (uint32_t)create("/file", false), block;
    cr_assert_eq(file_write_runs(&fs, file, 0, data, 16), 16);
    cr_assert_eq(fs_sync(&fs), 0);
    cr_assert_eq(fs_mount(&fs, DISK_BLOCKS), 0);
    fs_run(&fs, file, 3, 1, &block);
    disk_bad = block;
    cr_assert_eq(file_read(&fs, file, 3 * EXT2_BLOCK_BYTES, data, 1), FS_EIO);
    cr_assert_eq(file_read(&fs, file, 2 * EXT2_BLOCK_BYTES, data, 1), 1);
    cr_assert_eq(file_write(&fs, file, 3 * EXT2_BLOCK_BYTES, "x", 1), FS_EIO);
}

Test(fs, bad_blocks_of_the_file_system) {
    for (uint32_t block = 0; block < 16; block++) {
        disk_bad = UINT32_MAX;
        make();
        int64_t file = create("/file", false);
        cr_assert_gt(file, 0);
        file_write(&fs, (uint32_t)file, 0, "x", 1);
        disk_bad = block;
        if (fs_sync(&fs) == 0 && fs_mount(&fs, DISK_BLOCKS) == 0) {
            file = find("/file");
            cr_assert(file > 0 || file == FS_EIO, "block %u: %lld", block, (long long)file);
        }
    }
}

Test(fs, what_cannot_be_made) {
    cr_assert_eq(fs_make(&fs, EXT2_GROUP_BLOCKS + 1, 64), FS_EINVAL);
    cr_assert_eq(fs_make(&fs, 6, 64), FS_EINVAL);
    cr_assert_eq(fs_make(&fs, 64, 0), FS_EINVAL);
    cr_assert_eq(fs_make(&fs, 64, EXT2_GROUP_BLOCKS + 1), FS_EINVAL);
    memset(disk, 0, sizeof disk);
    cr_assert_eq(fs_mount(&fs, DISK_BLOCKS), FS_EINVAL);
}

/* What was used last stays, and finding it again costs no request to the disk. */
Test(fs, the_cache_holds_what_it_says) {
    uint32_t file = (uint32_t)create("/file", false);
    uint8_t byte;
    for (uint32_t i = 0; i < 300; i++)
        cr_assert_eq(file_write(&fs, file, i * EXT2_BLOCK_BYTES, &i, 1), 1);
    cr_assert_eq(fs_sync(&fs), 0);
    for (uint32_t round = 0; round < 3; round++) {
        uint64_t before = disk_reads;
        for (uint32_t i = 0; i < CACHE_LINES - 8; i++) {
            file_read(&fs, file, i * EXT2_BLOCK_BYTES, &byte, 1);
            cr_assert_eq(byte, (uint8_t)i);
        }
        cr_assert(round == 0 || disk_reads == before, "round %u reads %llu blocks again", round,
                  (unsigned long long)(disk_reads - before));
    }
}
