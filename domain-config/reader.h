/*
 * Reading YAML by tables of keys. A mapping is described by rows; the reader finds each key, checks
 * its value, stores it with its place, and reports unknown, repeated, missing and ill-typed keys.
 * It knows no layout, workload or experiment.
 */
#ifndef BULKHEAD_READER_H
#define BULKHEAD_READER_H

#include "diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <yaml.h>

#define READER_FILE_BYTES (256u << 10) /* larger files are refused */
#define READER_MAX_ENTRIES 1024        /* of one mapping or list */

struct setting { /* a number or the value of a word */
    int64_t value;
    struct mark at; /* at.file NULL: not set */
};
struct name {
    char text[CONFIG_NAME_BYTES];
    struct mark at; /* at.file NULL: not set */
};
struct text { /* free text, malloc'ed */
    char *text;
    struct mark at;
};

struct reader {
    yaml_document_t document;
    const char *path; /* of the file; must outlive the marks taken from it */
    char **text;      /* receives the file's text, malloc'ed, also where it is wrong; may be NULL */
    const struct config_paths *paths;
    struct config_diags *diags;
    const struct reader *child; /* the file that extends this one, or NULL */
    dev_t device;               /* identity of the file, to notice a file that extends itself */
    ino_t inode;
};

/*
 * Parses the file at r->path (set, with paths, diags and child, by the caller), which must hold one
 * document, a mapping. Returns 0, or -EINVAL with a diagnostic; then there is nothing to close.
 */
int reader_open(struct reader *r);
void reader_close(struct reader *r);
const yaml_node_t *reader_root(struct reader *r);

struct mark reader_mark(const struct reader *r, const yaml_node_t *node);
void reader_error(struct reader *r, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What stands there, for a message: 'text', nothing, a list, a mapping. Returns `text`. */
#define FOUND_TEXT_BYTES 64
const char *reader_found(const yaml_node_t *node, char text[FOUND_TEXT_BYTES]);

/* ---- tables of keys ---- */

struct word {
    const char *text; /* NULL ends the table */
    int64_t value;
};
enum key_kind {
    KEY_NAME,    /* struct name */
    KEY_TEXT,    /* struct text */
    KEY_INTEGER, /* struct setting, low..high */
    KEY_WORD,    /* struct setting, one of words */
    KEY_WORDS,   /* struct setting, the words' values or-ed: one of words, or a list of them */
    KEY_OTHER,   /* `read` gets the structure that the mapping fills, and knows */
};
struct key {
    const char *name;
    enum key_kind kind;
    bool required;
    size_t offset; /* of the field in the structure that the mapping fills */
    const struct word *words;
    int64_t low, high;
    void (*read)(struct reader *r, const yaml_node_t *node, void *into);
    const char *meaning; /* one line, shown when the key is missing, unknown or has a wrong value */
    const char *belongs; /* not NULL: the key is not for this mapping; where it goes instead */
};
enum {
    KEY_OPTIONAL,
    KEY_REQUIRED
};
/* A row of a key that fills a field; words, or low and high, follow as designated initialisers. */
#define KEY_FIELD(key, kind_of_key, need, type, field, text, ...)                                  \
    {                                                                                              \
        .name = (key), .kind = (kind_of_key), .required = (need), .offset = offsetof(type, field), \
        .meaning = (text), __VA_ARGS__                                                             \
    }
/* A row of a key with a reader of its own. */
#define KEY_READ(key, need, function, text)                                                        \
    { .name = (key), .kind = KEY_OTHER, .required = (need), .read = (function), .meaning = (text) }

struct key_table {
    const struct key *keys;
    size_t count;
    size_t offset; /* of the structure that these keys fill in the one that the mapping fills */
};
#define KEY_TABLE(keys, offset)                                                                    \
    { (keys), sizeof(keys) / sizeof((keys)[0]), (offset) }

/*
 * Reads a mapping by its tables, in the order of the rows, not of the file. `what` names the mapping
 * in messages ("a domain"). Keys that are wrong are reported and left unset.
 */
void reader_mapping(struct reader *r, const yaml_node_t *node, const char *what,
                    const struct key_table *tables, size_t count, void *into);

/* Reads a mapping whose keys are names that the user chooses; each is a valid, unused name. */
void reader_names(struct reader *r, const yaml_node_t *node, const char *what,
                  void (*read)(struct reader *r, const struct name *name, const yaml_node_t *value,
                               void *into),
                  void *into);

/* Calls read() for each item of a list; with `single` a lone value stands for a list of one. */
void reader_list(struct reader *r, const yaml_node_t *node, const char *what, bool single,
                 void (*read)(struct reader *r, const yaml_node_t *item, void *into), void *into);

/* One value each. They return 0, or -EINVAL with a diagnostic in which `what` names the value. */
int reader_name(struct reader *r, const yaml_node_t *node, const char *what, struct name *out);
int reader_text(struct reader *r, const yaml_node_t *node, const char *what, const char **out);
int reader_integer(struct reader *r, const yaml_node_t *node, const char *what, int64_t low,
                   int64_t high, struct setting *out);
int reader_word(struct reader *r, const yaml_node_t *node, const char *what,
                const struct word *words, const char *meaning, struct setting *out);
/* A word or a list of different ones, whose values are or-ed; a word of value 0 stands alone. */
int reader_words(struct reader *r, const yaml_node_t *node, const char *what,
                 const struct word *words, const char *meaning, struct setting *out);

/* An integer with an optional suffix K, M or G (times 1024, 1024^2, 1024^3). Returns 0 or -EINVAL. */
int integer_parse(const char *text, int64_t *value);

/* ---- finding files ---- */

/*
 * The path of NAME in data_dir/KIND, or of a path (contains '/' or ends in ".yaml"; relative to the
 * file of `at` when there is one). Returns a malloc'ed path, or NULL with a diagnostic at `at`.
 */
char *reader_find_file(const struct config_paths *paths, const char *kind, const char *name,
                       struct mark at, struct config_diags *diags);
bool reader_is_path(const char *name);
/* Reports a file of data_dir whose own name differs from the file's. `kind` is the key that says it. */
void reader_check_stem(const char *stem, const struct name *name, const char *kind,
                       struct config_diags *diags);

#endif
