/*
 * Diagnostics: the list of everything that is wrong, and the did-you-mean that a message ends with.
 * What is an error is decided by the readers and checkers.
 */
#include "diag.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BYTES 64 /* longer words are not compared: nobody mistypes them into a key */

/* A diagnostic that is lost would turn an error into a success, so no memory is the end. */
static void *need(void *memory) {
    if (!memory) {
        fputs("bulkhead: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *array_grow(void *array, size_t count, size_t element_bytes) {
    if ((count & (count - 1)) == 0) /* full at every power of two, and at 0 */
        array = need(realloc(array, (count ? 2 * count : 1) * element_bytes));
    memset((char *)array + count * element_bytes, 0, element_bytes);
    return array;
}

char *text_copy(const char *text, size_t length) { return need(strndup(text, length)); }

static void diag_add_v(struct config_diags *diags, const char *file, int line, int column,
                       const char *format, va_list arguments) {
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    need(text);
    for (char *c = text; *c; c++) /* file contents must not steer the reader's terminal */
        if (iscntrl((unsigned char)*c))
            *c = '?';
    diags->item = array_grow(diags->item, diags->count, sizeof(*diags->item));
    diags->room = diags->count + 1;
    diags->item[diags->count++] = (struct config_diag){
        .file = need(strdup(file)), .line = line, .column = column, .text = text};
}

void config_diag_add(struct config_diags *diags, const char *file, int line, int column,
                     const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    diag_add_v(diags, file, line, column, format, arguments);
    va_end(arguments);
}

void diag_at(struct config_diags *diags, struct mark at, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    diag_add_v(diags, at.file, at.line, at.column, format, arguments);
    va_end(arguments);
}

static int diag_compare(const void *left, const void *right) {
    const struct config_diag *a = left, *b = right;
    int order = strcmp(a->file, b->file);

    if (!order)
        order = (a->line > b->line) - (a->line < b->line);
    if (!order)
        order = (a->column > b->column) - (a->column < b->column);
    return order ? order : strcmp(a->text, b->text);
}

void diag_tidy(struct config_diags *diags) {
    size_t kept = 0;

    if (diags->count < 2)
        return;
    qsort(diags->item, diags->count, sizeof(*diags->item), diag_compare);
    for (size_t i = 1; i < diags->count; i++) {
        if (diag_compare(&diags->item[kept], &diags->item[i]) == 0) {
            free(diags->item[i].file);
            free(diags->item[i].text);
        } else {
            diags->item[++kept] = diags->item[i];
        }
    }
    diags->count = kept + 1;
}

void config_diags_print(const struct config_diags *diags, FILE *to) {
    for (size_t i = 0; i < diags->count; i++) {
        const struct config_diag *diag = &diags->item[i];

        if (diag->line)
            fprintf(to, "%s:%d:%d: %s\n", diag->file, diag->line, diag->column, diag->text);
        else
            fprintf(to, "%s: %s\n", diag->file, diag->text);
    }
}

void config_diags_free(struct config_diags *diags) {
    for (size_t i = 0; i < diags->count; i++) {
        free(diags->item[i].file);
        free(diags->item[i].text);
    }
    free(diags->item);
    *diags = (struct config_diags){0};
}

const char *mark_text(struct mark at, char text[MARK_TEXT_BYTES]) {
    snprintf(text, MARK_TEXT_BYTES, "%.480s:%d:%d", at.file, at.line, at.column);
    return text;
}

const char *choices_text(const char *const *names, size_t count, char text[CHOICES_TEXT_BYTES]) {
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *before = i == 0 ? "" : i + 1 == count ? " or " : ", ";

        if (used + strlen(before) + strlen(names[i]) + sizeof(", ...") > CHOICES_TEXT_BYTES) {
            strcpy(text + used, ", ...");
            break;
        }
        used += (size_t)snprintf(text + used, CHOICES_TEXT_BYTES - used, "%s%s", before, names[i]);
    }
    return text;
}

/*
 * Damerau-Levenshtein distance, optimal string alignment, letters compared without case: the fewest
 * insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
 */
static unsigned word_distance(const char *a, const char *b) {
    size_t rows = strlen(a), columns = strlen(b);
    unsigned cost[3][WORD_BYTES]; /* the row being filled and the two above it */

    for (size_t j = 0; j <= columns; j++)
        cost[0][j] = (unsigned)j;
    for (size_t i = 1; i <= rows; i++) {
        unsigned *now = cost[i % 3], *above = cost[(i + 2) % 3], *twice = cost[(i + 1) % 3];

        now[0] = (unsigned)i;
        for (size_t j = 1; j <= columns; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            unsigned best = above[j - 1] + (x != y);

            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]) && twice[j - 2] + 1 < best)
                best = twice[j - 2] + 1;
            now[j] = best;
        }
    }
    return cost[rows % 3][columns];
}

const char *config_nearest(const char *word, const char *const *names, size_t count) {
    size_t length = strlen(word);
    unsigned limit = length <= 3 ? 1 : length <= 7 ? 2 : 3; /* farther is a different word */
    const char *nearest = NULL;

    if (length == 0 || length >= WORD_BYTES)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        unsigned distance;

        if (strlen(names[i]) >= WORD_BYTES)
            continue;
        distance = word_distance(word, names[i]);
        if (distance <= limit && distance < strlen(names[i])) {
            limit = distance ? distance - 1 : 0;
            nearest = names[i];
            if (distance == 0)
                break;
        }
    }
    return nearest;
}

const char *nearest_text(const char *word, const char *const *names, size_t count,
                         char text[NEAREST_TEXT_BYTES]) {
    const char *nearest = config_nearest(word, names, count);

    text[0] = '\0';
    if (nearest)
        snprintf(text, NEAREST_TEXT_BYTES, "; did you mean '%.64s'?", nearest);
    return text;
}
