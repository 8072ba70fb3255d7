/* Every call of the ABI as a C function; entry.S makes tables of them. What each does: sip/abi_calls.h */
#ifndef BULKHEAD_CALLS_H
#define BULKHEAD_CALLS_H

#include "sip/abi.h"

#define X(name, arguments) int64_t abi_##name(uint64_t, uint64_t, uint64_t, uint64_t);
ABI_CALLS(X)
#undef X
#define UNUSED __attribute__((unused)) /* an argument that a call does not have */

#endif
