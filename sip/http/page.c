/*
 * Templates and their rendering. {title}, {user}, {count} and {total} are put in, quoted for HTML;
 * {items} stands for the row, once for each item, in which {name}, {count} and {cents} are the item's.
 */
#include "page.h"
#include <string.h>

struct page_template {
    const char *text, *row;
};

const char *const page_names[] = {"order", "search", "account", NULL};

static const struct page_template templates[] = {
    {"<!doctype html>\n<html><head><title>{title}</title>\n<link rel=\"stylesheet\" "
     "href=\"/static/dir0/class1_1.css\"></head>\n<body><h1>{title}</h1>\n<p>Dear {user}, this is "
     "what you have ordered.</p>\n<table>\n<tr><th>item</th><th>number</th><th>price</th></tr>\n"
     "{items}<tr><td>all</td><td></td><td>{total}</td></tr>\n</table>\n"
     "<p><a href=\"/account\">Change the order</a> or <a href=\"/orders\">see all</a>.</p>\n"
     "</body></html>\n",
     "<tr><td>{name}</td><td>{count}</td><td>{cents}</td></tr>\n"},
    {"<!doctype html>\n<html><head><title>Search: {title}</title></head>\n<body>\n<form "
     "action=\"/search\"><input name=\"q\" value=\"{title}\"></form>\n<p>{count} results for "
     "{user}</p>\n<ol>\n{items}</ol>\n</body></html>\n",
     "<li><a href=\"/items/{count}\">{name}</a> <b>{cents}</b> <a href=\"/cart?add={count}\">add "
     "to "
     "cart</a></li>\n"},
    {"<!doctype html>\n<html><head><title>{user}</title></head>\n<body><h1>{user}</h1>\n"
     "<h2>{title}</h2>\n<ul>\n{items}</ul>\n<p>In all {total}.</p>\n</body></html>\n",
     "<li>{name}: {count} at {cents}</li>\n"},
};

struct writing {
    char *to;
    uint32_t at;
};

static void put(struct writing *writing, const char *text, uint32_t bytes) {
    if (bytes > STAGE_BODY_MOST - writing->at)
        sip_fail("a page is longer than any can be");
    memcpy(writing->to + writing->at, text, bytes);
    writing->at += bytes;
}

static void put_quoted(struct writing *writing, const char *text) {
    for (;;) {
        const char *from = text;
        while (*text && *text != '<' && *text != '>' && *text != '&' && *text != '"')
            text++;
        put(writing, from, (uint32_t)(text - from));
        if (!*text)
            return;
        const char *quoted = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                                            : "&quot;";
        put(writing, quoted, (uint32_t)strlen(quoted));
        text++;
    }
}

/* With `decimals` of the digits behind a point. */
static void put_number(struct writing *writing, uint32_t number, uint32_t decimals) {
    char digits[12];
    uint32_t at = sizeof digits;
    for (uint32_t written = 0; number || written <= decimals; written++) {
        if (decimals && written == decimals)
            digits[--at] = '.';
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    }
    put(writing, digits + at, (uint32_t)sizeof digits - at);
}

static void put_template(struct writing *writing, const char *text, const char *row,
                         const struct page *page, const struct page_item *item);

static uint32_t total(const struct page *page) {
    uint32_t cents = 0;
    for (uint32_t i = 0; i < page->items; i++)
        cents += page->item[i].count * page->item[i].cents;
    return cents;
}

static bool is_named(const char *name, uint32_t bytes, const char *wanted) {
    return strlen(wanted) == bytes && memcmp(name, wanted, bytes) == 0;
}

/* `item`: that a row is about, or NULL. */
static void put_value(struct writing *writing, const char *name, uint32_t bytes, const char *row,
                      const struct page *page, const struct page_item *item) {
    if (is_named(name, bytes, "title"))
        put_quoted(writing, page->title);
    else if (is_named(name, bytes, "user"))
        put_quoted(writing, page->user);
    else if (is_named(name, bytes, "count"))
        put_number(writing, item ? item->count : page->items, 0);
    else if (is_named(name, bytes, "total"))
        put_number(writing, total(page), 2);
    else if (item && is_named(name, bytes, "name"))
        put_quoted(writing, item->name);
    else if (item && is_named(name, bytes, "cents"))
        put_number(writing, item->cents, 2);
    else if (!item && is_named(name, bytes, "items"))
        for (uint32_t i = 0; i < page->items; i++)
            put_template(writing, row, NULL, page, &page->item[i]);
    else
        sip_fail("a template names what there is not");
}

static void put_template(struct writing *writing, const char *text, const char *row,
                         const struct page *page, const struct page_item *item) {
    const char *open, *close;
    for (; (open = strchr(text, '{')) && (close = strchr(open, '}')); text = close + 1) {
        put(writing, text, (uint32_t)(open - text));
        put_value(writing, open + 1, (uint32_t)(close - open) - 1, row, page, item);
    }
    put(writing, text, (uint32_t)strlen(text));
}

uint32_t page_render(uint32_t which, const struct page *page, char to[STAGE_BODY_MOST]) {
    struct writing writing = {to, 0};
    put_template(&writing, templates[which].text, templates[which].row, page, NULL);
    return writing.at;
}
