/* umip: SGDT, SIDT, SLDT, STR and SMSW trap in ring 3. */
#include "guest-kernel/compose.h"
#include "guest-kernel/x86.h"

static void enable(void) { x86_set_cr4(CR4_UMIP); }

const struct mechanism mechanism_UMIP = {.enable = enable};
