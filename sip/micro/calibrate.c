/* calibrate: has the kernel measure each primitive alone, one after the other. */
#include "sip.h"

int sip_main(void) {
    int64_t error = ABI_OK;
    for (uint32_t primitive = 0; error == ABI_OK; primitive++)
        error = sip_call_calibrate(primitive);
    if (error == ABI_ENOMEM)
        sip_fail("there is not enough memory for a space to measure in, or for the samples");
    if (error != ABI_ENOENT)
        sip_fail("the kernel refused to measure a primitive");
    return 0;
}
