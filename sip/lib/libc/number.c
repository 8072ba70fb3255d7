/* Numbers from text: strtol() and its kin, and errno. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

int errno;

static unsigned digit_of(char c) {
    if (isdigit(c))
        return (unsigned)(c - '0');
    return isalpha(c) ? (unsigned)(tolower(c) - 'a') + 10 : 99;
}

/*
 * A number that is at most `most`, and with a sign in front at least `least` in two's complement; for
 * unsigned types `least` is `most`: ISO C negates those too, unless they do not fit.
 */
static unsigned long long read_number(const char *text, char **end, int base,
                                      unsigned long long most, unsigned long long least) {
    const char *at = text;
    unsigned long long value = 0;
    bool any = false, over = false, negative = false;
    if (end)
        *end = (char *)(uintptr_t)text;
    if (base != 0 && (base < 2 || base > 36)) {
        errno = EINVAL;
        return 0;
    }
    while (isspace(*at))
        at++;
    if (*at == '-' || *at == '+')
        negative = *at++ == '-';
    if ((base == 0 || base == 16) && at[0] == '0' && (at[1] | 32) == 'x' && digit_of(at[2]) < 16) {
        at += 2;
        base = 16;
    } else if (base == 0) {
        base = *at == '0' ? 8 : 10;
    }
    unsigned long long limit = negative && least != most ? -least : most;
    for (unsigned digit; (digit = digit_of(*at)) < (unsigned)base; at++) {
        any = true;
        if (value > limit / (unsigned)base || value * (unsigned)base > limit - digit)
            over = true;
        else
            value = value * (unsigned)base + digit;
    }
    if (any && end)
        *end = (char *)(uintptr_t)at;
    if (over) {
        errno = ERANGE;
        return negative ? least : most;
    }
    return negative ? -value : value;
}

long strtol(const char *text, char **end, int base) {
    return (long)read_number(text, end, base, LONG_MAX, (unsigned long long)LONG_MIN);
}

long long strtoll(const char *text, char **end, int base) {
    return (long long)read_number(text, end, base, LLONG_MAX, (unsigned long long)LLONG_MIN);
}

unsigned long strtoul(const char *text, char **end, int base) {
    return (unsigned long)read_number(text, end, base, ULONG_MAX, ULONG_MAX);
}

unsigned long long strtoull(const char *text, char **end, int base) {
    return read_number(text, end, base, ULLONG_MAX, ULLONG_MAX);
}

int atoi(const char *text) { return (int)strtol(text, NULL, 10); }
long atol(const char *text) { return strtol(text, NULL, 10); }
long long atoll(const char *text) { return strtoll(text, NULL, 10); }
