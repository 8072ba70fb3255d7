/* What the two halves of an image, image.c and runtime.c, expect of each other. */
#ifndef BULKHEAD_RUNTIME_H
#define BULKHEAD_RUNTIME_H

#include "sip/abi.h"

#define SIP_STACK_SLACK_BYTES 16384u /* of native stack that checked code leaves to the kernel */

extern const abi_function *sip_calls;        /* the table that the SIP was started with */
extern struct abi_slot sip_slots[ABI_SLOTS]; /* written by the kernel */
extern uint64_t sip_stack_limit;             /* checked code traps below it */

/* Instantiates the module, which may trap, and runs its sip_main(). Returns the SIP's status. */
int32_t sip_image_run(void);

#endif
