/* The SIP that create-sip makes: it ends at once. */
#include "sip.h"

int sip_main(void) { return 0; }
