/*
 * global: the kernel's half is the same in every space, so a load of CR3 need not flush it. It never
 * changes once the SIPs run.
 */
#include "guest-kernel/compose.h"
#include "guest-kernel/space.h"
#include "guest-kernel/x86.h"

static void enable(void) {
    space_mark_kernel_global();
    x86_set_cr4(CR4_PGE);
}

const struct mechanism mechanism_GLOBAL = {.enable = enable};
