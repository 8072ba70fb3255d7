/* SIP images; see struct image in sip.h. */
#ifndef BULKHEAD_IMAGE_H
#define BULKHEAD_IMAGE_H

#include "sip.h"

extern struct image image_table[PLAN_MAX_IMAGES];

/* Reads every image of a checked plan into image_table; ends the run if one is not usable. */
void image_read_all(const struct plan_header *plan);

/* The function that holds va (relative to the image), or an empty name. */
void image_symbol(const struct image *image, uint64_t va, char *name, uint64_t room);

#endif
