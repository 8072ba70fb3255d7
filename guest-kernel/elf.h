/* The parts of ELF64 that the loader reads. Source: System V ABI, chapter 4 and 5. */
#ifndef BULKHEAD_ELF_H
#define BULKHEAD_ELF_H

#include <stdint.h>

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_offset, section_offset;
    uint32_t flags;
    uint16_t header_bytes, program_bytes, programs, section_bytes, sections, names;
};
struct elf_program {
    uint32_t type, flags;
    uint64_t offset, va, pa, file_bytes, bytes, align;
};
struct elf_section {
    uint32_t name, type;
    uint64_t flags, va, offset, bytes;
    uint32_t link, info;
    uint64_t align, entry_bytes;
};
struct elf_symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, bytes;
};
struct elf_rela {
    uint64_t offset, info, addend;
};
struct elf_dynamic {
    uint64_t tag, value;
};
struct elf_note {
    uint32_t name_bytes, description_bytes, type;
};

#define ELF_MAGIC 0x464c457f
#define ELF_DYN 3
#define ELF_X86_64 62
#define ELF_LOAD 1
#define ELF_DYNAMIC 2
#define ELF_NOTE 4
#define ELF_EXECUTE 1
#define ELF_WRITE 2
#define ELF_SYMTAB 2
#define ELF_FUNCTION 2
#define ELF_DT_RELA 7
#define ELF_DT_RELASZ 8
#define ELF_RELATIVE 8 /* R_X86_64_RELATIVE */

#endif
