/* The work of the workload `libs` and its answer, which the tests compare with the host's C library. */
#ifndef BULKHEAD_LIBS_H
#define BULKHEAD_LIBS_H

#include <stdint.h>

#define LIBS_ANSWER 0x42b9fcab139ac4full

/* Always the same; frees all that it allocates. */
uint64_t libs_work(void);

#endif
