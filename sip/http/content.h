/*
 * The files that the service has and the client expects, and the drawing of random numbers: the same
 * for both. Sizes are those of the two smallest classes of SPECweb99, the upper of which is also the
 * smallest of WebFiles.
 */
#ifndef BULKHEAD_HTTP_CONTENT_H
#define BULKHEAD_HTTP_CONTENT_H

#include "stage.h"

#define CONTENT_FOLDERS 4u
#define CONTENT_CLASSES 2u
#define CONTENT_RANKS 9u
#define CONTENT_FILES (CONTENT_FOLDERS * CONTENT_CLASSES * CONTENT_RANKS)
#define CONTENT_FILE_MOST (9u << 10)
#define CONTENT_PATH_MOST 32u

struct content_draws { /* xorshift64*, Vigna 2016 */
    uint64_t state;
};
void content_draws_start(struct content_draws *draws, uint64_t seed);
uint32_t content_draw(struct content_draws *draws, uint32_t below);
uint32_t content_draw_by(struct content_draws *draws, const uint32_t *weights);

uint32_t content_file(uint32_t folder, uint32_t class, uint32_t rank); /* its number */
uint32_t content_file_bytes(uint32_t file);
enum stage_type content_file_type(uint32_t file);
/* Its path in the text of a URL, terminated. */
void content_file_path(uint32_t file, char path[CONTENT_PATH_MOST]);
/* Its bytes: text that compresses as text does, or an image that does not compress. */
void content_file_fill(uint32_t file, uint64_t seed, char *to);

/* A line of words, without anything that JSON or HTML would have to quote. Returns its bytes. */
uint32_t content_words(struct content_draws *draws, uint32_t words, char *to);

#endif
