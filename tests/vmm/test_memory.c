/* Guest memory: the one accessor, and the start info that is written through it. */
#include <criterion/criterion.h>
#include "guest-kernel/result.h"
#include "vmm/backend.h"
#include "vmm/pvh.h"
#include <errno.h>
#include <string.h>
#include <stdio.h>

#define BYTES (32u << 20)

Test(memory, accessor_refuses_what_is_not_wholly_inside) {
    struct guest_memory memory;
    struct error error;
    cr_assert_eq(guest_memory_alloc(&memory, BYTES, &error), 0);
    cr_expect_eq(guest_memory_at(&memory, 0, BYTES), memory.base);
    cr_expect_eq(guest_memory_at(&memory, BYTES - 1, 1), memory.base + BYTES - 1);
    cr_expect_eq(guest_memory_at(&memory, BYTES, 0), memory.base + BYTES);
    cr_expect_null(guest_memory_at(&memory, BYTES, 1));
    cr_expect_null(guest_memory_at(&memory, BYTES - 1, 2));
    cr_expect_null(guest_memory_at(&memory, 1, UINT64_MAX));
    cr_expect_null(guest_memory_at(&memory, UINT64_MAX, 1));
    cr_expect_null(guest_memory_at(&memory, UINT64_MAX, UINT64_MAX));
    guest_memory_free(&memory);
    cr_expect_null(guest_memory_at(&memory, 0, 1), "freed memory is not reachable");
}

Test(memory, is_shared_with_who_opens_its_path) {
    struct guest_memory memory;
    struct error error;
    cr_assert_eq(guest_memory_alloc(&memory, BYTES, &error), 0);
    FILE *other = fopen(memory.path, "r+");
    cr_assert_not_null(other);
    fputs("written elsewhere", other);
    fclose(other);
    cr_expect_str_eq((char *)memory.base, "written elsewhere");
    guest_memory_free(&memory);
}

Test(pvh, start_info_describes_memory_and_plan) {
    struct guest_memory memory;
    struct error error;
    static const char plan[5000] = "the plan";
    cr_assert_eq(guest_memory_alloc(&memory, BYTES, &error), 0);
    cr_assert_eq(pvh_start_info_write(&memory, plan, sizeof(plan), &error), 0);
    const struct pvh_start_info *info = guest_memory_at(&memory, PVH_START_INFO_PA, sizeof(*info));
    cr_expect_eq(info->magic, 0x336ec578u);
    cr_expect_eq(info->version, 1);
    cr_assert_eq(info->nr_modules, 1);
    const struct pvh_module *module =
        guest_memory_at(&memory, info->modlist_paddr, sizeof(*module));
    cr_assert_eq(module->size, sizeof(plan));
    cr_expect_eq(module->paddr % 4096, 0);
    cr_expect_geq(module->paddr, RESULT_PA + RESULT_BYTES);
    const char *at = guest_memory_at(&memory, module->paddr, module->size);
    cr_assert_not_null(at);
    cr_expect_eq(memcmp(at, plan, sizeof(plan)), 0);
    const char *cmdline = guest_memory_at(&memory, info->cmdline_paddr, 1);
    cr_expect_eq(*cmdline, '\0');
    cr_assert_eq(info->memmap_entries, 2);
    const struct pvh_memory *map = guest_memory_at(&memory, info->memmap_paddr, 2 * sizeof(*map));
    cr_expect_eq(map[0].addr, 0);
    cr_expect_eq(map[0].size, 0xa0000);
    cr_expect_eq(map[1].addr, 0x100000);
    cr_expect_eq(map[1].addr + map[1].size, BYTES);
    cr_expect(map[0].type == PVH_MEMORY_RAM && map[1].type == PVH_MEMORY_RAM);
    guest_memory_free(&memory);
}

Test(pvh, refuses_memory_that_plan_and_results_do_not_fit_into) {
    struct guest_memory memory;
    struct error error = {""};
    uint64_t least = RESULT_PA + RESULT_BYTES + 4096;
    cr_assert_eq(guest_memory_alloc(&memory, least, &error), 0);
    cr_expect_eq(pvh_start_info_write(&memory, "plan", 5, &error), 0);
    cr_expect_eq(pvh_start_info_write(&memory, error.text, 4097, &error), -ENOSPC);
    cr_expect_not_null(strstr(error.text, "MiB"));
    guest_memory_free(&memory);
}
