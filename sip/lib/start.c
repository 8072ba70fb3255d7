/* Entry of an unchecked SIP, and the table that the kernel keeps in its image. */
#include "sip.h"

const abi_function *sip_calls;
struct abi_slot sip_slots[ABI_SLOTS] __attribute__((aligned(4096)));

void sip_entry(const abi_function *calls) __attribute__((noreturn, used));

void sip_entry(const abi_function *calls) {
    sip_calls = calls;
    sip_call_exit(sip_main());
    __builtin_trap();
}
