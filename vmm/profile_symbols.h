/* The functions of an ELF file by address. Of its other symbols only labels of assembly count. */
#ifndef BULKHEAD_PROFILE_SYMBOLS_H
#define BULKHEAD_PROFILE_SYMBOLS_H

#include "backend.h"

struct profile_symbol {
    uint64_t address, end;
    char *name;
};
struct profile_symbols {
    struct profile_symbol *item; /* ascending */
    size_t count;
};

/*
 * Reads the symbol table of a little-endian ELF64 file in memory; one without symbols has none. Names
 * end before the suffix that a compiler gives to a part or a copy of a function. A label without a
 * size reaches to the next symbol, or to the end of its section. Returns 0, -EINVAL or -ENOMEM.
 */
int profile_symbols_read(const void *elf, size_t bytes, struct profile_symbols *symbols,
                         struct error *error);
/* The name of the function that holds the address, or NULL. */
const char *profile_symbols_find(const struct profile_symbols *symbols, uint64_t address);
/* The address of the symbol, or 0. */
uint64_t profile_symbols_address(const struct profile_symbols *symbols, const char *name);
void profile_symbols_free(struct profile_symbols *symbols);

#endif
