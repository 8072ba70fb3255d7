/*
 * YAML by tables of keys: values, mappings and lists. Files and their parsing are in reader_file.c.
 */
#include "reader.h"

#include "plan_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KEYS 64 /* rows of all tables of one mapping */

struct mark reader_mark(const struct reader *r, const yaml_node_t *node) {
    return (struct mark){r->path, (int)node->start_mark.line + 1, (int)node->start_mark.column + 1};
}

void reader_error(struct reader *r, const yaml_node_t *node, const char *format, ...) {
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    diag_at(r->diags, reader_mark(r, node), "%s", text ? text : "out of memory");
    free(text);
}

static const char *scalar_text(const yaml_node_t *node) {
    return (const char *)node->data.scalar.value;
}

const char *reader_found(const yaml_node_t *node, char text[FOUND_TEXT_BYTES]) {
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        strcpy(text, "nothing");
    else if (node->type == YAML_SCALAR_NODE)
        snprintf(text, FOUND_TEXT_BYTES, "'%.50s'", scalar_text(node));
    else
        strcpy(text, node->type == YAML_SEQUENCE_NODE ? "a list" : "a mapping");
    return text;
}

/* ---- one value ---- */

int reader_text(struct reader *r, const yaml_node_t *node, const char *what, const char **out) {
    char found[FOUND_TEXT_BYTES];

    if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0 ||
        strlen(scalar_text(node)) != node->data.scalar.length) {
        reader_error(r, node, "%s is %s, expected text", what, reader_found(node, found));
        return -EINVAL;
    }
    *out = scalar_text(node);
    return 0;
}

int reader_name(struct reader *r, const yaml_node_t *node, const char *what, struct name *out) {
    char found[FOUND_TEXT_BYTES];
    size_t length;
    bool valid;

    if (node->type != YAML_SCALAR_NODE) {
        reader_error(r, node, "%s is %s, expected a name", what, reader_found(node, found));
        return -EINVAL;
    }
    length = node->data.scalar.length;
    valid = length > 0 && length < CONFIG_NAME_BYTES;
    for (size_t i = 0; i < length; i++)
        valid = valid && plan_name_char(scalar_text(node)[i]);
    if (!valid) {
        reader_error(r, node, "%s is %s, expected a name of 1 to %u characters: %s", what,
                     reader_found(node, found), CONFIG_NAME_BYTES - 1, PLAN_NAME_CHARS);
        return -EINVAL;
    }
    memset(out, 0, sizeof(*out));
    memcpy(out->text, scalar_text(node), length);
    out->at = reader_mark(r, node);
    return 0;
}

int integer_parse(const char *text, int64_t *value) {
    char *end;
    int64_t number, factor = 1;

    if (!isdigit((unsigned char)text[text[0] == '-']))
        return -EINVAL;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno)
        return -EINVAL;
    if (*end) {
        const char *suffix = strchr("KMG", *end);

        if (!suffix || end[1])
            return -EINVAL;
        factor = 1ll << (10 * (suffix - "KMG" + 1));
    }
    return __builtin_mul_overflow(number, factor, value) ? -EINVAL : 0;
}

int reader_integer(struct reader *r, const yaml_node_t *node, const char *what, int64_t low,
                   int64_t high, struct setting *out) {
    char found[FOUND_TEXT_BYTES];
    int64_t value = 0;

    if (node->type != YAML_SCALAR_NODE || integer_parse(scalar_text(node), &value) < 0 ||
        strlen(scalar_text(node)) != node->data.scalar.length) {
        reader_error(r, node, "%s is %s, expected an integer (K, M and G multiply by 1024)", what,
                     reader_found(node, found));
        return -EINVAL;
    }
    if (value < low || value > high) {
        reader_error(r, node,
                     "%s is %lld, expected an integer from %lld to %lld; the nearest is %lld", what,
                     (long long)value, (long long)low, (long long)high,
                     (long long)(value < low ? low : high));
        return -EINVAL;
    }
    *out = (struct setting){value, reader_mark(r, node)};
    return 0;
}

int reader_word(struct reader *r, const yaml_node_t *node, const char *what,
                const struct word *words, const char *meaning, struct setting *out) {
    const char *names[MAX_KEYS];
    char found[FOUND_TEXT_BYTES], choices[CHOICES_TEXT_BYTES], nearest[NEAREST_TEXT_BYTES] = "";
    size_t count = 0;

    for (; words[count].text; count++) {
        names[count] = words[count].text;
        if (node->type == YAML_SCALAR_NODE && strcmp(scalar_text(node), names[count]) == 0) {
            *out = (struct setting){words[count].value, reader_mark(r, node)};
            return 0;
        }
    }
    if (node->type == YAML_SCALAR_NODE)
        nearest_text(scalar_text(node), names, count, nearest);
    reader_error(r, node, "%s is %s, expected %s (%s)%s", what, reader_found(node, found),
                 choices_text(names, count, choices), meaning, nearest);
    return -EINVAL;
}

/* The first word of value 0. */
static const char *words_zero(const struct word *words) {
    while (words->text && words->value)
        words++;
    return words->text ? words->text : "nothing";
}

struct words_reading {
    const char *what, *meaning;
    const struct word *words;
    struct setting *out;
    size_t items;
    bool zero;
};

static void read_one_of_words(struct reader *r, const yaml_node_t *item, void *into) {
    struct words_reading *reading = into;
    struct setting word;
    char found[FOUND_TEXT_BYTES];

    if (reader_word(r, item, reading->what, reading->words, reading->meaning, &word) < 0)
        return;
    if (reading->out->value & word.value)
        reader_error(r, item, "%s has %s twice; keep one", reading->what,
                     reader_found(item, found));
    reading->zero = reading->zero || word.value == 0;
    reading->out->value |= word.value;
    reading->items++;
}

int reader_words(struct reader *r, const yaml_node_t *node, const char *what,
                 const struct word *words, const char *meaning, struct setting *out) {
    struct setting value = {0, reader_mark(r, node)};
    struct words_reading reading = {what, meaning, words, &value, 0, false};
    size_t before = r->diags->count;

    reader_list(r, node, what, true, read_one_of_words, &reading);
    if (reading.zero && reading.items > 1)
        reader_error(r, node, "%s has %s in a list with others; it stands alone", what,
                     words_zero(words));
    if (r->diags->count > before)
        return -EINVAL;
    *out = value;
    return 0;
}

/* ---- mappings ---- */

static const yaml_node_t *node_at(struct reader *r, int id) {
    return yaml_document_get_node(&r->document, id);
}

static size_t pair_count(const yaml_node_t *mapping) {
    return (size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start);
}

static const yaml_node_t *pair_key(struct reader *r, const yaml_node_t *mapping, size_t index) {
    return node_at(r, mapping->data.mapping.pairs.start[index].key);
}

static const yaml_node_t *pair_value(struct reader *r, const yaml_node_t *mapping, size_t index) {
    return node_at(r, mapping->data.mapping.pairs.start[index].value);
}

static bool is_mapping(struct reader *r, const yaml_node_t *node, const char *what) {
    char found[FOUND_TEXT_BYTES];

    if (node->type != YAML_MAPPING_NODE) {
        reader_error(r, node, "%s is %s, expected a mapping of keys, {key: value}", what,
                     reader_found(node, found));
        return false;
    }
    if (pair_count(node) > READER_MAX_ENTRIES) {
        reader_error(r, node, "%s has %zu keys, at most %d are read", what, pair_count(node),
                     READER_MAX_ENTRIES);
        return false;
    }
    return true;
}

/* Reports a key that stood there before. Keys that are not scalars are reported elsewhere. */
static bool is_repeated(struct reader *r, const yaml_node_t *mapping, size_t index) {
    const yaml_node_t *key = pair_key(r, mapping, index);

    for (size_t i = 0; i < index; i++) {
        const yaml_node_t *other = pair_key(r, mapping, i);
        char place[MARK_TEXT_BYTES];

        if (other->type != YAML_SCALAR_NODE || strcmp(scalar_text(other), scalar_text(key)) != 0)
            continue;
        reader_error(r, key, "'%.50s' is given twice, first at %s; keep one", scalar_text(key),
                     mark_text(reader_mark(r, other), place));
        return true;
    }
    return false;
}

static const struct key *key_find(const struct key_table *tables, size_t count, const char *name) {
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            if (strcmp(tables[t].keys[i].name, name) == 0)
                return &tables[t].keys[i];
    return NULL;
}

static void report_unknown(struct reader *r, const yaml_node_t *key, const char *what,
                           const struct key_table *tables, size_t count) {
    const char *names[MAX_KEYS] = {NULL}, *nearest;
    char choices[CHOICES_TEXT_BYTES];
    size_t used = 0;

    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t].count && used < MAX_KEYS; i++)
            if (!tables[t].keys[i].belongs)
                names[used++] = tables[t].keys[i].name;
    nearest = config_nearest(scalar_text(key), names, used);
    if (nearest)
        reader_error(r, key, "unknown key '%.50s' in %s; did you mean '%s' (%s)?", scalar_text(key),
                     what, nearest, key_find(tables, count, nearest)->meaning);
    else
        reader_error(r, key, "unknown key '%.50s' in %s; expected %s", scalar_text(key), what,
                     choices_text(names, used, choices));
}

static void check_keys(struct reader *r, const yaml_node_t *mapping, const char *what,
                       const struct key_table *tables, size_t count) {
    char found[FOUND_TEXT_BYTES];

    for (size_t i = 0; i < pair_count(mapping); i++) {
        const yaml_node_t *key = pair_key(r, mapping, i);
        const struct key *known;

        if (key->type != YAML_SCALAR_NODE) {
            reader_error(r, key, "a key of %s is %s, expected a word", what,
                         reader_found(key, found));
            continue;
        }
        if (is_repeated(r, mapping, i))
            continue;
        known = key_find(tables, count, scalar_text(key));
        if (!known)
            report_unknown(r, key, what, tables, count);
        else if (known->belongs)
            reader_error(r, key, "'%s' cannot be set for %s; %s", known->name, what,
                         known->belongs);
    }
}

static const yaml_node_t *value_of(struct reader *r, const yaml_node_t *mapping, const char *name) {
    for (size_t i = 0; i < pair_count(mapping); i++) {
        const yaml_node_t *key = pair_key(r, mapping, i);

        if (key->type == YAML_SCALAR_NODE && strcmp(scalar_text(key), name) == 0)
            return pair_value(r, mapping, i);
    }
    return NULL;
}

/* `into` is the structure that the key's table fills. */
static void read_key(struct reader *r, const struct key *key, const yaml_node_t *node, void *into) {
    void *field = (char *)into + key->offset;
    char what[FOUND_TEXT_BYTES];
    const char *text;

    snprintf(what, sizeof(what), "'%s'", key->name);
    switch (key->kind) {
    case KEY_NAME:
        reader_name(r, node, what, field);
        break;
    case KEY_TEXT:
        if (reader_text(r, node, what, &text) == 0) {
            struct text *out = field;

            free(out->text);
            *out = (struct text){text_copy(text, strlen(text)), reader_mark(r, node)};
        }
        break;
    case KEY_INTEGER:
        reader_integer(r, node, what, key->low, key->high, field);
        break;
    case KEY_WORD:
        reader_word(r, node, what, key->words, key->meaning, field);
        break;
    case KEY_WORDS:
        reader_words(r, node, what, key->words, key->meaning, field);
        break;
    case KEY_OTHER:
        key->read(r, node, into);
        break;
    }
}

void reader_mapping(struct reader *r, const yaml_node_t *node, const char *what,
                    const struct key_table *tables, size_t count, void *into) {
    if (!is_mapping(r, node, what))
        return;
    check_keys(r, node, what, tables, count);
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct key *key = &tables[t].keys[i];
            const yaml_node_t *value = key->belongs ? NULL : value_of(r, node, key->name);

            if (value)
                read_key(r, key, value, (char *)into + tables[t].offset);
            else if (key->required)
                reader_error(r, node, "%s lacks the key '%s' (%s)", what, key->name, key->meaning);
        }
    }
}

void reader_names(struct reader *r, const yaml_node_t *node, const char *what,
                  void (*read)(struct reader *r, const struct name *name, const yaml_node_t *value,
                               void *into),
                  void *into) {
    if (!is_mapping(r, node, what))
        return;
    for (size_t i = 0; i < pair_count(node); i++) {
        struct name name;

        if (reader_name(r, pair_key(r, node, i), "the key", &name) == 0 && !is_repeated(r, node, i))
            read(r, &name, pair_value(r, node, i), into);
    }
}

void reader_list(struct reader *r, const yaml_node_t *node, const char *what, bool single,
                 void (*read)(struct reader *r, const yaml_node_t *item, void *into), void *into) {
    char found[FOUND_TEXT_BYTES];
    size_t count;

    if (node->type != YAML_SEQUENCE_NODE) {
        if (single)
            read(r, node, into);
        else
            reader_error(r, node, "%s is %s, expected a list, [item, item]", what,
                         reader_found(node, found));
        return;
    }
    count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (count == 0 || count > READER_MAX_ENTRIES) {
        reader_error(r, node, "%s is a list of %zu, expected 1 to %d items", what, count,
                     READER_MAX_ENTRIES);
        return;
    }
    for (size_t i = 0; i < count; i++)
        read(r, node_at(r, node->data.sequence.items.start[i]), into);
}
