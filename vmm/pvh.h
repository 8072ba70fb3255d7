/*
 * What a PVH guest finds at its entry: hvm_start_info version 1 (Xen's
 * public/arch-x86/hvm/start_info.h).
 */
#ifndef BULKHEAD_PVH_H
#define BULKHEAD_PVH_H

#include "backend.h"

#define PVH_START_INFO_PA 0x1000u /* the start info, its lists and the command line: one page */
#define PVH_START_MAGIC 0x336ec578u

struct pvh_start_info {
    uint32_t magic, version, flags;
    uint32_t nr_modules;
    uint64_t modlist_paddr;
    uint64_t cmdline_paddr;
    uint64_t rsdp_paddr;
    uint64_t memmap_paddr;
    uint32_t memmap_entries, reserved;
};
struct pvh_module {
    uint64_t paddr, size, cmdline_paddr, reserved;
};
struct pvh_memory { /* hvm_memmap_table_entry */
    uint64_t addr, size;
    uint32_t type, reserved;
};
#define PVH_MEMORY_RAM 1u

/*
 * Writes the start info, a memory map, an empty command line, and one module that holds `bytes`
 * bytes of `plan`, copied page-aligned to the end of memory. Returns 0, or -ENOSPC when the plan
 * and the result region do not both fit.
 */
int pvh_start_info_write(const struct guest_memory *memory, const void *plan, uint32_t bytes,
                         struct error *error);

#endif
