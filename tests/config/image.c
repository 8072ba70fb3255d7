/*
 * See image.h.
 */
#include "image.h"

#include "domain-config/plan.h"

#include <dirent.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void test_image_init(struct test_image *image, uint32_t safety) {
    static const uint32_t flags[TEST_IMAGE_LOADS] = {PF_R, PF_R | PF_X, PF_R | PF_W};

    memset(image, 0, sizeof(*image));
    memcpy(image->header.e_ident, ELFMAG, SELFMAG);
    image->header.e_ident[EI_CLASS] = ELFCLASS64;
    image->header.e_ident[EI_DATA] = ELFDATA2LSB;
    image->header.e_ident[EI_VERSION] = EV_CURRENT;
    image->header.e_type = ET_DYN;
    image->header.e_machine = EM_X86_64;
    image->header.e_phoff = offsetof(struct test_image, program);
    image->header.e_phentsize = sizeof(Elf64_Phdr);
    image->header.e_phnum = TEST_IMAGE_LOADS + 1;
    for (uint32_t i = 0; i < TEST_IMAGE_LOADS; i++)
        image->program[i] = (Elf64_Phdr){.p_type = PT_LOAD,
                                         .p_flags = flags[i],
                                         .p_offset = i * 4096,
                                         .p_vaddr = i * 4096,
                                         .p_filesz = 4096,
                                         .p_memsz = i == 2 ? 8192 : 4096};
    image->program[TEST_IMAGE_LOADS] = (Elf64_Phdr){.p_type = PT_NOTE,
                                                    .p_flags = PF_R,
                                                    .p_offset = offsetof(struct test_image, note),
                                                    .p_vaddr = offsetof(struct test_image, note),
                                                    .p_filesz = sizeof(image->note),
                                                    .p_memsz = sizeof(image->note)};
    image->note.header = (Elf64_Nhdr){.n_namesz = sizeof(ABI_NOTE_NAME),
                                      .n_descsz = sizeof(struct abi_image_note),
                                      .n_type = ABI_NOTE_TYPE};
    memcpy(image->note.name, ABI_NOTE_NAME, sizeof(ABI_NOTE_NAME));
    image->note.descriptor = (struct abi_image_note){.abi_version = ABI_VERSION,
                                                     .safety = safety,
                                                     .entry = 0x1000,
                                                     .slots = 0x2000,
                                                     .stack_bytes = 16384};
}

void test_folder_add(const char *path, const char *name, const void *data, size_t bytes) {
    char file[512];
    FILE *to;

    snprintf(file, sizeof(file), "%s/%s", path, name);
    to = fopen(file, "wb");
    if (!to || fwrite(data, 1, bytes, to) != bytes || fclose(to))
        abort();
}

void test_folder_add_text(const char *path, const char *name, const char *text) {
    test_folder_add(path, name, text, strlen(text));
}

char *test_folder_make(void) {
    static const char *const names[] = {
        "abi-call",         "yield-client", "yield-other", "ping-pong-client",
        "ping-pong-server", "create-sip",   "child"};
    char *path = strdup("/tmp/bulkhead-test-XXXXXX");
    struct test_image image;

    if (!path || !mkdtemp(path))
        abort();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char name[64];

        test_image_init(&image, PLAN_SAFETY_UNCHECKED);
        snprintf(name, sizeof(name), "%s.unchecked.elf", names[i]);
        test_folder_add(path, name, &image, sizeof(image));
        test_image_init(&image, PLAN_SAFETY_CHECKED);
        snprintf(name, sizeof(name), "%s.checked.elf", names[i]);
        test_folder_add(path, name, &image, sizeof(image));
    }
    return path;
}

void test_folder_remove(char *path) {
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char file[512];

        snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        unlink(file); /* "." and ".." stay, as they are no files */
    }
    if (dir)
        closedir(dir);
    rmdir(path);
    free(path);
}
