/* Loading the guest kernel: an ELF64 file whose PVH note names its 32-bit entry. */
#ifndef BULKHEAD_IMAGE_H
#define BULKHEAD_IMAGE_H

#include "backend.h"

/*
 * Copies the PT_LOAD segments of the file at `path` to their physical addresses and stores the
 * entry of its PVH note (XEN_ELFNOTE_PHYS32_ENTRY, Xen's public/elfnote.h). Segments must lie
 * between IMAGE_LOWEST_PA and the result region. Returns 0, or a negative errno with the mend in
 * *error.
 */
int image_load(const struct guest_memory *memory, const char *path, uint32_t *entry,
               struct error *error);

/* The same from `bytes` bytes at `data`; `name` is for messages. */
int image_load_bytes(const struct guest_memory *memory, const void *data, uint64_t bytes,
                     const char *name, uint32_t *entry, struct error *error);

#define IMAGE_LOWEST_PA 0x100000ull /* 1 MiB: below are the start info and what firmware uses */

#endif
