/*
 * smap: ring 0 cannot reach user pages but between STAC and CLAC. A system call clears AC by SFMASK; a
 * trap does not, and a SIP may have set it.
 */
#include "guest-kernel/compose.h"
#include "guest-kernel/x86.h"

FRAGMENT(smap_allow, "stac");
FRAGMENT(smap_forbid, "clac");

static void enable(void) { x86_set_cr4(CR4_SMAP); }

static void compose(enum compose_point point, const struct compose_pair *pair) {
    (void)pair;
    if (point == POINT_COPY_IN)
        compose_unless_simulated(MECHANISM_SMAP, smap_allow);
    if (point == POINT_COPY_OUT || point == POINT_TRAP_IN)
        compose_unless_simulated(MECHANISM_SMAP, smap_forbid);
}

const struct mechanism mechanism_SMAP = {.enable = enable, .compose = compose};
