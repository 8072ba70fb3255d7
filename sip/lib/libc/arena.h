/* What malloc.c hands out. If the linker misses this, give the SIP a HEAP in its bulkhead_sip(). */
#ifndef BULKHEAD_LIBC_ARENA_H
#define BULKHEAD_LIBC_ARENA_H

#include <stddef.h>
#include <stdint.h>

extern uint8_t libc_arena[];
extern const size_t libc_arena_bytes;

#endif
