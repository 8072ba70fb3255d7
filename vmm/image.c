/*
 * Reads the kernel's ELF file into guest memory. Every offset and size in the file is checked
 * before it is used. What QEMU loads by itself does not come through here.
 */
#include "image.h"
#include "guest-kernel/result.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE_PHYS32_ENTRY 18u /* XEN_ELFNOTE_PHYS32_ENTRY */

struct file_bytes {
    const uint8_t *data;
    uint64_t bytes;
};

static const void *file_at(const struct file_bytes *file, uint64_t offset, uint64_t bytes) {
    if (offset > file->bytes || bytes > file->bytes - offset)
        return NULL;
    return file->data + offset;
}

/* Looks for the PVH note in one PT_NOTE segment. Returns 1 when it is there. */
static int note_find_entry(const struct file_bytes *file, const Elf64_Phdr *segment,
                           uint64_t *entry) {
    const uint8_t *at = file_at(file, segment->p_offset, segment->p_filesz);
    uint64_t left = at ? segment->p_filesz : 0;
    while (left >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        memcpy(&note, at, sizeof(note));
        uint64_t name_room = ((uint64_t)note.n_namesz + 3) & ~3ull;
        uint64_t desc_room = ((uint64_t)note.n_descsz + 3) & ~3ull;
        if (name_room + note.n_descsz > left - sizeof(note))
            return 0;
        const uint8_t *name = at + sizeof(note), *desc = name + name_room;
        if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == 4 && !memcmp(name, "Xen", 4) &&
            (note.n_descsz == 4 || note.n_descsz == 8)) {
            *entry = 0;
            memcpy(entry, desc, note.n_descsz);
            return 1;
        }
        uint64_t step = sizeof(note) + name_room + desc_room;
        if (step > left)
            return 0;
        at += step;
        left -= step;
    }
    return 0;
}

static int segment_load(const struct guest_memory *memory, const struct file_bytes *file,
                        const Elf64_Phdr *segment, const char *name, struct error *error) {
    const void *from = file_at(file, segment->p_offset, segment->p_filesz);
    if (!from || segment->p_filesz > segment->p_memsz)
        return error_set(error, -EINVAL,
                         "%s: a segment reaches past the end of the file; build it again", name);
    if (segment->p_paddr < IMAGE_LOWEST_PA || segment->p_paddr > RESULT_PA ||
        segment->p_memsz > RESULT_PA - segment->p_paddr)
        return error_set(error, -EINVAL,
                         "%s: a segment at %#llx of %llu bytes is outside %#llx..%#llx", name,
                         (unsigned long long)segment->p_paddr, (unsigned long long)segment->p_memsz,
                         IMAGE_LOWEST_PA, RESULT_PA);
    uint8_t *to = guest_memory_at(memory, segment->p_paddr, segment->p_memsz);
    if (!to)
        return error_set(error, -EINVAL, "%s: does not fit into %llu MiB of guest memory", name,
                         (unsigned long long)memory->bytes >> 20);
    memcpy(to, from, segment->p_filesz);
    memset(to + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
    return 0;
}

int image_load_bytes(const struct guest_memory *memory, const void *data, uint64_t bytes,
                     const char *name, uint32_t *entry, struct error *error) {
    struct file_bytes file = {data, bytes};
    const Elf64_Ehdr *header = file_at(&file, 0, sizeof(*header));
    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != EM_X86_64 || header->e_type != ET_EXEC)
        return error_set(error, -ENOEXEC, "%s: not an x86-64 ELF executable", name);
    if (header->e_phentsize != sizeof(Elf64_Phdr) ||
        !file_at(&file, header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr)))
        return error_set(error, -ENOEXEC, "%s: its program headers are damaged; build it again",
                         name);
    uint64_t pvh_entry = 0;
    int have_entry = 0, entry_is_loaded = 0;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, file.data + header->e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type == PT_NOTE && !have_entry)
            have_entry = note_find_entry(&file, &segment, &pvh_entry);
    }
    if (!have_entry)
        return error_set(error, -ENOEXEC, "%s: has no PVH note that names a 32-bit entry", name);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, file.data + header->e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type != PT_LOAD || !segment.p_memsz)
            continue;
        int status = segment_load(memory, &file, &segment, name, error);
        if (status)
            return status;
        if (pvh_entry >= segment.p_paddr && pvh_entry - segment.p_paddr < segment.p_filesz)
            entry_is_loaded = 1;
    }
    if (!entry_is_loaded)
        return error_set(error, -ENOEXEC, "%s: its entry %#llx is in no segment", name,
                         (unsigned long long)pvh_entry);
    *entry = (uint32_t)pvh_entry;
    return 0;
}

int image_load(const struct guest_memory *memory, const char *path, uint32_t *entry,
               struct error *error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, -errno, "cannot open the guest kernel %s: %s", path,
                         strerror(errno));
    struct stat about;
    int status = fstat(fd, &about) < 0 ? -errno : 0;
    void *data = MAP_FAILED;
    if (!status && about.st_size > 0)
        data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return error_set(error, status ? status : -ENOEXEC, "%s: cannot be read, or is empty",
                         path);
    status = image_load_bytes(memory, data, (uint64_t)about.st_size, path, entry, error);
    munmap(data, (size_t)about.st_size);
    return status;
}
