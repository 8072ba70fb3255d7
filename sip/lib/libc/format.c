/* Formats as in printf(), see stdio.h: reads the directives and puts the text together. */
#include "format.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct directive {
    bool left, zero, plus, space, alternate;
    int width, precision; /* precision < 0: none given */
    int length;           /* in bytes of the integer */
};

struct output {
    struct libc_sink *sink;
    uint64_t bytes;
};

static void put(struct output *out, const char *text, size_t bytes) {
    if (bytes)
        out->sink->put(out->sink, text, bytes);
    out->bytes += bytes;
}

static void pad(struct output *out, char with, int64_t bytes) {
    char block[16];
    memset(block, with, sizeof(block));
    for (; bytes > 0; bytes -= (int64_t)sizeof(block))
        put(out, block, bytes < (int64_t)sizeof(block) ? (size_t)bytes : sizeof(block));
}

static void put_text(struct output *out, const struct directive *directive, const char *text,
                     size_t bytes) {
    int64_t room = directive->width - (int64_t)bytes;
    if (!directive->left)
        pad(out, ' ', room);
    put(out, text, bytes);
    if (directive->left)
        pad(out, ' ', room);
}

/* `prefix`: a sign or 0x; zeros come between it and the digits. */
static void put_number(struct output *out, const struct directive *directive, const char *prefix,
                       uint64_t value, unsigned base, bool upper) {
    char digits[24], *first = digits + sizeof(digits);
    while (value) {
        unsigned digit = (unsigned)(value % base);
        *--first = (char)(digit < 10 ? '0' + digit : (upper ? 'A' : 'a') + digit - 10);
        value /= base;
    }
    int64_t bytes = digits + sizeof(digits) - first, before = (int64_t)strlen(prefix);
    int64_t least = directive->precision < 0 ? 1 : directive->precision;
    if (base == 8 && directive->alternate && least <= bytes)
        least = bytes + 1;
    int64_t zeros = least > bytes ? least - bytes : 0;
    if (directive->zero && !directive->left && directive->precision < 0 &&
        directive->width > before + bytes + zeros)
        zeros = directive->width - before - bytes;
    int64_t room = directive->width - before - zeros - bytes;
    if (!directive->left)
        pad(out, ' ', room);
    put(out, prefix, (size_t)before);
    pad(out, '0', zeros);
    put(out, first, (size_t)bytes);
    if (directive->left)
        pad(out, ' ', room);
}

/* A number of the format, or -1 when it is too large. */
static int read_number(const char **at) {
    int number = 0;
    for (; isdigit(**at); (*at)++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, **at - '0', &number))
            return -1;
    return number;
}

static void read_flags(const char **at, struct directive *directive) {
    for (;; (*at)++) {
        switch (**at) {
        case '-':
            directive->left = true;
            break;
        case '0':
            directive->zero = true;
            break;
        case '+':
            directive->plus = true;
            break;
        case ' ':
            directive->space = true;
            break;
        case '#':
            directive->alternate = true;
            break;
        default:
            return;
        }
    }
}

static int read_length(const char **at) {
    switch (*(*at)++) {
    case 'h':
        if (**at != 'h')
            return sizeof(short);
        (*at)++;
        return sizeof(char);
    case 'l':
        if (**at != 'l')
            return sizeof(long);
        (*at)++;
        return sizeof(long long);
    case 'j':
        return sizeof(intmax_t);
    case 'z':
        return sizeof(size_t);
    case 't':
        return sizeof(ptrdiff_t);
    default:
        (*at)--;
        return sizeof(int);
    }
}

static int64_t narrowed(int64_t value, int length) {
    int shift = 64 - 8 * length;
    return (int64_t)((uint64_t)value << shift) >> shift;
}

/* Values are taken here and nowhere else: a va_list cannot be handed on portably. */
int libc_format(struct libc_sink *sink, const char *format, va_list values) {
    struct output out = {sink, 0};
    for (const char *at = format; *at;) {
        const char *plain = at;
        while (*at && *at != '%')
            at++;
        put(&out, plain, (size_t)(at - plain));
        if (!*at)
            break;
        at++;
        struct directive directive = {.precision = -1};
        read_flags(&at, &directive);
        if (*at == '*') {
            at++;
            directive.width = va_arg(values, int);
            if (directive.width == INT_MIN)
                goto overflow;
            if (directive.width < 0) {
                directive.left = true;
                directive.width = -directive.width;
            }
        } else if ((directive.width = read_number(&at)) < 0) {
            goto overflow;
        }
        if (*at == '.') {
            at++;
            if (*at == '*') {
                at++;
                directive.precision = va_arg(values, int);
            } else if ((directive.precision = read_number(&at)) < 0) {
                goto overflow;
            }
        }
        directive.length = read_length(&at);
        char conversion = *at++;
        bool is_signed = conversion == 'd' || conversion == 'i';
        if (is_signed || strchr("uxXo", conversion)) {
            if (!conversion)
                goto invalid;
            int64_t value = directive.length > (int)sizeof(int) ? va_arg(values, long long)
                                                                : va_arg(values, int);
            value = narrowed(value, directive.length);
            uint64_t magnitude = (uint64_t)value;
            const char *prefix = "";
            if (is_signed) {
                prefix = value < 0 ? "-" : directive.plus ? "+" : directive.space ? " " : "";
                magnitude = value < 0 ? -magnitude : magnitude;
            } else if (directive.length < 8) {
                magnitude &= (1ull << 8 * directive.length) - 1;
            }
            bool hex = (conversion | 32) == 'x';
            if (hex && directive.alternate && magnitude)
                prefix = conversion == 'x' ? "0x" : "0X";
            unsigned base = hex ? 16 : 10;
            if (conversion == 'o')
                base = 8;
            put_number(&out, &directive, prefix, magnitude, base, conversion == 'X');
            continue;
        }
        switch (conversion) {
        case 'c': {
            char byte = (char)va_arg(values, int);
            put_text(&out, &directive, &byte, 1);
            break;
        }
        case 's': {
            const char *text = va_arg(values, const char *);
            if (!text)
                text = "(null)";
            size_t most = directive.precision < 0 ? SIZE_MAX : (size_t)directive.precision;
            put_text(&out, &directive, text, strnlen(text, most));
            break;
        }
        case 'p':
            directive.precision = -1;
            put_number(&out, &directive, "0x", (uintptr_t)va_arg(values, void *), 16, false);
            break;
        case '%':
            put(&out, "%", 1);
            break;
        default:
            goto invalid;
        }
    }
    if (out.bytes <= INT_MAX)
        return (int)out.bytes;
overflow:
    errno = EOVERFLOW;
    return -1;
invalid:
    errno = EINVAL;
    return -1;
}
