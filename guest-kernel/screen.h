/* A screen of text, as a PC's firmware leaves it: two bytes a character. Nothing else is known of it. */
#ifndef BULKHEAD_SCREEN_H
#define BULKHEAD_SCREEN_H

#include <stdint.h>

/* Clears it. A screen of odd size is not used. */
void screen_start(uint64_t pa, uint32_t columns, uint32_t rows, uint32_t row_bytes);
/* Printable ASCII and newlines; nothing happens where there is no screen. */
void screen_write(const char *text, uint64_t bytes);

#endif
