/*
 * What must be forgotten: flushes after a mapping has gone. An untagged space that is not current needs
 * none, for the load of CR3 that leads back to it flushes; a tagged one does. Each flush is counted.
 */
#ifndef BULKHEAD_TLB_H
#define BULKHEAD_TLB_H

#include "events.h"
#include "space.h"
#include "x86.h"

/* Whether the processor runs on the space (on its kernel's root). */
static inline bool tlb_is_current(const struct space *space) {
    return (x86_read_cr3() & PTE_ADDRESS) == space->root;
}
void tlb_forget_tagged(const struct space *space, bool current, uint64_t va);
/* The page at va was unmapped from the space; `current` as above, which a loop asks for once. */
static inline void tlb_forget_page(const struct space *space, bool current, uint64_t va) {
    if (space->tagged) {
        tlb_forget_tagged(space, current, va);
    } else if (current) {
        x86_invlpg(va);
        events[EVENT_TLB_FLUSHES]++;
    }
}
/* Many were. */
void tlb_forget_space(const struct space *space);
/* A tag gets another space. */
void tlb_forget_tag(uint32_t pcid);

#endif
