/* zlib, as built for programs without an operating system, is told where memory comes from. */
#ifndef BULKHEAD_HTTP_ZLIB_HEAP_H
#define BULKHEAD_HTTP_ZLIB_HEAP_H

#include <stdlib.h>
#include <zlib.h>

static inline voidpf zlib_get(voidpf opaque, uInt items, uInt bytes) {
    (void)opaque;
    return malloc((size_t)items * bytes);
}

static inline void zlib_give(voidpf opaque, voidpf memory) {
    (void)opaque;
    free(memory);
}

#endif
