/*
 * The kernel's ELF file: a proper one is loaded, a broken one is named and never read past its end.
 */
#include <criterion/criterion.h>
#include "vmm/image.h"
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct file { /* the smallest proper image */
    Elf64_Ehdr header;
    Elf64_Phdr load, note;
    struct {
        Elf64_Nhdr header;
        char name[4];
        uint32_t entry;
    } pvh;
    uint8_t code[64];
};

static struct file file;
static struct guest_memory memory;

static void setup(void) {
    struct error error;
    memset(&file, 0, sizeof(file));
    memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    file.header.e_type = ET_EXEC;
    file.header.e_machine = EM_X86_64;
    file.header.e_phoff = offsetof(struct file, load);
    file.header.e_phentsize = sizeof(Elf64_Phdr);
    file.header.e_phnum = 2;
    file.load = (Elf64_Phdr){.p_type = PT_LOAD,
                             .p_offset = offsetof(struct file, code),
                             .p_paddr = 0x200000,
                             .p_filesz = sizeof(file.code),
                             .p_memsz = 8192};
    file.note = (Elf64_Phdr){
        .p_type = PT_NOTE, .p_offset = offsetof(struct file, pvh), .p_filesz = sizeof(file.pvh)};
    file.pvh.header = (Elf64_Nhdr){.n_namesz = 4, .n_descsz = 4, .n_type = 18};
    memcpy(file.pvh.name, "Xen", 4);
    file.pvh.entry = 0x200010;
    memset(file.code, 0x90, sizeof(file.code));
    cr_assert_eq(guest_memory_alloc(&memory, 32u << 20, &error), 0);
}

static void teardown(void) { guest_memory_free(&memory); }

TestSuite(image, .init = setup, .fini = teardown);

static int load(uint64_t bytes) {
    struct error error = {""};
    uint32_t entry;
    void *exact = malloc(bytes); /* so that a read past the end is caught by a checker */
    memcpy(exact, &file, bytes);
    int status = image_load_bytes(&memory, exact, bytes, "kernel.elf", &entry, &error);
    free(exact);
    if (status)
        cr_expect_not_null(strstr(error.text, "kernel.elf"), "the message names the file");
    return status;
}

Test(image, proper_one_is_loaded_and_its_bss_cleared) {
    struct error error;
    uint32_t entry = 0;
    memset(memory.base + 0x200000, 0xff, 8192);
    cr_assert_eq(image_load_bytes(&memory, &file, sizeof(file), "k", &entry, &error), 0);
    cr_expect_eq(entry, 0x200010);
    cr_expect_eq(memory.base[0x200000 + 63], 0x90);
    cr_expect_eq(memory.base[0x200000 + 64], 0);
    cr_expect_eq(memory.base[0x200000 + 8191], 0);
}

Test(image, every_truncation_is_refused) {
    for (uint64_t bytes = 0; bytes < offsetof(struct file, code) + sizeof(file.code); bytes++)
        cr_expect_neq(load(bytes), 0, "%u bytes", (unsigned)bytes);
}

Test(image, wrong_kinds_of_file_are_refused) {
    file.header.e_ident[EI_CLASS] = ELFCLASS32;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_machine = EM_AARCH64;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
    file.header.e_machine = EM_X86_64;
    file.header.e_phentsize = 1;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
}

Test(image, program_headers_outside_the_file_are_refused) {
    file.header.e_phoff = UINT64_MAX - 8;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
    file.header.e_phoff = sizeof(file);
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
    file.header.e_phoff = offsetof(struct file, load);
    file.header.e_phnum = 0xffff;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
}

Test(image, segments_outside_memory_or_file_are_refused) {
    Elf64_Phdr good = file.load;
    const struct {
        uint64_t offset, filesz, memsz, paddr;
    } bad[] = {
        {UINT64_MAX, 64, 8192, 0x200000},
        {good.p_offset, UINT64_MAX, UINT64_MAX, 0x200000},
        {good.p_offset, 64, 32, 0x200000},
        {good.p_offset, 64, 8192, 0x1000},
        {good.p_offset, 64, 8192, 0xfff000},
        {good.p_offset, 64, UINT64_MAX, 0x200000},
        {good.p_offset, 64, 8192, UINT64_MAX - 4},
        {good.p_offset, 64, 8192, 1ull << 40},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        file.load.p_offset = bad[i].offset;
        file.load.p_filesz = bad[i].filesz;
        file.load.p_memsz = bad[i].memsz;
        file.load.p_paddr = bad[i].paddr;
        cr_expect_eq(load(sizeof(file)), -EINVAL, "case %u", (unsigned)i);
    }
}

Test(image, notes_are_not_trusted) {
    file.pvh.header.n_namesz = 0xffffffff;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
    file.pvh.header.n_namesz = 4;
    file.pvh.header.n_descsz = 0xffffffff;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
    file.pvh.header.n_descsz = 8; /* longer than the segment */
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
    file.pvh.header.n_descsz = 4;
    file.pvh.header.n_type = 17;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
}

Test(image, entry_outside_every_segment_is_refused) {
    file.pvh.entry = 0x300000;
    cr_expect_eq(load(sizeof(file)), -ENOEXEC);
}

Test(image, missing_file_is_named) {
    struct error error = {""};
    uint32_t entry;
    cr_expect_eq(image_load(&memory, "/nonexistent/kernel.elf", &entry, &error), -ENOENT);
    cr_expect_not_null(strstr(error.text, "/nonexistent/kernel.elf"));
    cr_expect_eq(image_load(&memory, "/dev/null", &entry, &error), -ENOEXEC);
}
