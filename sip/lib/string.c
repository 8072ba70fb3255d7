/* The memory and string functions of <string.h>. Plain C: also compiled to WebAssembly. */
#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((aligned(1), may_alias)) word;

/* Below this many bytes, starting the processor's string unit costs more than a loop. */
#define STRING_UNIT_BYTES 128

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    uint8_t *at = to;
    const uint8_t *source = from;
#ifdef __x86_64__ /* as in checked code, whose memcpy is in sip/toolchain/runtime.c */
    if (bytes >= STRING_UNIT_BYTES) {
        size_t words = bytes / 8;
        bytes %= 8;
        __asm__ volatile("rep movsq" : "+D"(at), "+S"(source), "+c"(words)::"memory");
    }
#endif
    for (; bytes >= 8; bytes -= 8, at += 8, source += 8)
        *(word *)at = *(const word *)source;
    while (bytes--)
        *at++ = *source++;
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    uint8_t *at = to;
    const uint8_t *source = from;
    if ((uintptr_t)at - (uintptr_t)source >= bytes)
        return memcpy(to, from, bytes);
    while (bytes--)
        at[bytes] = source[bytes];
    return to;
}

void *memset(void *to, int byte, size_t bytes) {
    uint8_t *at = to;
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101ull;
    for (; bytes >= 8; bytes -= 8, at += 8)
        *(word *)at = pattern;
    while (bytes--)
        *at++ = (uint8_t)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
    const uint8_t *left = a, *right = b;
    for (; bytes >= 8 && *(const word *)left == *(const word *)right; bytes -= 8)
        left += 8, right += 8;
    for (; bytes; bytes--, left++, right++)
        if (*left != *right)
            return *left - *right;
    return 0;
}

void *memchr(const void *in, int byte, size_t bytes) {
    for (const uint8_t *at = in; bytes; bytes--, at++)
        if (*at == (uint8_t)byte)
            return (void *)(uintptr_t)at;
    return NULL;
}

size_t strnlen(const char *text, size_t most) {
    size_t bytes = 0;
    while (bytes < most && text[bytes])
        bytes++;
    return bytes;
}

size_t strlen(const char *text) { return strnlen(text, SIZE_MAX); }

char *strcpy(char *to, const char *from) { return memcpy(to, from, strlen(from) + 1); }

char *strncpy(char *to, const char *from, size_t bytes) {
    size_t used = strnlen(from, bytes);
    memcpy(to, from, used);
    memset(to + used, 0, bytes - used);
    return to;
}

char *strcat(char *to, const char *from) {
    strcpy(to + strlen(to), from);
    return to;
}

int strncmp(const char *a, const char *b, size_t most) {
    for (; most; most--, a++, b++)
        if (*a != *b || !*a)
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

char *strchr(const char *text, int byte) {
    for (;; text++) {
        if (*text == (char)byte)
            return (char *)(uintptr_t)text;
        if (!*text)
            return NULL;
    }
}

char *strrchr(const char *text, int byte) {
    const char *found = NULL;
    do
        if (*text == (char)byte)
            found = text;
    while (*text++);
    return (char *)(uintptr_t)found;
}

char *strstr(const char *text, const char *part) {
    size_t bytes = strlen(part);
    for (; *text || !bytes; text++)
        if (strncmp(text, part, bytes) == 0)
            return (char *)(uintptr_t)text;
    return NULL;
}
