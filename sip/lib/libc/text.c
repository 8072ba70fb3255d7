/* The functions of <string.h> on sets of characters, and strncat(); the common ones are in string.c. */
#include <stdint.h>
#include <string.h>

char *strncat(char *to, const char *from, size_t most) {
    size_t bytes = strnlen(from, most);
    char *end = to + strlen(to);
    memcpy(end, from, bytes);
    end[bytes] = '\0';
    return to;
}

size_t strspn(const char *text, const char *set) {
    size_t bytes = 0;
    while (text[bytes] && strchr(set, text[bytes]))
        bytes++;
    return bytes;
}

size_t strcspn(const char *text, const char *set) {
    size_t bytes = 0;
    while (text[bytes] && !strchr(set, text[bytes]))
        bytes++;
    return bytes;
}

char *strpbrk(const char *text, const char *set) {
    text += strcspn(text, set);
    return *text ? (char *)(uintptr_t)text : NULL;
}

char *strtok(char *text, const char *set) {
    static char *rest;
    if (!text)
        text = rest;
    if (!text)
        return NULL;
    text += strspn(text, set);
    char *end = text + strcspn(text, set);
    rest = *end ? end + 1 : NULL;
    *end = '\0';
    return *text ? text : NULL;
}
