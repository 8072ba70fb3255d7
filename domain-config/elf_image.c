/*
 * The reader of SIP images: checks, and the size in memory. See elf_image.h.
 */
#include "elf_image.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PAGE_BYTES 4096ull

struct source {
    const uint8_t *data;
    uint64_t bytes;
    char *why; /* char[ELF_IMAGE_WHY_BYTES] */
};

static int refuse(const struct source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(const struct source *source, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(source->why, ELF_IMAGE_WHY_BYTES, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static int inside(const struct source *source, uint64_t offset, uint64_t bytes) {
    return offset <= source->bytes && bytes <= source->bytes - offset;
}

static uint64_t round_down(uint64_t value, uint64_t unit) { return value / unit * unit; }

static uint64_t round_up(uint64_t value, uint64_t unit) {
    return round_down(value + unit - 1, unit);
}

static int read_header(const struct source *source, Elf64_Ehdr *header) {
    if (source->bytes < sizeof(*header))
        return refuse(source, "is too short for an ELF header");
    memcpy(header, source->data, sizeof(*header));
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(source, "is not an ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
        return refuse(source, "is not a little-endian ELF64 file");
    if (header->e_machine != EM_X86_64)
        return refuse(source, "is for machine %u, expected x86-64 (%u)", header->e_machine,
                      EM_X86_64);
    if (header->e_type != ET_DYN)
        return refuse(source, "has ELF type %u, expected ET_DYN (%u): link it with -pie",
                      header->e_type, ET_DYN);
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0)
        return refuse(source, "has no program headers of the ELF64 size");
    if (!inside(source, header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr)))
        return refuse(source, "is cut short: its program headers are outside the file");
    return 0;
}

static int add_segment(const struct source *source, struct elf_image *image,
                       const Elf64_Phdr *header) {
    const struct elf_segment *last = image->segments ? &image->segment[image->segments - 1] : NULL;

    if (header->p_memsz == 0)
        return 0;
    if (image->segments == ELF_IMAGE_MAX_SEGMENTS)
        return refuse(source, "has more than %u PT_LOAD segments", ELF_IMAGE_MAX_SEGMENTS);
    if (header->p_filesz > header->p_memsz)
        return refuse(source, "has a PT_LOAD segment that is larger in the file than in memory");
    if (!inside(source, header->p_offset, header->p_filesz))
        return refuse(source, "is cut short: a PT_LOAD segment is outside the file");
    if (header->p_vaddr > ELF_IMAGE_MAX_BYTES ||
        header->p_memsz > ELF_IMAGE_MAX_BYTES - header->p_vaddr)
        return refuse(source, "has a PT_LOAD segment that ends beyond %llu MiB",
                      ELF_IMAGE_MAX_BYTES >> 20);
    if (header->p_vaddr % PAGE_BYTES != header->p_offset % PAGE_BYTES)
        return refuse(source,
                      "has a PT_LOAD segment whose address and offset differ within a page");
    if ((header->p_flags & PF_W) && (header->p_flags & PF_X))
        return refuse(source, "has a PT_LOAD segment that is writable and executable");
    if (last &&
        round_down(header->p_vaddr, PAGE_BYTES) < round_up(last->address + last->bytes, PAGE_BYTES))
        return refuse(source,
                      "has PT_LOAD segments that overlap, share a 4 KiB page or do not ascend");
    image->segment[image->segments++] =
        (struct elf_segment){header->p_vaddr, header->p_memsz, header->p_flags};
    return 0;
}

/* Looks for the note in one PT_NOTE segment. Returns 1 when it is there, 0 when not. */
static int find_note(const struct source *source, const Elf64_Phdr *header,
                     struct abi_image_note *note) {
    const uint8_t *data = source->data + header->p_offset;
    uint64_t used = 0;

    while (header->p_filesz - used >= sizeof(Elf64_Nhdr)) {
        uint64_t name, descriptor, end;
        Elf64_Nhdr entry;

        memcpy(&entry, data + used, sizeof(entry));
        name = used + sizeof(entry);
        descriptor = name + round_up(entry.n_namesz, 4);
        end = descriptor + round_up(entry.n_descsz, 4);
        if (descriptor + entry.n_descsz > header->p_filesz)
            return 0;
        if (entry.n_type == ABI_NOTE_TYPE && entry.n_namesz == sizeof(ABI_NOTE_NAME) &&
            memcmp(data + name, ABI_NOTE_NAME, sizeof(ABI_NOTE_NAME)) == 0 &&
            entry.n_descsz >= sizeof(*note)) {
            memcpy(note, data + descriptor, sizeof(*note));
            return 1;
        }
        if (end > header->p_filesz)
            return 0;
        used = end;
    }
    return 0;
}

/* Whether the range lies in one segment that has all of the flags. */
static int in_segment(const struct elf_image *image, uint64_t address, uint64_t bytes,
                      uint32_t flags) {
    for (uint32_t i = 0; i < image->segments; i++) {
        const struct elf_segment *segment = &image->segment[i];

        if ((segment->flags & flags) == flags && address >= segment->address &&
            address - segment->address <= segment->bytes &&
            bytes <= segment->bytes - (address - segment->address))
            return 1;
    }
    return 0;
}

static int check_note(const struct source *source, const struct elf_image *image) {
    const struct abi_image_note *note = &image->note;

    if (note->abi_version != ABI_VERSION)
        return refuse(source, "was built for ABI version %u, expected %u: build the SIPs again",
                      note->abi_version, ABI_VERSION);
    if (!in_segment(image, note->entry, 1, PF_X))
        return refuse(source, "has its entry at 0x%llx, which is in no executable segment",
                      (unsigned long long)note->entry);
    if (note->slots % PAGE_BYTES ||
        !in_segment(image, note->slots, ABI_SLOTS * sizeof(struct abi_slot), PF_W))
        return refuse(source,
                      "has its slot table at 0x%llx, which is not a page of a writable segment",
                      (unsigned long long)note->slots);
    if (note->stack_bytes > ELF_IMAGE_MAX_BYTES)
        return refuse(source, "wants %llu bytes of stack, more than %llu MiB",
                      (unsigned long long)note->stack_bytes, ELF_IMAGE_MAX_BYTES >> 20);
    return 0;
}

int elf_image_read(const void *data, size_t bytes, struct elf_image *image,
                   char why[ELF_IMAGE_WHY_BYTES]) {
    const struct source source = {data, bytes, why};
    Elf64_Ehdr header = {0};
    int has_note = 0;

    memset(image, 0, sizeof(*image));
    if (read_header(&source, &header) < 0)
        return -EINVAL;
    for (uint32_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr program;

        memcpy(&program, source.data + header.e_phoff + i * sizeof(program), sizeof(program));
        if (program.p_type == PT_INTERP)
            return refuse(&source, "wants a dynamic linker (PT_INTERP): link it statically, with "
                                   "-static-pie or --no-dynamic-linker");
        if (program.p_type == PT_LOAD && add_segment(&source, image, &program) < 0)
            return -EINVAL;
        if (program.p_type == PT_NOTE && !has_note) {
            if (!inside(&source, program.p_offset, program.p_filesz))
                return refuse(&source, "is cut short: a PT_NOTE segment is outside the file");
            has_note = find_note(&source, &program, &image->note);
        }
    }
    if (image->segments == 0)
        return refuse(&source, "has no PT_LOAD segment, so nothing of it would be in memory");
    if (!has_note)
        return refuse(&source, "has no \"%s\" note, so it is not a SIP image", ABI_NOTE_NAME);
    return check_note(&source, image);
}

uint64_t elf_image_memory(const struct elf_image *image, uint64_t page_bytes) {
    uint64_t total = 0;

    for (uint32_t i = 0; i < image->segments; i++)
        total += round_up(image->segment[i].address + image->segment[i].bytes, page_bytes) -
                 round_down(image->segment[i].address, page_bytes);
    return total;
}
