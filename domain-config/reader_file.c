/*
 * Finding YAML files and parsing them with libyaml. What they mean is for others.
 */
#include "reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".yaml";

static bool ends_in_suffix(const char *name) {
    size_t length = strlen(name);

    return length >= sizeof(suffix) - 1 &&
           strcmp(name + length - (sizeof(suffix) - 1), suffix) == 0;
}

/* ---- parsing ---- */

/* Reads the whole file into a malloc'ed buffer. Returns NULL with a diagnostic. */
static unsigned char *file_read(struct reader *r, size_t *bytes) {
    struct mark whole = {r->path, 0, 0};
    unsigned char *buffer = NULL;
    struct stat status;
    size_t used = 0;
    int fd = open(r->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 || fstat(fd, &status) < 0) {
        diag_at(r->diags, whole, "cannot be opened: %s", strerror(errno));
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        diag_at(r->diags, whole, "is not a file; expected a YAML file");
        goto out;
    }
    r->device = status.st_dev;
    r->inode = status.st_ino;
    buffer = malloc(READER_FILE_BYTES + 1);
    while (buffer && used <= READER_FILE_BYTES) {
        ssize_t got = read(fd, buffer + used, READER_FILE_BYTES + 1 - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            diag_at(r->diags, whole, "cannot be read: %s", strerror(errno));
            free(buffer);
            buffer = NULL;
            goto out;
        }
        if (got == 0)
            break;
        used += (size_t)got;
    }
    if (!buffer) {
        diag_at(r->diags, whole, "cannot be read: out of memory");
    } else if (used > READER_FILE_BYTES) {
        diag_at(r->diags, whole, "is larger than %u KiB, the most that is read",
                READER_FILE_BYTES >> 10);
        free(buffer);
        buffer = NULL;
    }
out:
    if (fd >= 0)
        close(fd);
    *bytes = used;
    return buffer;
}

static void report_syntax(struct reader *r, const yaml_parser_t *parser,
                          const unsigned char *text) {
    struct mark at = {r->path, (int)parser->problem_mark.line + 1,
                      (int)parser->problem_mark.column + 1};

    if (parser->error == YAML_READER_ERROR) { /* such an error has an offset, not a mark */
        at.line = at.column = 1;
        for (size_t i = 0; i < parser->problem_offset; i++) {
            at.column = text[i] == '\n' ? 1 : at.column + 1;
            at.line += text[i] == '\n';
        }
    }
    diag_at(r->diags, at, "not YAML: %s%s%s", parser->problem ? parser->problem : "unreadable",
            parser->context ? ", " : "", parser->context ? parser->context : "");
}

/* Exactly one document. Returns 0 or -EINVAL with a diagnostic. */
static int parse(struct reader *r, yaml_parser_t *parser, const unsigned char *text) {
    yaml_document_t second;
    const yaml_node_t *root;
    int status = 0;

    if (!yaml_parser_load(parser, &r->document)) {
        report_syntax(r, parser, text);
        return -EINVAL;
    }
    root = reader_root(r);
    if (!root) {
        diag_at(r->diags, (struct mark){r->path, 1, 1},
                "the file is empty, expected a mapping that begins with layout:, workload: or "
                "experiment:");
        yaml_document_delete(&r->document);
        return -EINVAL;
    }
    if (!yaml_parser_load(parser, &second)) {
        report_syntax(r, parser, text);
        status = -EINVAL;
    } else {
        const yaml_node_t *other = yaml_document_get_root_node(&second);

        if (other) {
            reader_error(r, other, "a second document begins here, expected one in a file");
            status = -EINVAL;
        }
        yaml_document_delete(&second);
    }
    if (status < 0)
        yaml_document_delete(&r->document);
    return status;
}

int reader_open(struct reader *r) {
    yaml_parser_t parser;
    size_t bytes;
    unsigned char *text = file_read(r, &bytes);
    int status;

    if (!text)
        return -EINVAL;
    if (!yaml_parser_initialize(&parser)) {
        diag_at(r->diags, (struct mark){r->path, 0, 0}, "cannot be read: out of memory");
        free(text);
        return -EINVAL;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text, bytes);
    status = parse(r, &parser, text);
    yaml_parser_delete(&parser);
    if (r->text)
        *r->text = text_copy((const char *)text, bytes);
    free(text);
    return status;
}

void reader_close(struct reader *r) { yaml_document_delete(&r->document); }

const yaml_node_t *reader_root(struct reader *r) {
    return yaml_document_get_root_node(&r->document);
}

/* ---- finding ---- */

bool reader_is_path(const char *name) { return strchr(name, '/') || ends_in_suffix(name); }

void reader_check_stem(const char *stem, const struct name *name, const char *kind,
                       struct config_diags *diags) {
    if (name->at.file && strcmp(stem, name->text) != 0)
        diag_at(diags, name->at, "'%s' is '%s' but the file is named '%.60s%s'; make them the same",
                kind, name->text, stem, suffix);
}

static int name_compare(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

int config_list(const struct config_paths *paths, const char *kind, char ***names, size_t *count) {
    char *path = NULL;
    DIR *dir;
    struct dirent *entry;
    int status;

    *names = NULL;
    *count = 0;
    if (asprintf(&path, "%s/%s", paths->data_dir, kind) < 0)
        return -ENOMEM;
    dir = opendir(path);
    status = dir ? 0 : -errno;
    free(path);
    if (!dir)
        return status;
    while ((entry = readdir(dir))) {
        if (!ends_in_suffix(entry->d_name) || entry->d_name[0] == '.')
            continue;
        *names = array_grow(*names, *count, sizeof(**names));
        (*names)[(*count)++] = text_copy(entry->d_name, strlen(entry->d_name) - strlen(suffix));
    }
    closedir(dir);
    if (*count)
        qsort(*names, *count, sizeof(**names), name_compare);
    return 0;
}

static void report_no_such(const struct config_paths *paths, const char *kind, const char *name,
                           struct mark at, struct config_diags *diags) {
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];
    int singular = (int)strlen(kind) - 1; /* "layouts" without its s */
    char **names;
    size_t count;
    int status = config_list(paths, kind, &names, &count);

    if (status < 0) {
        diag_at(diags, at,
                "no %.*s '%.60s': %s/%s cannot be listed (%s); is the data folder right?", singular,
                kind, name, paths->data_dir, kind, strerror(-status));
        return;
    }
    nearest_text(name, (const char *const *)names, count, nearest);
    diag_at(diags, at, "no %.*s '%.60s' in %s/%s, which has %s%s", singular, kind, name,
            paths->data_dir, kind,
            count ? choices_text((const char *const *)names, count, choices) : "none", nearest);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

char *reader_find_file(const struct config_paths *paths, const char *kind, const char *name,
                       struct mark at, struct config_diags *diags) {
    struct mark where = at.file ? at : (struct mark){name, 0, 0};
    char *path = NULL;
    int length;

    if (!reader_is_path(name)) {
        length = asprintf(&path, "%s/%s/%s%s", paths->data_dir, kind, name, suffix);
    } else {
        const char *slash = at.file && name[0] != '/' ? strrchr(at.file, '/') : NULL;

        length = asprintf(&path, "%.*s%s", slash ? (int)(slash - at.file + 1) : 0,
                          slash ? at.file : "", name);
    }
    if (length < 0) {
        diag_at(diags, where, "out of memory");
        return NULL;
    }
    if (access(path, R_OK) == 0)
        return path;
    if (reader_is_path(name))
        diag_at(diags, where, "'%.200s' cannot be opened: %s", path, strerror(errno));
    else
        report_no_such(paths, kind, name, where, diags);
    free(path);
    return NULL;
}
