/* What the boot protocols hand over, in the form of the PVH boot ABI (Xen's struct hvm_start_info). */
#ifndef BULKHEAD_START_H
#define BULKHEAD_START_H

#include <stdint.h>

#define START_MAGIC 0x336ec578u
#define MEMORY_RAM 1u

struct start_info { /* version 1 */
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp, memory_map;
    uint32_t memory_entries, reserved;
};
struct start_module {
    uint64_t pa, bytes, command_line, reserved;
};
struct memory_entry { /* the multiboot2 memory map has the same */
    uint64_t pa, bytes;
    uint32_t type, reserved;
};

#endif
