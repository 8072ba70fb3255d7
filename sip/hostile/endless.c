/* A SIP that never gives way. */
#include "sip.h"

static volatile uint64_t turns;

int sip_main(void) {
    while (turns + 1)
        turns++;
    return 0;
}
