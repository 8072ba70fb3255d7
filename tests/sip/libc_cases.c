/*
 * The C library of SIPs against what ISO C says, in one function that is compiled twice: natively with
 * the library linked into the same object, and to WebAssembly, checked and masked.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the line of the first failure, or 0. */
uint32_t libc_cases(uint32_t unused);

#define WANT(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

/* Compilers know what these functions do; hide the arguments so that they are called. */
static const char *opaque(const char *text) {
    __asm__("" : "+r"(text));
    return text;
}
static int opaque_int(int value) {
    __asm__("" : "+r"(value));
    return value;
}

static char got[256];
#define FORMATS(expected, ...)                                                                     \
    do {                                                                                           \
        memset(got, 'x', sizeof(got));                                                             \
        WANT(snprintf(got, sizeof(got), __VA_ARGS__) == (int)strlen(expected));                    \
        WANT(strcmp(got, expected) == 0);                                                          \
    } while (0)

static uint32_t check_formats(void) {
    FORMATS("plain", "plain");
    FORMATS("100%", "100%%");
    FORMATS("0 1 -1 2147483647 -2147483648", "%d %i %d %d %d", 0, 1, -1, INT_MAX, INT_MIN);
    FORMATS("4294967295 deadBEEF", "%u %x%X", UINT_MAX, 0xdeadu, 0xbeefu);
    FORMATS("9223372036854775807 -9223372036854775808", "%lld %lld", LLONG_MAX, LLONG_MIN);
    FORMATS("18446744073709551615", "%" PRIu64, UINT64_MAX);
    FORMATS("ffffffffffffffff", "%" PRIx64, UINT64_MAX);
    FORMATS("-1 1", "%ld %lu", -1l, 1ul);
    /* Only what is left of the int after conversion to the narrow type is printed. */
    FORMATS("-1 255 -1 65535", opaque("%hhd %hhu %hd %hu"), -1, -1, -1, -1);
    FORMATS("7 -7 7", "%zu %td %jd", (size_t)7, (ptrdiff_t)-7, (intmax_t)7);
    FORMATS("   42|42   |00042|  +42|+0042| 42", "%5d|%-5d|%05d|%+5d|%+05d|% d", 42, 42, 42, 42, 42,
            42);
    FORMATS("  007|007  |-0007", "%5.3d|%-5.3d|%5.4d", 7, 7, -7);
    FORMATS("|  |0", "|%.0d%2.0u|%d", opaque_int(0), opaque_int(0), 0);
    FORMATS("0x1f 0X1F 0 037 0 0", "%#x %#X %#x %#o %#o %#.0o", 31u, 31u, 0u, 31u, 0u, 0u);
    FORMATS("0x00ff|  0xff|0xff  ", "%#06x|%#6x|%-#6x", 255u, 255u, 255u);
    FORMATS("a|  b|c  ", "%c|%3c|%-3c", 'a', 'b', 'c');
    FORMATS("text|  text|text  |te|  te|", "%s|%6s|%-6s|%.2s|%4.2s|%.0s", "text", "text", "text",
            "text", "text", "text");
    FORMATS("   5|5   |-3", "%*d|%*d|%.*d", 4, 5, -4, 5, -1, -3);
    FORMATS("0x10", "%p", (void *)16);
    FORMATS("                    1", "%21d", 1);

    memset(got, 'x', sizeof(got));
    WANT(snprintf(got, 4, "%s", opaque("longer")) == 6 && memcmp(got, "lon\0x", 5) == 0);
    WANT(snprintf(got, 0, "%d", 12345) == 5 && got[0] == 'l');
    WANT(snprintf(NULL, 0, "%d", 12345) == 5);
    WANT(sprintf(got, "%d-%s", 1, "a") == 3 && strcmp(got, "1-a") == 0);
    errno = 0;
    WANT(snprintf(got, sizeof(got), opaque("%f"), 0) == -1 && errno == EINVAL);
    WANT(snprintf(got, sizeof(got), opaque("%99999999999d"), 0) == -1 && errno == EOVERFLOW);
    WANT(snprintf(got, sizeof(got), opaque("%"), 0) == -1 && errno == EINVAL);
    return 0;
}

#define PARSES(function, text, base, value, rest, error)                                           \
    do {                                                                                           \
        char *end;                                                                                 \
        errno = 0;                                                                                 \
        WANT(function(opaque(text), &end, base) == (value));                                       \
        WANT(strcmp(end, rest) == 0 && errno == (error));                                          \
    } while (0)

static uint32_t check_numbers(void) {
    PARSES(strtol, " \t\n-42rest", 10, -42, "rest", 0);
    PARSES(strtol, "+7", 10, 7, "", 0);
    PARSES(strtol, "0x1Fg", 0, 31, "g", 0);
    PARSES(strtol, "0x1F", 16, 31, "", 0);
    PARSES(strtol, "0xg", 16, 0, "xg", 0);
    PARSES(strtol, "0777", 0, 511, "", 0);
    PARSES(strtol, "089", 0, 0, "89", 0);
    PARSES(strtol, "zZ!", 36, 35 * 36 + 35, "!", 0);
    PARSES(strtol, "12", 2, 1, "2", 0);
    PARSES(strtol, "", 10, 0, "", 0);
    PARSES(strtol, " +x", 10, 0, " +x", 0);
    PARSES(strtol, "1", 1, 0, "1", EINVAL);
    PARSES(strtol, "99999999999999999999!", 10, LONG_MAX, "!", ERANGE);
    PARSES(strtol, "-99999999999999999999", 10, LONG_MIN, "", ERANGE);
    PARSES(strtoll, "9223372036854775807", 10, LLONG_MAX, "", 0);
    PARSES(strtoll, "9223372036854775808", 10, LLONG_MAX, "", ERANGE);
    PARSES(strtoll, "-9223372036854775808", 10, LLONG_MIN, "", 0);
    PARSES(strtoll, "-9223372036854775809", 10, LLONG_MIN, "", ERANGE);
    PARSES(strtoul, "-1", 10, ULONG_MAX, "", 0);
    PARSES(strtoull, "18446744073709551615", 10, ULLONG_MAX, "", 0);
    PARSES(strtoull, "18446744073709551616", 10, ULLONG_MAX, "", ERANGE);
    PARSES(strtoull, "-18446744073709551615", 10, 1, "", 0);
    PARSES(strtoull, "-18446744073709551616", 10, ULLONG_MAX, "", ERANGE);
    WANT(atoi(opaque("-2147483648x")) == INT_MIN && atoll(opaque("123456789012")) == 123456789012);
    WANT(atol(opaque("x")) == 0 && abs(opaque_int(-5)) == 5 && llabs(-5ll) == 5);
    WANT(div(opaque_int(-7), 2).quot == -3 && div(opaque_int(-7), 2).rem == -1);
    return 0;
}

static uint32_t check_strings(void) {
    static char to[32];
    memset(to, 'x', sizeof(to));
    WANT(strncpy(to, opaque("ab"), 4) == to && memcmp(to, "ab\0\0x", 5) == 0);
    WANT(strcmp(strcat(to, opaque("cd")), "abcd") == 0);
    WANT(strcmp(strncat(to, opaque("efgh"), 2), "abcdef") == 0);
    memmove(to + 1, to, 7);
    WANT(strcmp(to, "aabcdef") == 0);
    memmove(to, to + 2, 6);
    WANT(strcmp(to, "bcdef") == 0);
    WANT(strcmp(opaque("a"), "b") < 0 && strcmp(opaque("\xff"), "a") > 0 && strcmp(to, to) == 0);
    WANT(strncmp(opaque("abc"), "abd", 2) == 0 && memcmp(opaque("a\0c"), "a\0b", 3) > 0);
    WANT(strchr(to, 'd') == to + 2 && !strchr(to, 'x') && *strchr(to, 0) == 0);
    WANT(strrchr(opaque("a/b/c"), '/')[1] == 'c' && memchr(to, 'f', 5) == to + 4);
    WANT(strstr(to, opaque("de")) == to + 2 && !strstr(to, opaque("dx")) && strstr(to, "") == to);
    WANT(strspn(opaque("aabbc"), "ab") == 4 && strcspn(opaque("aabbc"), "cb") == 2);
    WANT(strpbrk(to, opaque("fe")) == to + 3 && !strpbrk(to, opaque("x")));
    strcpy(to, opaque(",a,,b;c"));
    WANT(strcmp(strtok(to, ",;"), "a") == 0 && strcmp(strtok(NULL, ",;"), "b") == 0);
    WANT(strcmp(strtok(NULL, ",;"), "c") == 0 && !strtok(NULL, ",;") && !strtok(NULL, ",;"));
    for (int c = -1; c < 256; c++) {
        bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z',
             digit = c >= '0' && c <= '9';
        bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        bool print = c >= 32 && c < 127;
        WANT(!!isupper(c) == upper && !!islower(c) == lower && !!isdigit(c) == digit);
        WANT(!!isalpha(c) == (upper || lower) && !!isalnum(c) == (upper || lower || digit));
        WANT(!!isxdigit(c) == hex && !!isprint(c) == print && !!isgraph(c) == (print && c != ' '));
        WANT(!!isspace(c) == (c == ' ' || (c >= 9 && c <= 13)));
        WANT(!!iscntrl(c) == ((c >= 0 && c < 32) || c == 127));
        WANT(!!ispunct(c) == (print && c != ' ' && !upper && !lower && !digit));
        WANT(tolower(c) == (upper ? c + 32 : c) && toupper(c) == (lower ? c - 32 : c));
    }
    return 0;
}

static int compare_bytes(const void *a, const void *b) {
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

static uint32_t check_sorting(void) {
    static struct element { unsigned char key, three[2]; } list[200];
    for (unsigned count = 0; count <= 200; count += count < 5 ? 1 : 39) {
        unsigned sum = 0;
        for (unsigned i = 0; i < count; i++) {
            unsigned char key = (unsigned char)(rand() >> 8);
            list[i] = (struct element){key, {(unsigned char)~key, (unsigned char)(key + 1)}};
            sum += key;
        }
        qsort(list, count, sizeof(list[0]), compare_bytes);
        for (unsigned i = 0; i < count; i++) {
            WANT(i == 0 || list[i - 1].key <= list[i].key);
            WANT(list[i].three[0] == (unsigned char)~list[i].key);
            WANT(list[i].three[1] == (unsigned char)(list[i].key + 1));
            sum -= list[i].key;
            const struct element *found =
                bsearch(&list[i], list, count, sizeof(list[0]), compare_bytes);
            WANT(found && found->key == list[i].key);
        }
        WANT(sum == 0);
        for (unsigned key = 0; key < 256; key++) {
            unsigned char wanted = (unsigned char)key;
            bool there = false;
            for (unsigned i = 0; i < count; i++)
                there |= list[i].key == wanted;
            WANT(there == !!bsearch(&wanted, list, count, sizeof(list[0]), compare_bytes));
        }
    }
    srand(5);
    int first = rand();
    WANT(first >= 0 && rand() != first);
    srand(5);
    return first == rand() ? 0 : __LINE__;
}

#define PIECES 24

/* Random use: pieces are aligned, apart from each other, and in the end the arena is whole again. */
static uint32_t check_memory(void) {
    static unsigned char *piece[PIECES];
    static size_t bytes[PIECES];
    size_t most = 64u << 10;
    void *whole;
    while (!(whole = malloc(most)))
        most -= 16;
    WANT(most > 6000 && errno == ENOMEM);
    free(whole);
    for (unsigned round = 0; round < 2000; round++) {
        unsigned i = (unsigned)rand() % PIECES;
        for (size_t at = 0; at < bytes[i]; at++)
            WANT(piece[i][at] == (unsigned char)(i + at));
        size_t wanted = (unsigned)rand() % 600;
        unsigned char *next = NULL;
        switch (rand() % 4) {
        case 0:
            free(piece[i]);
            break;
        case 1:
            next = realloc(piece[i], wanted);
            if (!next) {
                next = piece[i];
                wanted = bytes[i];
            }
            for (size_t at = 0; at < bytes[i] && at < wanted; at++)
                WANT(next[at] == (unsigned char)(i + at));
            break;
        case 2:
            free(piece[i]);
            next = calloc(wanted, 1);
            for (size_t at = 0; next && at < wanted; at++)
                WANT(next[at] == 0);
            break;
        default:
            free(piece[i]);
            next = malloc(wanted);
        }
        WANT((uintptr_t)next % 16 == 0);
        piece[i] = next;
        bytes[i] = next ? wanted : 0;
        for (size_t at = 0; at < bytes[i]; at++)
            next[at] = (unsigned char)(i + at);
    }
    for (unsigned i = 0; i < PIECES; i++)
        free(piece[i]);
    whole = malloc(most);
    WANT(whole);
    free(whole);
    WANT(!malloc(SIZE_MAX) && !malloc(SIZE_MAX - 8) && !calloc(SIZE_MAX / 2, 4));
    free(NULL);
    return 0;
}

static uint32_t check_console(void) {
    assert(opaque_int(1));
    WANT(printf("%s, %d; ", "console", 1) == 12 && putchar('p') == 'p' && puts("uts") >= 0);
    WANT(fprintf(stderr, "%300d\n", 5) == 301 && fputs("end\n", stdout) >= 0);
    WANT(fwrite("abcd", 2, 2, stdout) == 2 && fputc('\n', stdout) == '\n');
    return 0;
}

uint32_t libc_cases(uint32_t unused) {
    (void)unused;
    uint32_t (*const checks[])(void) = {check_formats, check_numbers, check_strings,
                                        check_sorting, check_memory,  check_console};
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        uint32_t line = checks[i]();
        if (line)
            return line;
    }
    return 0;
}
