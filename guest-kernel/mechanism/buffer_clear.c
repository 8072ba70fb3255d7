/* on-switch: buffer-clear. VERW of a writable data segment's selector in memory. */
#include "guest-kernel/compose.h"
#include "guest-kernel/offsets.h"

FRAGMENT(buffer_clear, "verw cpu + " OFFSET_TEXT(CPU_SELECTOR));

const struct mechanism mechanism_BUFFER_CLEAR = {.on_switch = &buffer_clear,
                                                 .event = EVENT_BUFFER_CLEARS};
