/* Symbol tables: read once, sorted, made free of overlaps where they begin. See profile_symbols.h. */
#include "profile_symbols.h"
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const uint8_t *data;
    size_t bytes;
    Elf64_Ehdr header;
};

/* Besides the symbol itself what decides which of several at one address is taken. */
struct found {
    struct profile_symbol symbol;
    uint64_t limit; /* end of its section */
    int order;      /* functions first, then labels, then data */
};

static int inside(const struct source *source, uint64_t offset, uint64_t bytes) {
    return offset <= source->bytes && bytes <= source->bytes - offset;
}

static int section_read(const struct source *source, uint32_t index, Elf64_Shdr *section) {
    if (index >= source->header.e_shnum)
        return 0;
    memcpy(section, source->data + source->header.e_shoff + index * sizeof(*section),
           sizeof(*section));
    return section->sh_type == SHT_NOBITS || inside(source, section->sh_offset, section->sh_size);
}

/* Fills *found when the symbol is one that has a place in memory and a name. Returns 1 when it is. */
static int symbol_take(const struct source *source, const Elf64_Sym *symbol,
                       const Elf64_Shdr *strings, struct found *found) {
    static const int order[16] = {[STT_FUNC] = 1, [STT_NOTYPE] = 2, [STT_OBJECT] = 3};
    Elf64_Shdr section;
    int kind = order[ELF64_ST_TYPE(symbol->st_info)];
    if (!kind || symbol->st_shndx >= SHN_LORESERVE || symbol->st_shndx == SHN_UNDEF ||
        symbol->st_name >= strings->sh_size || !section_read(source, symbol->st_shndx, &section) ||
        !(section.sh_flags & SHF_ALLOC))
        return 0;
    const char *name = (const char *)source->data + strings->sh_offset + symbol->st_name;
    size_t length = strnlen(name, strings->sh_size - symbol->st_name);
    const char *dot = memchr(name, '.', length);
    length = dot ? (size_t)(dot - name) : length;
    if (!length)
        return 0;
    *found = (struct found){{symbol->st_value, symbol->st_value + symbol->st_size, NULL},
                            section.sh_addr + section.sh_size,
                            kind};
    found->symbol.name = strndup(name, length);
    return 1;
}

static int found_compare(const void *left, const void *right) {
    const struct found *a = left, *b = right;
    if (a->symbol.address != b->symbol.address)
        return a->symbol.address < b->symbol.address ? -1 : 1;
    if (a->order != b->order)
        return a->order - b->order;
    return (a->symbol.end < b->symbol.end) - (a->symbol.end > b->symbol.end);
}

/* Keeps one symbol for each address, gives labels their ends, and drops data. */
static void symbols_settle(struct found *found, size_t count, struct profile_symbols *symbols) {
    qsort(found, count, sizeof(*found), found_compare);
    for (size_t i = 0; i < count; i++) {
        struct profile_symbol *symbol = &found[i].symbol;
        int same = i && symbol->address == found[i - 1].symbol.address;
        size_t next = i + 1;
        while (next < count && found[next].symbol.address == symbol->address)
            next++;
        if (symbol->end == symbol->address) {
            symbol->end = found[i].limit;
            if (next < count && found[next].symbol.address < symbol->end)
                symbol->end = found[next].symbol.address;
        }
        if (same || found[i].order == 3)
            free(symbol->name);
        else
            symbols->item[symbols->count++] = *symbol;
    }
}

static int table_read(const struct source *source, const Elf64_Shdr *table,
                      struct profile_symbols *symbols) {
    Elf64_Shdr strings;
    if (!section_read(source, table->sh_link, &strings) || strings.sh_type != SHT_STRTAB)
        return -EINVAL;
    size_t most = table->sh_size / sizeof(Elf64_Sym), count = 0;
    struct found *found = calloc(most + 1, sizeof(*found));
    symbols->item = calloc(most + 1, sizeof(*symbols->item));
    int status = found && symbols->item ? 0 : -ENOMEM;
    for (size_t i = 0; !status && i < most; i++) {
        Elf64_Sym symbol;
        memcpy(&symbol, source->data + table->sh_offset + i * sizeof(symbol), sizeof(symbol));
        if (!symbol_take(source, &symbol, &strings, &found[count]))
            continue;
        if (!found[count++].symbol.name)
            status = -ENOMEM;
    }
    if (!status)
        symbols_settle(found, count, symbols);
    for (size_t i = 0; status && found && i < count; i++)
        free(found[i].symbol.name);
    free(found);
    return status;
}

int profile_symbols_read(const void *elf, size_t bytes, struct profile_symbols *symbols,
                         struct error *error) {
    struct source source = {.data = elf, .bytes = bytes};
    *symbols = (struct profile_symbols){0};
    if (bytes < sizeof(source.header) || memcmp(elf, ELFMAG, SELFMAG))
        return error_set(error, -EINVAL, "is not an ELF file");
    memcpy(&source.header, elf, sizeof(source.header));
    if (source.header.e_ident[EI_CLASS] != ELFCLASS64 ||
        (source.header.e_shnum && source.header.e_shentsize != sizeof(Elf64_Shdr)) ||
        !inside(&source, source.header.e_shoff,
                (uint64_t)source.header.e_shnum * sizeof(Elf64_Shdr)))
        return error_set(error, -EINVAL, "is not an ELF64 file, or is cut short");
    for (uint32_t i = 0; i < source.header.e_shnum; i++) {
        Elf64_Shdr table;
        if (!section_read(&source, i, &table))
            return error_set(error, -EINVAL, "is cut short");
        if (table.sh_type != SHT_SYMTAB)
            continue;
        int status = table_read(&source, &table, symbols);
        if (status)
            profile_symbols_free(symbols);
        return status == -ENOMEM ? error_set(error, status, "out of memory for symbols")
               : status          ? error_set(error, status, "has a symbol table without names")
                                 : 0;
    }
    return 0;
}

const char *profile_symbols_find(const struct profile_symbols *symbols, uint64_t address) {
    size_t low = 0, high = symbols->count;
    while (low < high) { /* the first one that begins behind it */
        size_t middle = (low + high) / 2;
        if (symbols->item[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < symbols->item[low - 1].end ? symbols->item[low - 1].name : NULL;
}

uint64_t profile_symbols_address(const struct profile_symbols *symbols, const char *name) {
    for (size_t i = 0; i < symbols->count; i++)
        if (!strcmp(symbols->item[i].name, name))
            return symbols->item[i].address;
    return 0;
}

void profile_symbols_free(struct profile_symbols *symbols) {
    for (size_t i = 0; i < symbols->count; i++)
        free(symbols->item[i].name);
    free(symbols->item);
    *symbols = (struct profile_symbols){0};
}
