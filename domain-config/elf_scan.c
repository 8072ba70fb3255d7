/*
 * Looking for instructions in a SIP image that no SIP may hold. See elf_image.h. Bytes are compared,
 * not instructions: one can be jumped into at any of its bytes.
 */
#include "elf_image.h"

#include <elf.h>
#include <string.h>

#define PAGE_BYTES 4096ull

/* ---- symbols ---- */

static int inside(uint64_t offset, uint64_t length, uint64_t bytes) {
    return offset <= bytes && length <= bytes - offset;
}

/* Copies the name of the function that holds `address` from one symbol table, if it is there. */
static void name_from(const uint8_t *data, const Elf64_Shdr *table, const Elf64_Shdr *strings,
                      uint64_t address, char name[64]) {
    for (uint64_t at = 0; table->sh_size - at >= sizeof(Elf64_Sym); at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;

        memcpy(&symbol, data + table->sh_offset + at, sizeof(symbol));
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || address < symbol.st_value ||
            address - symbol.st_value >= symbol.st_size || symbol.st_name >= strings->sh_size)
            continue;
        for (uint64_t i = 0; i < 63 && symbol.st_name + i < strings->sh_size; i++)
            name[i] = (char)data[strings->sh_offset + symbol.st_name + i];
        return;
    }
}

static void find_function(const uint8_t *data, uint64_t bytes, uint64_t address, char name[64]) {
    Elf64_Ehdr header;
    Elf64_Shdr table, strings;

    memcpy(&header, data, sizeof(header));
    if (header.e_shentsize != sizeof(table) ||
        !inside(header.e_shoff, (uint64_t)header.e_shnum * sizeof(table), bytes))
        return;
    for (uint32_t i = 0; i < header.e_shnum && !name[0]; i++) {
        memcpy(&table, data + header.e_shoff + i * sizeof(table), sizeof(table));
        if (table.sh_type != SHT_SYMTAB || table.sh_link >= header.e_shnum ||
            !inside(table.sh_offset, table.sh_size, bytes))
            continue;
        memcpy(&strings, data + header.e_shoff + table.sh_link * sizeof(table), sizeof(strings));
        if (inside(strings.sh_offset, strings.sh_size, bytes))
            name_from(data, &table, &strings, address, name);
    }
}

/* ---- code ---- */

/* The instruction that three bytes are, or NULL. Prefixes may stand before it. */
static const char *instruction(const uint8_t byte[3]) {
    uint8_t reg = byte[2] >> 3 & 7, mod = byte[2] >> 6;

    if (byte[0] != 0x0f)
        return NULL;
    if (byte[1] == 0x01 && byte[2] == 0xef)
        return "WRPKRU";
    if (byte[1] == 0xae && reg == 5 && mod != 3) /* with mod 3 it is LFENCE */
        return "XRSTOR";
    if (byte[1] == 0xc7 && reg == 3 && mod != 3)
        return "XRSTORS";
    return NULL;
}

struct scan {
    uint8_t last[3]; /* the bytes before `next`, of pages that lie behind one another */
    uint32_t held;
    uint64_t next; /* address */
};

static const char *scan_byte(struct scan *scan, uint8_t byte) {
    scan->last[0] = scan->last[1];
    scan->last[1] = scan->last[2];
    scan->last[2] = byte;
    scan->next++;
    return ++scan->held >= 3 ? instruction(scan->last) : NULL;
}

int elf_image_find_pkru(const void *data, size_t bytes, struct elf_finding *finding) {
    struct scan scan = {0};
    Elf64_Ehdr header;

    memcpy(&header, data, sizeof(header));
    for (uint32_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr program;
        uint64_t before, end;

        memcpy(&program, (const uint8_t *)data + header.e_phoff + i * sizeof(program),
               sizeof(program));
        if (program.p_type != PT_LOAD || !(program.p_flags & PF_X) || program.p_memsz == 0)
            continue;
        before = program.p_vaddr % PAGE_BYTES; /* as much of the page, in the file too */
        end = (program.p_offset + program.p_filesz + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        if (scan.next != program.p_vaddr - before)
            scan = (struct scan){.next = program.p_vaddr - before};
        for (uint64_t at = program.p_offset - before; at < end; at++) {
            finding->what = scan_byte(&scan, at < bytes ? ((const uint8_t *)data)[at] : 0);
            if (!finding->what)
                continue;
            finding->address = scan.next - 3;
            memset(finding->function, 0, sizeof(finding->function));
            find_function(data, bytes, finding->address, finding->function);
            return 1;
        }
    }
    return 0;
}
