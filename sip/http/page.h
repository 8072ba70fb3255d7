/*
 * A page made from a template: the client knows what it asked for, the service what it read from JSON,
 * and both must get the same HTML.
 */
#ifndef BULKHEAD_HTTP_PAGE_H
#define BULKHEAD_HTTP_PAGE_H

#include "stage.h"

#define PAGE_TEXT_MOST 64u
#define PAGE_ITEMS_MOST 16u

struct page {
    char title[PAGE_TEXT_MOST], user[PAGE_TEXT_MOST];
    uint32_t items;
    struct page_item {
        char name[PAGE_TEXT_MOST];
        uint32_t count, cents;
    } item[PAGE_ITEMS_MOST];
};

extern const char *const page_names[]; /* of the templates; the last is NULL */

/* Writes the page by the template of that number; returns its bytes, at most STAGE_BODY_MOST. */
uint32_t page_render(uint32_t which, const struct page *page, char to[STAGE_BODY_MOST]);

#endif
