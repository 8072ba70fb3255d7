/* Has the driver measure, and waits meanwhile, so that nothing else can run. */
#include "sip/lib/sip.h"

int sip_main(void) {
    sip_endpoint driver = sip_channel("go");
    sip_handle go = sip_block_for(driver, 0);
    if (!go || sip_send(driver, go, 0, 0))
        sip_fail("the driver could not be told to begin");
    return sip_recv(driver).error != ABI_OK;
}
