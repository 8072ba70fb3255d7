/*
 * SIP images: an ELF of the plan, checked and taken apart. The host has checked it too (and the plan's
 * checksum holds); an error here is a message, never a crash.
 */
#include "image.h"
#include "compose.h"
#include "elf.h"
#include "kernel.h"
#include "space.h"

#define SEGMENTS 4
#define IMAGE_MAX_BYTES 0x10000000ull

struct image image_table[PLAN_MAX_IMAGES];

#if defined KERNEL_IBT
#define IMAGE_WANTED ABI_IMAGE_CET
#define IMAGE_WANTED_NAME "ENDBR64 at targets"
#elif defined KERNEL_RETPOLINE
#define IMAGE_WANTED ABI_IMAGE_RETPOLINE
#define IMAGE_WANTED_NAME "retpolines"
#else
#define IMAGE_WANTED 0u
#define IMAGE_WANTED_NAME "nothing"
#endif

#define REFUSE(image, why) run_end(RESULT_FAILED, "image '%s': " why, (image)->plan->name)

/* A checked pointer into the file. */
static const void *file_at(const struct image *image, uint64_t offset, uint64_t bytes) {
    if (offset > image->plan->bytes || bytes > image->plan->bytes - offset)
        REFUSE(image, "a header points outside the file");
    return image->file + offset;
}

static void image_read_note(struct image *image, const struct elf_program *program) {
    const struct elf_note *note = file_at(image, program->offset, program->file_bytes);
    uint64_t name = round_up(note->name_bytes, 4);
    if (program->file_bytes < sizeof *note + name + sizeof image->note ||
        note->description_bytes < sizeof image->note || note->type != ABI_NOTE_TYPE)
        REFUSE(image, "its note is not the one of sip/abi.h");
    memcpy(&image->note, (const uint8_t *)(note + 1) + name, sizeof image->note);
    if (image->note.abi_version != ABI_VERSION)
        run_end(RESULT_FAILED, "image '%s' was built for ABI version %u, this kernel has %u",
                image->plan->name, image->note.abi_version, ABI_VERSION);
    if (image->note.features & ABI_IMAGE_FLOAT &&
        !(mechanisms_used & (MECHANISM(FPU_EAGER) | MECHANISM(FPU_LAZY))))
        REFUSE(image, "it uses floating point, which the layout keeps for nobody");
    if ((image->note.features & IMAGE_WANTED) != IMAGE_WANTED)
        REFUSE(image, "it was not built as this kernel was, with " IMAGE_WANTED_NAME);
}

/* File offset of what the image has at va; va must be in the initialised part of a segment. */
static uint64_t image_offset(const struct image *image, uint64_t va, uint64_t bytes) {
    for (uint32_t i = 0; i < image->segments; i++) {
        const struct image_segment *segment = &image->segment[i];
        uint64_t offset = va - segment->va;
        if (offset <= segment->file_bytes && bytes <= segment->file_bytes - offset)
            return segment->file_offset + offset;
    }
    REFUSE(image, "a table lies outside its segments");
}

static void image_read(struct image *image, const struct plan_image *plan, const void *file) {
    image->plan = plan;
    image->file = file;
    const struct elf_header *elf = file_at(image, 0, sizeof *elf);
    if (*(const uint32_t *)elf->ident != ELF_MAGIC || elf->type != ELF_DYN ||
        elf->machine != ELF_X86_64 || elf->program_bytes != sizeof(struct elf_program))
        REFUSE(image, "not a position-independent ELF for x86-64");
    const struct elf_program *program =
        file_at(image, elf->program_offset, (uint64_t)elf->programs * sizeof *program);
    const struct elf_program *dynamic = NULL;
    bool noted = false;
    for (uint32_t i = 0; i < elf->programs; i++) {
        file_at(image, program[i].offset, program[i].file_bytes);
        if (program[i].type == ELF_NOTE) {
            image_read_note(image, &program[i]);
            noted = true;
        }
        if (program[i].type == ELF_DYNAMIC)
            dynamic = &program[i];
        if (program[i].type != ELF_LOAD || !program[i].bytes)
            continue;
        bool write = program[i].flags & ELF_WRITE, execute = program[i].flags & ELF_EXECUTE;
        if (image->segments == IMAGE_SEGMENTS || program[i].file_bytes > program[i].bytes ||
            program[i].bytes > IMAGE_MAX_BYTES || program[i].va > IMAGE_MAX_BYTES ||
            program[i].va % CHUNK_BYTES || program[i].va < image->bytes || (write && execute))
            REFUSE(image, "a segment is not as sip/toolchain/sip.ld makes them");
        image->segment[image->segments++] = (struct image_segment){
            .va = program[i].va,
            .bytes = program[i].bytes,
            .file_offset = program[i].offset,
            .file_bytes = program[i].file_bytes,
            .access = (write ? SPACE_WRITE : 0u) | (execute ? SPACE_EXECUTE : 0u),
        };
        image->bytes = program[i].va + round_up(program[i].bytes, PAGE_BYTES);
        if (write) {
            image->data = program[i].va;
            image->data_end = image->bytes;
        }
    }
    if (!noted || !image->data_end)
        REFUSE(image, "it lacks the note of sip/abi.h or a writable segment");
    if (image->note.entry >= image->bytes || image->note.slots % PAGE_BYTES ||
        image->note.slots < image->data ||
        image->note.slots + sizeof(struct abi_slot) * ABI_SLOTS > image->data_end ||
        image->note.stack_bytes < 2 * PAGE_BYTES || image->note.stack_bytes > CHUNK_BYTES)
        REFUSE(image, "its note names an address or a stack size out of range");
    uint64_t rela = 0, rela_bytes = 0;
    for (uint64_t at = 0; dynamic && at + sizeof(struct elf_dynamic) <= dynamic->file_bytes;
         at += sizeof(struct elf_dynamic)) {
        const struct elf_dynamic *entry =
            file_at(image, dynamic->offset + at, sizeof(struct elf_dynamic));
        if (entry->tag == ELF_DT_RELA)
            rela = entry->value;
        if (entry->tag == ELF_DT_RELASZ)
            rela_bytes = entry->value;
    }
    if (!rela_bytes)
        return;
    image->relocations = (uint32_t)(rela_bytes / sizeof(struct elf_rela));
    const struct elf_rela *list = file_at(image, image_offset(image, rela, rela_bytes), rela_bytes);
    image->relocation = list;
    for (uint32_t i = 0; i < image->relocations; i++)
        if (list[i].info != ELF_RELATIVE || list[i].offset < image->data ||
            list[i].offset + 8 > image->data_end || list[i].offset % 8)
            REFUSE(image, "a relocation is not R_X86_64_RELATIVE on an aligned word of its data");
}

void image_read_all(const struct plan_header *plan) {
    const struct plan_image *list = plan_at(plan, plan->images);
    for (uint32_t i = 0; i < plan->images.count; i++)
        image_read(&image_table[i], &list[i], (const uint8_t *)plan + list[i].offset);
}

void image_symbol(const struct image *image, uint64_t va, char *name, uint64_t room) {
    name[0] = 0;
    const struct elf_header *elf = (const void *)image->file;
    uint64_t bytes = image->plan->bytes;
    uint64_t table = (uint64_t)elf->sections * sizeof(struct elf_section);
    if (elf->section_bytes != sizeof(struct elf_section) || elf->section_offset > bytes ||
        table > bytes - elf->section_offset)
        return;
    const struct elf_section *section = (const void *)(image->file + elf->section_offset);
    for (uint32_t i = 0; i < elf->sections; i++) {
        if (section[i].type != ELF_SYMTAB || section[i].link >= elf->sections)
            continue;
        const struct elf_section *names = &section[section[i].link];
        if (section[i].offset > bytes || section[i].bytes > bytes - section[i].offset ||
            names->offset > bytes || names->bytes > bytes - names->offset)
            return;
        const struct elf_symbol *symbol = (const void *)(image->file + section[i].offset);
        for (uint64_t k = 0; k < section[i].bytes / sizeof *symbol; k++) {
            if ((symbol[k].info & 15) != ELF_FUNCTION || va - symbol[k].value >= symbol[k].bytes)
                continue;
            const char *text = (const char *)image->file + names->offset;
            uint64_t at = symbol[k].name, to = 0;
            while (at < names->bytes && text[at] && text[at] != '.' && to + 1 < room)
                name[to++] = text[at++];
            name[to] = 0;
            return;
        }
    }
}
