/* <stdio.h>: where formatted text goes, to memory or in pieces to the console. */
#include "format.h"
#include "sip.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 256u /* of text in one call to the kernel */

struct libc_stream {
    char unused;
};
FILE libc_console = {0};

static void print(const char *text, size_t bytes) {
    for (size_t at = 0; at < bytes; at += PIECE_BYTES)
        sip_call_print(text + at, (uint32_t)(bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES));
}

struct memory {
    struct libc_sink sink;
    char *to;
    size_t room; /* the NUL's place not included */
};

static void put_memory(struct libc_sink *sink, const char *text, size_t bytes) {
    struct memory *memory = (struct memory *)sink;
    if (bytes > memory->room)
        bytes = memory->room;
    memcpy(memory->to, text, bytes);
    memory->to += bytes;
    memory->room -= bytes;
}

int vsnprintf(char *to, size_t room, const char *format, va_list values) {
    struct memory memory = {{put_memory}, to, room ? room - 1 : 0};
    int bytes = libc_format(&memory.sink, format, values);
    if (room)
        *memory.to = '\0';
    return bytes;
}

struct console {
    struct libc_sink sink;
    size_t used;
    char piece[PIECE_BYTES];
};

static void put_console(struct libc_sink *sink, const char *text, size_t bytes) {
    struct console *console = (struct console *)sink;
    if (bytes > PIECE_BYTES - console->used) {
        print(console->piece, console->used);
        console->used = 0;
    }
    if (bytes > PIECE_BYTES) {
        print(text, bytes);
    } else {
        memcpy(console->piece + console->used, text, bytes);
        console->used += bytes;
    }
}

int vprintf(const char *format, va_list values) {
    struct console console;
    console.sink.put = put_console;
    console.used = 0;
    int bytes = libc_format(&console.sink, format, values);
    print(console.piece, console.used);
    return bytes;
}

int vfprintf(FILE *to, const char *format, va_list values) {
    (void)to;
    return vprintf(format, values);
}

int vsprintf(char *to, const char *format, va_list values) {
    return vsnprintf(to, (size_t)INT32_MAX, format, values);
}

#define FORMATTED(result, call)                                                                    \
    do {                                                                                           \
        va_list values;                                                                            \
        va_start(values, format);                                                                  \
        result = call;                                                                             \
        va_end(values);                                                                            \
    } while (0)

int printf(const char *format, ...) {
    int bytes;
    FORMATTED(bytes, vprintf(format, values));
    return bytes;
}

int fprintf(FILE *to, const char *format, ...) {
    int bytes;
    FORMATTED(bytes, vfprintf(to, format, values));
    return bytes;
}

int sprintf(char *to, const char *format, ...) {
    int bytes;
    FORMATTED(bytes, vsprintf(to, format, values));
    return bytes;
}

int snprintf(char *to, size_t room, const char *format, ...) {
    int bytes;
    FORMATTED(bytes, vsnprintf(to, room, format, values));
    return bytes;
}

size_t fwrite(const void *from, size_t bytes, size_t count, FILE *to) {
    (void)to;
    print(from, bytes * count);
    return count;
}

int fputs(const char *text, FILE *to) {
    (void)to;
    print(text, strlen(text));
    return 0;
}

int puts(const char *text) {
    fputs(text, stdout);
    return putchar('\n');
}

int putchar(int byte) {
    char text = (char)byte;
    print(&text, 1);
    return (unsigned char)byte;
}

int fputc(int byte, FILE *to) {
    (void)to;
    return putchar(byte);
}

int fflush(FILE *to) {
    (void)to;
    return 0;
}

void libc_assert_failed(const char *condition, const char *file, int line) {
    printf("%s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}
