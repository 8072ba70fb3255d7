/* The set of files of the HTTP pipeline, made from a seed. */
#include "content.h"
#include <stdio.h>
#include <string.h>

#define WORD_MOST 12u

static const char words[][WORD_MOST] = {
    "the",     "of",     "and",    "to",      "a",      "in",      "is",      "that",
    "for",     "it",     "page",   "process", "kernel", "message", "channel", "server",
    "client",  "memory", "domain", "cost",    "table",  "switch",  "check",   "system",
    "measure", "fault",  "store",  "request", "answer", "order",   "price",   "item",
};
#define WORDS (sizeof words / sizeof *words)

void content_draws_start(struct content_draws *draws, uint64_t seed) {
    draws->state = seed * 2 + 1;
}

static uint64_t next(struct content_draws *draws) {
    draws->state ^= draws->state >> 12;
    draws->state ^= draws->state << 25;
    draws->state ^= draws->state >> 27;
    return draws->state * 0x2545f4914f6cdd1dull;
}

uint32_t content_draw(struct content_draws *draws, uint32_t below) {
    return (uint32_t)((next(draws) >> 32) * below >> 32);
}

uint32_t content_draw_by(struct content_draws *draws, const uint32_t *weights) {
    uint32_t sum = 0, which = 0;
    while (weights[which])
        sum += weights[which++];
    uint32_t left = content_draw(draws, sum);
    for (which = 0; left >= weights[which]; which++)
        left -= weights[which];
    return which;
}

uint32_t content_file(uint32_t folder, uint32_t class, uint32_t rank) {
    return (folder * CONTENT_CLASSES + class) * CONTENT_RANKS + rank;
}

static uint32_t rank_of(uint32_t file) { return file % CONTENT_RANKS; }
static uint32_t class_of(uint32_t file) { return file / CONTENT_RANKS % CONTENT_CLASSES; }

uint32_t content_file_bytes(uint32_t file) {
    return (class_of(file) ? 1024 : 102) * (rank_of(file) + 1);
}

enum stage_type content_file_type(uint32_t file) {
    return (enum stage_type)(rank_of(file) % STAGE_TYPES);
}

void content_file_path(uint32_t file, char path[CONTENT_PATH_MOST]) {
    static const char *const endings[] = {"html", "css", "png"};
    snprintf(path, CONTENT_PATH_MOST, "/static/dir%u/class%u_%u.%s",
             file / CONTENT_RANKS / CONTENT_CLASSES, class_of(file), rank_of(file),
             endings[content_file_type(file)]);
}

uint32_t content_words(struct content_draws *draws, uint32_t count, char *to) {
    uint32_t bytes = 0;
    for (; count; count--) {
        const char *word = words[content_draw(draws, WORDS)];
        for (; *word; word++)
            to[bytes++] = *word;
        to[bytes++] = count > 1 ? ' ' : 0;
    }
    return bytes - 1;
}

/* Adds a text, as much of it as there is room for. */
static uint32_t add(char *to, uint32_t at, uint32_t bytes, const char *text) {
    while (*text && at < bytes)
        to[at++] = *text++;
    return at;
}

void content_file_fill(uint32_t file, uint64_t seed, char *to) {
    struct content_draws draws;
    uint32_t bytes = content_file_bytes(file), at = 0;
    enum stage_type type = content_file_type(file);
    char line[10 * WORD_MOST];
    content_draws_start(&draws, seed * CONTENT_FILES + file);
    if (type == STAGE_IMAGE) {
        while (at < bytes)
            to[at++] = (char)content_draw(&draws, 256);
        return;
    }
    if (type == STAGE_HTML)
        at = add(to, at, bytes, "<!doctype html>\n");
    while (at < bytes) {
        content_words(&draws, 3 + content_draw(&draws, 7), line);
        at = add(to, at, bytes, type == STAGE_HTML ? "<p>" : ".");
        at = add(to, at, bytes, line);
        at = add(to, at, bytes, type == STAGE_HTML ? "</p>\n" : " {color: red}\n");
    }
}
