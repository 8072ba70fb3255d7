/* The table of mechanisms in words: what a mask of them is called, and what a CPU lacks for it. */
#ifndef BULKHEAD_MECHANISM_H
#define BULKHEAD_MECHANISM_H

#include "guest-kernel/mechanisms.h"
#include <stddef.h>

#define MECHANISM_TEXT_BYTES 32

/* "l1d-flush": one word for the mechanism, which no other has. Returns `text`. */
const char *mechanism_name(enum mechanism_id id, char text[static MECHANISM_TEXT_BYTES]);
/* "tag: pcid": how a layout asks for it. Returns `text`. */
const char *mechanism_setting(enum mechanism_id id, char text[static MECHANISM_TEXT_BYTES]);
/* Those CPU_HAS(...) that the mechanism needs and `features` lacks. */
uint32_t mechanism_lacks(enum mechanism_id id, uint32_t features);
/* "PCID, PKU": the names of CPU_HAS(...) bits. Returns `text`. */
const char *mechanism_features_text(uint32_t features, char *text, size_t bytes);
/*
 * "pcid (needs PCID), pku (needs PKU)": MECHANISM(...) bits, each with what `features` lacks for it.
 * Returns `text`.
 */
const char *mechanism_set_text(uint64_t set, uint32_t features, char *text, size_t bytes);

#endif
