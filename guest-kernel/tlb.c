/*
 * The flush policy. Intel SDM 3A 4.10.4: what INVLPG, INVPCID and loads of CR3 invalidate. INVLPG works on
 * the current tag (and on global entries), so other tags are reached by INVPCID, or, where that is
 * lacking, by loading CR3 with the tag and without CR3_KEEP, and the current value again.
 */
#include "tlb.h"
#include "compose.h"

#define INVPCID_PAGE 0
#define INVPCID_TAG 1

static bool tags_in_use(void) { return mechanisms_used & ~mechanisms_simulated & MECHANISM(PCID); }

static void flush_tag(uint64_t root, uint32_t pcid) {
    if (!tags_in_use())
        return;
    if (cpu_has(CPU_HAS(INVPCID)))
        x86_invpcid(INVPCID_TAG, pcid, 0);
    else
        x86_write_cr3_twice(root | pcid, x86_read_cr3() | CR3_KEEP);
}

static void flush_page(uint64_t root, uint32_t pcid, uint64_t va) {
    if (tags_in_use() && cpu_has(CPU_HAS(INVPCID)))
        x86_invpcid(INVPCID_PAGE, pcid, va);
    else
        flush_tag(root, pcid);
}

void tlb_forget_tagged(const struct space *space, bool current, uint64_t va) {
    events[EVENT_TLB_FLUSHES]++;
    if (current)
        x86_invlpg(va);
    else
        flush_page(space->root, space->pcid, va);
    if (space->user_root) {
        events[EVENT_TLB_FLUSHES]++;
        flush_page(space->user_root, space->pcid + 1, va);
    }
}

void tlb_forget_space(const struct space *space) {
    bool current = tlb_is_current(space);
    if (!current && !space->tagged)
        return;
    events[EVENT_TLB_FLUSHES]++;
    if (current)
        x86_write_cr3(space->load & ~CR3_KEEP);
    else
        flush_tag(space->root, space->pcid);
    if (space->user_root && space->tagged) {
        events[EVENT_TLB_FLUSHES]++;
        flush_tag(space->user_root, space->pcid + 1);
    }
}

void tlb_forget_tag(uint32_t pcid) {
    events[EVENT_TLB_FLUSHES]++;
    flush_tag(space_kernel.root, pcid);
}
