/*
 * The work of the workload `libs`: three C libraries as Debian packages them, unchanged. JSON is read
 * by jsmn, its strings are kept in a table of uthash and digested by xxHash, and what was found is
 * sorted and printed into one text. Only ISO C here: the same file, compiled for the host, is the
 * oracle.
 */
#include "libs.h"
#include <assert.h>
#include <inttypes.h>
#include <jsmn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#define HASH_FUNCTION HASH_JEN
#include <uthash.h>

#define TOKENS 512
#define RECORDS 40

struct word { /* a string of the document */
    char text[32];
    unsigned count;
    XXH64_hash_t digest;
    UT_hash_handle hh;
};

static struct word *words;

static char *write_document(size_t room) {
    static const char *const kinds[] = {"disk", "network", "timer", "console"};
    char *text = malloc(room);
    assert(text);
    size_t used = (size_t)snprintf(text, room, "{\"version\": %d, \"records\": [", 3);
    for (int i = 0; i < RECORDS; i++)
        used +=
            (size_t)snprintf(text + used, room - used, "%s{\"kind\": \"%s\", \"id\": \"%s-%02x\"}",
                             i ? ", " : "", kinds[i % 4], kinds[i * i % 4], i * 7 % 50);
    used += (size_t)snprintf(text + used, room - used, "]}");
    assert(used < room);
    return realloc(text, used + 1);
}

static void count_word(const char *text, size_t bytes) {
    struct word *word;
    HASH_FIND(hh, words, text, bytes, word);
    if (!word) {
        word = calloc(1, sizeof(*word));
        assert(word && bytes < sizeof(word->text));
        memcpy(word->text, text, bytes);
        word->digest = XXH64(text, bytes, 2024);
        HASH_ADD_KEYPTR(hh, words, word->text, bytes, word);
    }
    word->count++;
}

static int by_count(const void *a, const void *b) {
    const struct word *left = *(struct word *const *)a, *right = *(struct word *const *)b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return strcmp(left->text, right->text);
}

/* All words, the most frequent first, in one text; the table is empty then. */
static char *list_words(void) {
    unsigned count = HASH_COUNT(words), at = 0;
    size_t room = 64 * (size_t)count + 1, used = 0;
    struct word **sorted = malloc((count + 1) * sizeof(*sorted)), *word, *next;
    char *text = malloc(room);
    assert(sorted && text);
    HASH_ITER(hh, words, word, next) {
        sorted[at++] = word;
        HASH_DEL(words, word);
    }
    qsort(sorted, count, sizeof(*sorted), by_count);
    for (at = 0; at < count; at++) {
        used += (size_t)snprintf(text + used, room - used, "%-12.10s|%4u|%016" PRIx64 "\n",
                                 sorted[at]->text, sorted[at]->count, sorted[at]->digest);
        free(sorted[at]);
    }
    assert(used < room);
    free(sorted);
    return text;
}

uint64_t libs_work(void) {
    static jsmntok_t tokens[TOKENS];
    char *document = write_document(8192);
    assert(document);
    jsmn_parser parser;
    jsmn_init(&parser);
    int found = jsmn_parse(&parser, document, strlen(document), tokens, TOKENS);
    assert(found > RECORDS);
    for (int i = 0; i < found; i++)
        if (tokens[i].type == JSMN_STRING)
            count_word(document + tokens[i].start, (size_t)(tokens[i].end - tokens[i].start));
    char *list = list_words();
    XXH64_hash_t digest = XXH3_64bits(list, strlen(list)) ^ XXH32(document, strlen(document), 1) ^
                          (uint64_t)found << 48;
    free(list);
    free(document);
    return digest;
}
