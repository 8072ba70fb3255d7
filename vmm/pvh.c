/* The start info that our own VMM gives a guest; QEMU writes its own. */
#include "pvh.h"
#include "guest-kernel/result.h"
#include <errno.h>
#include <string.h>

#define LOW_MEMORY_END 0xa0000u /* above: video memory and firmware on a PC */
#define HIGH_MEMORY 0x100000u
#define PAGE_BYTES 4096u

_Static_assert(sizeof(struct pvh_start_info) == 56, "as the specification has it");
_Static_assert(sizeof(struct pvh_module) == 32, "as the specification has it");
_Static_assert(sizeof(struct pvh_memory) == 24, "as the specification has it");

struct start_page { /* at PVH_START_INFO_PA */
    struct pvh_start_info info;
    struct pvh_module module[1];
    struct pvh_memory memory[2];
    char cmdline[8];
};

int pvh_start_info_write(const struct guest_memory *memory, const void *plan, uint32_t bytes,
                         struct error *error) {
    uint64_t room = ((uint64_t)bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    uint64_t least = RESULT_PA + RESULT_BYTES + room;
    struct start_page *page = guest_memory_at(memory, PVH_START_INFO_PA, sizeof(*page));
    if (!page || memory->bytes < least)
        return error_set(error, -ENOSPC,
                         "%llu MiB of guest memory are too few: this plan needs %llu MiB at least",
                         (unsigned long long)memory->bytes >> 20,
                         (unsigned long long)(least + (1u << 20) - 1) >> 20);
    uint64_t plan_pa = memory->bytes - room;
    memcpy(guest_memory_at(memory, plan_pa, bytes), plan, bytes);
    *page = (struct start_page){
        .info = {.magic = PVH_START_MAGIC,
                 .version = 1,
                 .nr_modules = 1,
                 .modlist_paddr = PVH_START_INFO_PA + offsetof(struct start_page, module),
                 .cmdline_paddr = PVH_START_INFO_PA + offsetof(struct start_page, cmdline),
                 .memmap_paddr = PVH_START_INFO_PA + offsetof(struct start_page, memory),
                 .memmap_entries = 2},
        .module = {{.paddr = plan_pa, .size = bytes}},
        .memory = {{.addr = 0, .size = LOW_MEMORY_END, .type = PVH_MEMORY_RAM},
                   {.addr = HIGH_MEMORY,
                    .size = memory->bytes - HIGH_MEMORY,
                    .type = PVH_MEMORY_RAM}},
    };
    return 0;
}
