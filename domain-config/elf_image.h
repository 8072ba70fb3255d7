/*
 * SIP images as ELF files: whether one is what the guest's loader takes, and where its segments go.
 * Loading and relocating is the guest's work.
 */
#ifndef BULKHEAD_ELF_IMAGE_H
#define BULKHEAD_ELF_IMAGE_H

#include "sip/abi.h"

#include <stddef.h>
#include <stdint.h>

#define ELF_IMAGE_MAX_SEGMENTS 8u
#define ELF_IMAGE_MAX_BYTES (128ull << 20) /* of memory from the load address */
#define ELF_IMAGE_WHY_BYTES 256

struct elf_segment {
    uint64_t address, bytes; /* relative to the load address; bytes in memory */
    uint32_t flags;          /* PF_R, PF_W, PF_X of elf.h */
};
struct elf_image {
    struct elf_segment
        segment[ELF_IMAGE_MAX_SEGMENTS]; /* PT_LOAD, ascending, apart by 4 KiB page */
    uint32_t segments;
    struct abi_image_note note;
};

/*
 * Checks a SIP image: ELF64, x86-64, position-independent and static, sound PT_LOAD segments that are
 * never writable and executable, and the Bulkhead note of sip/abi.h whose addresses lie in them.
 * Returns 0, or -EINVAL and a sentence in `why`.
 */
int elf_image_read(const void *data, size_t bytes, struct elf_image *image,
                   char why[ELF_IMAGE_WHY_BYTES]);

/* Bytes of memory that the segments take when each is rounded out to pages of `page_bytes`. */
uint64_t elf_image_memory(const struct elf_image *image, uint64_t page_bytes);

/*
 * Looks for instructions that write the rights to protection keys, WRPKRU, XRSTOR and XRSTORS, at any
 * byte of what will be executable: whole pages, with what lies behind a segment in its last page.
 * `data` must have passed elf_image_read(). Returns 1 and the first finding, or 0.
 */
struct elf_finding {
    const char *what;  /* the instruction */
    uint64_t address;  /* relative to the load address */
    char function[64]; /* the symbol that holds it, empty if the image has none */
};
int elf_image_find_pkru(const void *data, size_t bytes, struct elf_finding *finding);

#endif
