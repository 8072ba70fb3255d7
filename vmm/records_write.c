/*
 * Writing a result set so that a crash at any moment leaves one that is known to be half: each record
 * is one line, on the disk before the next is made; the manifest says "complete" only at the end.
 */
#include "records.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct result_set {
    char *dir;
    int fd; /* samples.jsonl, locked */
    off_t end;
    json_t *manifest;
    json_t *boots; /* the boots held, by boot_key() */
    json_t *keys;  /* the records held, by record_key() */
};

/* What two halves of one set must have in common; the last three only where figures are time. */
static const char *const identity[] = {
    "experiment", "seed",     "backend",        "backend_version",    "unit",       "commit",
    "images",     "simulate", "host.cpu.model", "host.cpu.microcode", "host.kernel"};
#define IDENTITY_COUNT (sizeof(identity) / sizeof(identity[0]))
#define IDENTITY_EXACT 8

static int make_dirs(const char *dir, struct error *error) {
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path))
        return error_set(error, -ENAMETOOLONG, "%.200s...: the name is too long", dir);
    for (char *slash = path + 1; *path; slash++) {
        if (*slash && *slash != '/')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(path, 0777) && errno != EEXIST)
            return error_set(error, -errno, "%s: cannot make this folder: %s", path,
                             strerror(errno));
        *slash = kept;
        if (!kept)
            break;
    }
    return 0;
}

static int set_time(json_t *manifest, const char *key) {
    char text[32];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_object_set_new(manifest, key, json_string(text));
}

/* Names a boot of a cell; malloc'ed. */
static char *boot_key(const char *layout, const char *workload, const struct config_params *params,
                      uint32_t boot) {
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return NULL;
    fprintf(to, "%s\n%s\n%u\n", layout, workload, (unsigned)boot);
    record_print_params(params, to);
    if (fclose(to)) {
        free(text);
        return NULL;
    }
    return text;
}

static int remember(struct result_set *set, const struct record *record) {
    char *boot = boot_key(record->layout, record->workload, &record->params, record->boot);
    char *key = record_key(record);
    int failed = !boot || !key || json_object_set_new(set->boots, boot, json_true()) ||
                 json_object_set_new(set->keys, key, json_true());
    free(boot);
    free(key);
    return failed ? -ENOMEM : 0;
}

static json_t *value_at(const json_t *manifest, const char *path) {
    char key[64];
    json_t *value = (json_t *)manifest;
    for (const char *dot; value && (dot = strchr(path, '.')); path = dot + 1) {
        snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
        value = json_object_get(value, key);
    }
    return json_object_get(value, path);
}

static int refuse_resume(const char *dir, const char *what, json_t *old, json_t *new,
                         struct error *error) {
    char *was = old ? json_dumps(old, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *is = new ? json_dumps(new, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    error_set(error, -EINVAL,
              "%s: cannot resume: its %s is %.80s, that of this run %.80s; figures of both would "
              "mix. Give another --out.",
              dir, what, was ? was : "not told", is ? is : "not told");
    free(was);
    free(is);
    return -EINVAL;
}

static int check_identity(const char *dir, const json_t *old, const json_t *new,
                          struct error *error) {
    int exact = !strcmp(manifest_text(new, "unit"), "instructions");
    for (size_t i = 0; i < (exact ? IDENTITY_EXACT : IDENTITY_COUNT); i++) {
        json_t *was = value_at(old, identity[i]), *is = value_at(new, identity[i]);
        if (was == is || (was && is && json_equal(was, is)))
            continue;
        if (!strcmp(identity[i], "images") && json_is_object(was) && json_is_object(is)) {
            const char *name;
            json_t *hash;
            char what[128];
            json_object_foreach(is, name, hash) {
                if (json_equal(json_object_get(was, name), hash))
                    continue;
                snprintf(what, sizeof(what), "image %.100s", name);
                return refuse_resume(dir, what, json_object_get(was, name), hash, error);
            }
        }
        return refuse_resume(dir, identity[i], was, is, error);
    }
    return 0;
}

static int same_boot(const struct record *a, const struct record *b) {
    return a->boot == b->boot && !strcmp(a->layout, b->layout) &&
           !strcmp(a->workload, b->workload) && record_params_equal(&a->params, &b->params);
}

/* Takes over what the set in `dir` already holds, less what may be half a boot. */
static int resume_records(struct result_set *set, struct error *error) {
    struct result_data *data;
    int code = result_set_load(set->dir, &data, error);
    if (code)
        return code;
    code = check_identity(set->dir, data->manifest, set->manifest, error);
    size_t keep = data->count;
    if (!data->complete && keep) {
        const struct record *last = &data->record[data->count - 1];
        while (keep && same_boot(&data->record[keep - 1], last))
            keep--;
    }
    for (size_t i = 0; !code && i < keep; i++)
        if ((code = remember(set, &data->record[i])))
            error_set(error, code, "out of memory");
    set->end = keep ? (off_t)data->end[keep - 1] : 0;
    json_t *started = json_object_get(data->manifest, "started");
    if (!code && started && json_object_set(set->manifest, "started", started))
        code = error_set(error, -ENOMEM, "out of memory");
    result_data_free(data);
    return code;
}

static int open_samples(struct result_set *set, const char *path, int resume, struct error *error) {
    struct stat st;
    char manifest[PATH_MAX];
    snprintf(manifest, sizeof(manifest), "%s/manifest.json", set->dir);
    int held = !access(manifest, F_OK);
    if (held && !resume)
        return error_set(error, -EEXIST,
                         "%s: already holds a result set; give --resume to finish it, or another "
                         "--out",
                         set->dir);
    set->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (set->fd < 0)
        return error_set(error, -errno, "%s: cannot write: %s", path, strerror(errno));
    if (flock(set->fd, LOCK_EX | LOCK_NB))
        return error_set(error, -EBUSY, "%s: another run is writing to it", path);
    if (!held && !fstat(set->fd, &st) && st.st_size)
        return error_set(error, -EEXIST,
                         "%s: holds something, but there is no manifest.json beside it that tells "
                         "what; give another --out",
                         path);
    int code = held ? resume_records(set, error) : 0;
    if (!code && (ftruncate(set->fd, set->end) || lseek(set->fd, set->end, SEEK_SET) < 0))
        code = error_set(error, -errno, "%s: cannot cut off a torn end: %s", path, strerror(errno));
    return code;
}

static void set_free(struct result_set *set) {
    if (!set)
        return;
    if (set->fd >= 0)
        close(set->fd);
    json_decref(set->manifest);
    json_decref(set->boots);
    json_decref(set->keys);
    free(set->dir);
    free(set);
}

int result_set_create(struct result_set **out, const char *dir, int resume, json_t *manifest,
                      struct error *error) {
    struct result_set *set = calloc(1, sizeof(*set));
    if (!set || !json_is_object(manifest)) {
        free(set);
        json_decref(manifest);
        return error_set(error, -ENOMEM, "out of memory");
    }
    set->fd = -1;
    set->manifest = manifest;
    set->boots = json_object();
    set->keys = json_object();
    set->dir = strdup(dir);
    int code = 0;
    if (!set->boots || !set->keys || !set->dir ||
        json_object_set_new(manifest, "schema", json_integer(RECORD_SCHEMA)) ||
        json_object_set_new(manifest, "complete", json_false()) || set_time(manifest, "started"))
        code = error_set(error, -ENOMEM, "out of memory");
    char path[PATH_MAX];
    if (!code)
        code = make_dirs(dir, error);
    if (!code && (size_t)snprintf(path, sizeof(path), "%s/samples.jsonl", dir) >= sizeof(path))
        code = error_set(error, -ENAMETOOLONG, "%.200s...: the name is too long", dir);
    if (!code)
        code = open_samples(set, path, resume, error);
    if (!code)
        code = manifest_save(dir, manifest, error);
    if (code)
        set_free(set);
    else
        *out = set;
    return code;
}

static int write_all(int fd, const char *text, size_t bytes) {
    while (bytes) {
        ssize_t wrote = write(fd, text, bytes);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -errno;
        text += wrote;
        bytes -= (size_t)wrote;
    }
    return fdatasync(fd) && errno != EINVAL && errno != EROFS ? -errno : 0;
}

int result_set_append(struct result_set *set, const struct record *record, struct error *error) {
    char why[128];
    struct record clean = *record;
    /* A guest or a host may have put any byte into these; what names a cell must be right as it is. */
    char *const free_text[] = {clean.reason, clean.host, clean.note};
    for (size_t i = 0; i < sizeof(free_text) / sizeof(free_text[0]); i++)
        for (char *c = free_text[i]; *c; c++)
            if (*c < ' ' || *c > '~')
                *c = *c == '\n' || *c == '\t' ? ' ' : '?';
    int code = record_check(&clean, why, sizeof(why));
    if (code)
        return error_set(error, code, "record of %s in %s, boot %u: %s", record->workload,
                         record->layout, (unsigned)record->boot, why);

    char *key = record_key(record);
    int repeated = key && json_object_get(set->keys, key);
    free(key);
    if (repeated)
        return error_set(error, -EINVAL,
                         "record of %s in %s, boot %u: operation \"%s\" is there twice",
                         record->workload, record->layout, (unsigned)record->boot, record->op);

    char *line = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&line, &bytes);
    if (to)
        record_print(&clean, to);
    if (!to || fclose(to)) {
        free(line);
        return error_set(error, -ENOMEM, "out of memory");
    }
    code = write_all(set->fd, line, bytes);
    free(line);
    if (!code) {
        set->end += (off_t)bytes;
        code = remember(set, record);
        return code ? error_set(error, code, "out of memory") : 0;
    }
    error_set(error, code, "%s/samples.jsonl: cannot write: %s", set->dir, strerror(-code));
    if (ftruncate(set->fd, set->end) || lseek(set->fd, set->end, SEEK_SET) < 0)
        error_set(error, code, "%s/samples.jsonl: cannot write (%s); its last line is torn",
                  set->dir, strerror(-code));
    return code;
}

int result_set_has(const struct result_set *set, const char *layout, const char *workload,
                   const struct config_params *params, uint32_t boot) {
    char *key = boot_key(layout, workload, params, boot);
    int has = key && json_object_get(set->boots, key) != NULL;
    free(key);
    return has;
}

int result_set_finish(struct result_set *set, int complete, struct error *error) {
    int code = 0;
    if (json_object_set_new(set->manifest, "complete", json_boolean(complete)) ||
        set_time(set->manifest, "ended"))
        code = error_set(error, -ENOMEM, "out of memory");
    if (!code)
        code = manifest_save(set->dir, set->manifest, error);
    set_free(set);
    return code;
}
