/*
 * SIP images made in memory, so that tests need no build of real SIPs; and folders of them.
 */
#ifndef TEST_CONFIG_IMAGE_H
#define TEST_CONFIG_IMAGE_H

#include "domain-config/config.h"
#include "sip/abi.h"

#include <elf.h>

#define TEST_IMAGE_LOADS 3u

struct test_image { /* the file as it stands on disk: headers and note, code, data */
    Elf64_Ehdr header;
    Elf64_Phdr program[TEST_IMAGE_LOADS + 1]; /* R, RX, RW, then the note */
    struct {
        Elf64_Nhdr header;
        char name[12];
        struct abi_image_note descriptor;
    } note;
    _Alignas(4096) uint8_t code[4096];
    _Alignas(4096) uint8_t data[4096];
};

/* A valid image: code at 0x1000; at 0x2000 the slot table and 4 KiB of zeroes. */
void test_image_init(struct test_image *image, uint32_t safety);

/*
 * A fresh folder with an image for each SIP of the first workloads, built unchecked and checked.
 * Returns its path, malloc'ed; test_folder_remove() removes it and frees the path.
 */
char *test_folder_make(void);
void test_folder_remove(char *path);
void test_folder_add(const char *path, const char *name, const void *data, size_t bytes);

void test_folder_add_text(const char *path, const char *name, const char *text);

#endif
