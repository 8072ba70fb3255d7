/*
 * A processor with a tagged TLB, in C, for kernel files that are compiled for the host: included before
 * all else, it puts the model's instructions in the place of the real ones.
 */
#ifndef BULKHEAD_TLB_MODEL_H
#define BULKHEAD_TLB_MODEL_H

#include "guest-kernel/memlayout.h"
#include "guest-kernel/x86.h"
#include <stdbool.h>
#include <stdint.h>

#undef PHYS_VA
#define PHYS_VA 0x600000000000ull /* where the test has the model's memory */

uint64_t model_read_cr3(void);
void model_write_cr3(uint64_t value);
void model_invlpg(uint64_t va);
void model_invpcid(uint64_t type, uint64_t pcid, uint64_t va);
static inline void model_write_cr3_twice(uint64_t first, uint64_t second) {
    model_write_cr3(first);
    model_write_cr3(second);
}
#define x86_read_cr3 model_read_cr3
#define x86_write_cr3 model_write_cr3
#define x86_write_cr3_twice model_write_cr3_twice
#define x86_invlpg model_invlpg
#define x86_invpcid model_invpcid

/* ---- for the test ---- */

void model_start(bool tags, bool invpcid); /* CR4.PCIDE, and whether INVPCID may be used */
/* Caches whatever the current tables map and is not cached: as much as a CPU may ever do. */
void model_fill(void);
/* An entry that can be used now and says other than the current tables; false: there is none. */
bool model_stale(uint64_t *va);
uint64_t model_entries(void); /* how many there are */

#endif
