/* Formatting, whatever becomes of the text: what printf() and snprintf() have in common. */
#ifndef BULKHEAD_LIBC_FORMAT_H
#define BULKHEAD_LIBC_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

struct libc_sink { /* first in what a user keeps */
    void (*put)(struct libc_sink *sink, const char *text, size_t bytes);
};

/* Calls sink->put() for each part of the text. Returns its bytes, or -1 with errno set. */
int libc_format(struct libc_sink *sink, const char *format, va_list values);

#endif
