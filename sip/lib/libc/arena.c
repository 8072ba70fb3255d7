/* The memory that malloc.c hands out: compiled for each SIP, with the HEAP of its bulkhead_sip(). */
#include "arena.h"

uint8_t libc_arena[SIP_HEAP_BYTES] __attribute__((aligned(16)));
const size_t libc_arena_bytes = sizeof(libc_arena);
