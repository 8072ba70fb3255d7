/*
 * The reader of SIP images: a sound image, and each way of not being one.
 */
#include "domain-config/elf_image.h"
#include "domain-config/plan.h"
#include "image.h"

#include <criterion/criterion.h>
#include <string.h>

static struct test_image image;
static struct elf_image out;
static char why[ELF_IMAGE_WHY_BYTES];

static void refused(size_t bytes, const char *text) {
    why[0] = '\0';
    cr_expect(elf_image_read(&image, bytes, &out, why) < 0, "was accepted; expected: %s", text);
    cr_expect(strstr(why, text), "'%s' lacks '%s'", why, text);
    test_image_init(&image, PLAN_SAFETY_UNCHECKED);
}

static void set_up(void) { test_image_init(&image, PLAN_SAFETY_UNCHECKED); }

TestSuite(elf, .init = set_up);

Test(elf, sound_image) {
    cr_assert(elf_image_read(&image, sizeof(image), &out, why) == 0, "%s", why);
    cr_expect(out.segments == 3);
    cr_expect(out.segment[1].address == 0x1000 && out.segment[1].flags == (PF_R | PF_X));
    cr_expect(out.note.entry == 0x1000 && out.note.slots == 0x2000);
    cr_expect(elf_image_memory(&out, 4096) == 4 * 4096);
    cr_expect(elf_image_memory(&out, 2 << 20) == 3 * (2 << 20));
}

Test(elf, header) {
    refused(sizeof(Elf64_Ehdr) - 1, "too short");
    refused(sizeof(Elf64_Ehdr), "program headers are outside the file");
    image.header.e_ident[0] = 'X';
    refused(sizeof(image), "not an ELF file");
    image.header.e_ident[EI_CLASS] = ELFCLASS32;
    refused(sizeof(image), "ELF64");
    image.header.e_ident[EI_DATA] = ELFDATA2MSB;
    refused(sizeof(image), "little-endian");
    image.header.e_machine = EM_AARCH64;
    refused(sizeof(image), "machine 183");
    image.header.e_type = ET_EXEC;
    refused(sizeof(image), "-pie");
    image.header.e_phentsize = 32;
    refused(sizeof(image), "program headers");
    image.header.e_phnum = 0;
    refused(sizeof(image), "program headers");
    image.header.e_phoff = UINT64_MAX - 8;
    refused(sizeof(image), "program headers are outside");
}

Test(elf, segments) {
    refused(0x2fff, "PT_LOAD segment is outside the file");
    image.program[1].p_filesz = 4097;
    refused(sizeof(image), "larger in the file than in memory");
    image.program[2].p_offset = UINT64_MAX - 4095;
    refused(sizeof(image), "outside the file");
    image.program[2].p_vaddr = UINT64_MAX - 4095;
    refused(sizeof(image), "beyond 128 MiB");
    image.program[2].p_memsz = UINT64_MAX;
    refused(sizeof(image), "beyond 128 MiB");
    image.program[2].p_vaddr += 8;
    refused(sizeof(image), "differ within a page");
    image.program[2].p_flags |= PF_X;
    refused(sizeof(image), "writable and executable");
    image.program[2].p_vaddr = 0x1000;
    refused(sizeof(image), "overlap");
    image.program[1].p_type = PT_INTERP;
    refused(sizeof(image), "PT_INTERP");
    for (int i = 0; i < 3; i++)
        image.program[i].p_type = PT_NULL;
    refused(sizeof(image), "no PT_LOAD");
}

Test(elf, note) {
    image.program[3].p_type = PT_NULL;
    refused(sizeof(image), "no \"Bulkhead\" note");
    image.note.name[0] = 'b';
    refused(sizeof(image), "no \"Bulkhead\" note");
    image.note.header.n_descsz = UINT32_MAX;
    refused(sizeof(image), "no \"Bulkhead\" note");
    image.note.header.n_namesz = UINT32_MAX;
    refused(sizeof(image), "no \"Bulkhead\" note");
    image.program[3].p_filesz = UINT64_MAX;
    refused(sizeof(image), "PT_NOTE segment is outside");
    image.note.descriptor.abi_version++;
    refused(sizeof(image), "ABI version");
    image.note.descriptor.entry = 0x2000;
    refused(sizeof(image), "in no executable segment");
    image.note.descriptor.entry = UINT64_MAX;
    refused(sizeof(image), "in no executable segment");
    image.note.descriptor.slots = 0x2010;
    refused(sizeof(image), "slot table");
    image.note.descriptor.slots = 0x1000;
    refused(sizeof(image), "slot table");
    image.note.descriptor.slots = 0x4000;
    refused(sizeof(image), "slot table");
    image.note.descriptor.stack_bytes = 1ull << 40;
    refused(sizeof(image), "of stack");
}

/* Whatever a byte is changed to, the reader stays inside the file; the sanitizers watch. */
Test(elf, any_byte_of_the_headers) {
    uint8_t *byte = (uint8_t *)&image;

    for (size_t i = 0; i < 512; i++) {
        for (int value = 0; value < 256; value += 15) {
            uint8_t before = byte[i];

            byte[i] = (uint8_t)value;
            elf_image_read(&image, sizeof(image), &out, why);
            byte[i] = before;
        }
    }
    cr_expect(elf_image_read(&image, sizeof(image), &out, why) == 0);
}
