/* A SIP that uses a little of everything that could carry a path or an order into its image. */
#include "sip.h"

static const char *const names[] = {"first", "second"};
static int (*volatile calls[])(void) = {sip_main, 0};

int sip_main(void) {
    sip_handle block = sip_block(64);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        sip_print(names[i]);
    sip_msg_st32(block, 0, calls[1] != 0);
    return (int)sip_msg_ld32(block, 0);
}
