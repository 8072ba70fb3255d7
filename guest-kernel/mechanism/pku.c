/*
 * pku: the pages of a domain carry its key, and PKRU admits ring 3 to that key and to key 0, the stubs'.
 * The kernel does not load PKRU for itself: it reaches SIPs by its own map of memory. No image placed
 * here holds an instruction that loads PKRU (checked when the plan is built).
 */
#include "guest-kernel/compose.h"
#include "guest-kernel/offsets.h"
#include "guest-kernel/x86.h"

FRAGMENT(pku_load, "mov " OFFSET_TEXT(THREAD_PKRU) "(%rsi), %eax\n xor %ecx, %ecx\n"
                                                   "xor %edx, %edx\n wrpkru");

static void enable(void) { x86_set_cr4(CR4_PKE); }

static void compose(enum compose_point point, const struct compose_pair *pair) {
    if (point != POINT_ENTER || pair->same || !(pair->to_has & MECHANISM(PKU)) ||
        pair->to->ring != 3)
        return;
    compose_count(EVENT_KEY_SWITCHES);
    compose_unless_simulated(MECHANISM_PKU, pku_load);
}

const struct mechanism mechanism_PKU = {.enable = enable, .compose = compose};
