/*
 * The requests of the client: a deck of them, drawn once, and what the answer to each must be.
 */
#ifndef BULKHEAD_HTTP_DECK_H
#define BULKHEAD_HTTP_DECK_H

#include "content.h"

#define DECK_REQUESTS 256u

enum deck_kind {      /* who has the last word about the request */
    DECK_FILE,        /* the files: 200 with the file */
    DECK_UNMODIFIED,  /* the files: 304 */
    DECK_MISSING,     /* the router or the files: 404 or 405 */
    DECK_PAGE,        /* the templates: 200 with a page */
    DECK_PAGE_BROKEN, /* the templates: 400, JSON that is none */
    DECK_BROKEN,      /* the parser: 400 */
    DECK_KINDS,
};

struct deck_request {
    enum deck_kind kind;
    uint32_t text_bytes;
    const char *text;
    uint16_t status; /* of the answer */
    bool gzip;       /* was asked for */
    bool has_body;   /* that `digest` and `bytes` are of */
    enum stage_type type;
    uint64_t digest; /* of the body when not compressed: XXH64 */
    uint32_t bytes;
    uint32_t answer_bytes; /* head and body as they came, when they were looked at */
    uint64_t answer_sum;
};

extern struct deck_request deck[DECK_REQUESTS];

/* Draws the deck: so many in 100 are for pages, and so many broken. */
void deck_make(uint64_t seed, uint32_t pages, uint32_t broken);

#endif
