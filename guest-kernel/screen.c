/* The text screen. What is on it is kept here: reading a graphics card's memory is slow. */
#include "screen.h"
#include "kernel.h"
#include "x86.h"

#define MOST_COLUMNS 132
#define MOST_ROWS 60
#define BLANK 0x0720 /* grey on black */
#define CARD_INDEX 0x3d4
#define CARD_CURSOR 0x0a /* bit 5 switches it off */

static uint16_t text[MOST_ROWS][MOST_COLUMNS];
static uint64_t screen_pa;
static uint32_t columns, rows, row_bytes, column, row;

static void row_draw(uint32_t at) {
    volatile uint16_t *to = phys_pointer(screen_pa + (uint64_t)at * row_bytes);
    for (uint32_t i = 0; i < columns; i++)
        to[i] = text[at][i];
}

static void row_clear(uint32_t at) {
    for (uint32_t i = 0; i < columns; i++)
        text[at][i] = BLANK;
}

void screen_start(uint64_t pa, uint32_t with_columns, uint32_t with_rows, uint32_t with_row_bytes) {
    if (with_columns > MOST_COLUMNS || with_rows > MOST_ROWS || with_columns < 2 || with_rows < 2)
        return;
    screen_pa = pa;
    columns = with_columns;
    rows = with_rows;
    row_bytes = with_row_bytes;
    for (uint32_t i = 0; i < rows; i++) {
        row_clear(i);
        row_draw(i);
    }
    x86_out8(CARD_INDEX, CARD_CURSOR);
    x86_out8(CARD_INDEX + 1, 0x20);
}

static void line_end(void) {
    row_draw(row);
    column = 0;
    if (++row < rows)
        return;
    row = rows - 1;
    memcpy(text, text[1], row * sizeof text[0]);
    row_clear(row);
    for (uint32_t i = 0; i < rows; i++)
        row_draw(i);
}

void screen_write(const char *from, uint64_t bytes) {
    for (uint64_t i = 0; columns && i < bytes; i++) {
        if (column == columns && from[i] != '\n')
            line_end();
        if (from[i] == '\n')
            line_end();
        else if (from[i] >= ' ' && from[i] <= '~')
            text[row][column++] = (uint16_t)(BLANK & 0xff00) | (uint8_t)from[i];
    }
    if (columns)
        row_draw(row);
}
