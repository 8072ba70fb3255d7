/*
 * The service of files: holds them all in memory, with their digests as entity tags, and answers with
 * one, or says that the client's copy is good, or that there is none.
 */
#include "content.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define ETAG_BYTES 18u /* 16 digits in quotes */

static struct file {
    char path[CONTENT_PATH_MOST];
    char etag[ETAG_BYTES + 1];
    uint64_t digest;
    uint32_t path_bytes, bytes;
    char *body;
} files[CONTENT_FILES];

#define PLACES 256u /* a power of two, more than twice the files */
static struct file *table[PLACES];

static uint32_t place_of(const char *path, uint32_t bytes) {
    return (uint32_t)XXH3_64bits(path, bytes) % PLACES;
}

static void make_files(void) {
    uint64_t seed = (uint64_t)sip_param("seed", 1);
    for (uint32_t i = 0; i < CONTENT_FILES; i++) {
        struct file *file = &files[i];
        file->bytes = content_file_bytes(i);
        file->body = malloc(file->bytes);
        if (!file->body)
            sip_fail("no memory for the files");
        content_file_fill(i, seed, file->body);
        content_file_path(i, file->path);
        file->path_bytes = (uint32_t)strlen(file->path);
        file->digest = XXH64(file->body, file->bytes, 0);
        snprintf(file->etag, sizeof file->etag, "\"%016" PRIx64 "\"", file->digest);
        uint32_t at = place_of(file->path, file->path_bytes);
        while (table[at])
            at = (at + 1) % PLACES;
        table[at] = file;
    }
}

static struct file *find(const char *path, uint32_t bytes) {
    for (uint32_t at = place_of(path, bytes); table[at]; at = (at + 1) % PLACES)
        if (table[at]->path_bytes == bytes && memcmp(table[at]->path, path, bytes) == 0)
            return table[at];
    return NULL;
}

static const char *error_page(uint16_t status) {
    return status == 405 ? "<!doctype html>\n<h1>This is not done to it</h1>\n"
                         : "<!doctype html>\n<h1>There is no such page</h1>\n";
}

static void answer(sip_endpoint to, sip_handle message) {
    static char text[STAGE_TEXT_MOST + 1];
    struct stage_request request;
    stage_request_read(message, &request, text);
    struct stage_response response = {.gzip = request.gzip, .status = request.status};
    struct file *file = request.status ? NULL : find(text + request.path.at, request.path.bytes);
    if (!file) {
        response.status = request.status ? request.status : 404;
        const char *page = error_page(response.status);
        stage_respond(to, message, &response, page, (uint32_t)strlen(page));
        return;
    }
    response.etag = file->digest;
    response.type = content_file_type((uint32_t)(file - files));
    response.cacheable = 1;
    response.status = 200;
    if (request.etag.bytes == ETAG_BYTES &&
        memcmp(text + request.etag.at, file->etag, ETAG_BYTES) == 0)
        response.status = 304;
    stage_respond(to, message, &response, file->body, response.status == 304 ? 0 : file->bytes);
}

int sip_main(void) {
    sip_endpoint router = sip_channel("for-files"), compressor = sip_channel("files");
    sip_handle message;
    make_files();
    while ((message = stage_next(router, STAGE_REQUEST)))
        answer(compressor, message);
    return 0;
}
