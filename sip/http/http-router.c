/*
 * The second stage: decodes the path, finds the service by its first part, and passes the request on to
 * it. What has no service goes to the files, which have the error pages.
 */
#include "stage.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum service {
    FILES,
    TEMPLATES,
    SERVICES
};

static const struct route {
    const char *name; /* the first part of the path */
    uint8_t method;   /* enum stage_method */
    uint8_t service;
} routes[] = {
    {"static", STAGE_GET, FILES},      {"pages", STAGE_POST, TEMPLATES},
    {"images", STAGE_GET, FILES},      {"preview", STAGE_POST, TEMPLATES},
    {"favicon.ico", STAGE_GET, FILES}, {"robots.txt", STAGE_GET, FILES},
    {".well-known", STAGE_GET, FILES}, {"mail", STAGE_POST, TEMPLATES},
};

#define PLACES 32u /* a power of two, at least twice the routes */
static const struct route *table[PLACES];

static uint32_t place_of(const char *name, uint32_t bytes) {
    return (uint32_t)XXH3_64bits(name, bytes) % PLACES;
}

static void make_table(void) {
    for (uint32_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        uint32_t at = place_of(routes[i].name, (uint32_t)strlen(routes[i].name));
        while (table[at])
            at = (at + 1) % PLACES;
        table[at] = &routes[i];
    }
}

static const struct route *find(const char *name, uint32_t bytes) {
    for (uint32_t at = place_of(name, bytes); table[at]; at = (at + 1) % PLACES)
        if (strlen(table[at]->name) == bytes && memcmp(table[at]->name, name, bytes) == 0)
            return table[at];
    return NULL;
}

static int hex(char digit) {
    return '0' <= digit && digit <= '9'                     ? digit - '0'
           : 'a' <= (digit | 0x20) && (digit | 0x20) <= 'f' ? (digit | 0x20) - 'a' + 10
                                                            : -1;
}

/*
 * Decodes %XX in place; returns the new length, or 0 if the path cannot be decoded. Files are looked up
 * by their whole path, so that dots lead nowhere.
 */
static uint32_t decode(char *path, uint32_t bytes) {
    uint32_t to = 0;
    for (uint32_t at = 0; at < bytes; at++) {
        char byte = path[at];
        if (byte == '%') {
            if (bytes - at < 3 || hex(path[at + 1]) < 0 || hex(path[at + 2]) < 0)
                return 0;
            byte = (char)(hex(path[at + 1]) << 4 | hex(path[at + 2]));
            at += 2;
        }
        path[to++] = byte;
    }
    return to;
}

static enum service route(struct stage_request *request, char *text) {
    char *path = text + request->path.at;
    request->path.bytes = (uint16_t)decode(path, request->path.bytes);
    if (request->path.bytes == 0 || *path != '/') {
        request->status = 404;
        return FILES;
    }
    const char *name = path + 1, *end = memchr(name, '/', request->path.bytes - 1u);
    const struct route *found = find(name, end ? (uint32_t)(end - name) : request->path.bytes - 1u);
    if (!found)
        request->status = 404;
    else if (found->method != request->method)
        request->status = 405;
    else
        return (enum service)found->service;
    return FILES;
}

int sip_main(void) {
    static char text[STAGE_TEXT_MOST + 1];
    sip_endpoint parser = sip_channel("parsed");
    sip_endpoint services[SERVICES] = {sip_channel("for-files"), sip_channel("for-templates")};
    struct stage_request request;
    sip_handle message;
    make_table();
    while ((message = stage_next(parser, STAGE_REQUEST))) {
        stage_request_read(message, &request, text);
        uint16_t before = request.path.bytes;
        enum service service = route(&request, text);
        if (request.path.bytes != before)
            sip_msg_write(message, sizeof request + request.path.at, text + request.path.at,
                          request.path.bytes);
        stage_request_pass(services[service], message, &request);
    }
    return 0;
}
