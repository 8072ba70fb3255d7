/* The second SIP of touch: walks as many pages of its own at each turn, or none. */
#include "touch.h"

static struct area area;

int sip_main(void) {
    int64_t walks = sip_param("other", 1);
    if (walks != 0 && walks != 1)
        sip_fail("param 'other' must be 0 or 1: whether the second SIP walks too");
    if (walks)
        area_of_pages(&area, 1);
    else
        area_of_nothing(&area);
    area_serve(&area, touch_turns());
    return 0;
}
