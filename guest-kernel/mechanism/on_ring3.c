/* on-switch-to: ring-3. compose.c puts the on-switch actions behind a look at the last ring-3 domain. */
#include "guest-kernel/compose.h"

const struct mechanism mechanism_ON_RING3 = {0};
