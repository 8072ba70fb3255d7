/* SIP images: an ELF of the plan, checked and measured. */
#ifndef BULKHEAD_IMAGE_H
#define BULKHEAD_IMAGE_H

#include "domain-config/plan.h"
#include "sip/abi.h"
#include <stdint.h>

#define IMAGE_SEGMENTS 4

struct image {
    const struct plan_image *plan;
    const uint8_t *file;
    struct abi_image_note note;
    uint64_t bytes; /* of address space, from 0 */
    struct image_segment {
        uint64_t va, bytes;
        uint64_t file_offset, file_bytes;
        uint32_t access; /* enum space_access */
    } segment[IMAGE_SEGMENTS];
    uint32_t segments;
    uint64_t data, data_end; /* the writable stretch */
    const struct elf_rela *relocation;
    uint32_t relocations;
};

extern struct image image_table[PLAN_MAX_IMAGES];

/* Reads every image of a checked plan into image_table; ends the run if one is not usable. */
void image_read_all(const struct plan_header *plan);

/* The function that holds va (relative to the image), without a compiler's suffix, or an empty name. */
void image_symbol(const struct image *image, uint64_t va, char *name, uint64_t room);

#endif
