/* A bootable image of the guest kernel with one plan, for machines without any host: GRUB does the rest. */
#ifndef BULKHEAD_ISO_H
#define BULKHEAD_ISO_H

#include "backend.h"

struct iso {
    const char *kernel_path; /* ELF with a multiboot2 header */
    const void *module;      /* struct plan_header, then text for metal_log.h's reader */
    size_t module_bytes;
    uint64_t memory_bytes;      /* that the kernel may use, whatever the machine has */
    const volatile int *cancel; /* becomes non-zero on Ctrl-C: -EINTR */
};

/*
 * Writes the image to `path`, or nothing: a file of that name is only replaced by a whole one. Returns 0
 * or a negative errno: -ENOPKG when a tool is missing, with its Debian package in *error.
 */
int iso_make(const struct iso *iso, const char *path, struct error *error);

#endif
