/*
 * Reading a result set. The files may come from anywhere, so every line is checked before it is
 * believed, and a message names file, line and rule.
 */
#include "records.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (1u << 20)
#define RECORDS_MAX (1u << 20)

static const char *const event_name[RESULT_EVENTS_NAMED] = RESULT_EVENT_NAMES;

struct place { /* where the reader is, and where it tells what is wrong */
    const char *name;
    size_t line;
    struct error *error;
};

#define WRONG(place, format, ...)                                                                  \
    (error_set((place)->error, -EINVAL, "%s:%zu: " format, (place)->name, (place)->line,           \
               ##__VA_ARGS__),                                                                     \
     -EINVAL)

static int no_memory(struct error *error) {
    error_set(error, -ENOMEM, "out of memory");
    return -ENOMEM;
}

struct result_data *result_data_create(void) {
    struct result_data *data = calloc(1, sizeof(*data));
    if (!data)
        return NULL;
    data->names = json_object();
    data->seen = json_object();
    if (data->names && data->seen)
        return data;
    result_data_free(data);
    return NULL;
}

void result_data_free(struct result_data *data) {
    if (!data)
        return;
    for (size_t i = 0; i < data->count; i++)
        free(data->record[i].samples);
    free(data->record);
    free(data->end);
    free(data->dir);
    json_decref(data->manifest);
    json_decref(data->names);
    json_decref(data->seen);
    free(data);
}

/* ---- one line ---- */

static int read_text(const struct place *place, const json_t *line, const char *key, int needed,
                     const char **out) {
    const json_t *value = json_object_get(line, key);
    *out = "";
    if (!value && !needed)
        return 0;
    if (!value)
        return WRONG(place, "key \"%s\" is missing", key);
    if (!json_is_string(value))
        return WRONG(place, "key \"%s\" must be a string", key);
    *out = json_string_value(value);
    return 0;
}

/* A string that lives as long as the data. */
static int read_name(const struct place *place, struct result_data *data, const json_t *line,
                     const char *key, const char **out) {
    int code = read_text(place, line, key, 1, out);
    if (code)
        return code;
    if (strlen(*out) > 255)
        return WRONG(place, "key \"%s\" has more than 255 characters", key);
    if (!json_object_get(data->names, *out) &&
        json_object_set_new(data->names, *out, json_string(*out)))
        return no_memory(place->error);
    *out = json_string_value(json_object_get(data->names, *out));
    return 0;
}

static int read_buffer(const struct place *place, const json_t *line, const char *key, int needed,
                       char *out, size_t bytes) {
    const char *text;
    int code = read_text(place, line, key, needed, &text);
    if (code)
        return code;
    if (strlen(text) >= bytes)
        return WRONG(place, "key \"%s\" has more than %zu characters", key, bytes - 1);
    strcpy(out, text);
    return 0;
}

static int read_whole(const struct place *place, const json_t *line, const char *key,
                      json_int_t most, json_int_t *out) {
    const json_t *value = json_object_get(line, key);
    if (!value)
        return WRONG(place, "key \"%s\" is missing", key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > most)
        return WRONG(place, "key \"%s\" must be a whole number from 0 to %" JSON_INTEGER_FORMAT,
                     key, most);
    *out = json_integer_value(value);
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct config_param *)a)->name, ((const struct config_param *)b)->name);
}

static int read_params(const struct place *place, const json_t *line, struct config_params *out) {
    json_t *params = json_object_get(line, "params"), *value;
    const char *name;
    if (!json_is_object(params))
        return WRONG(place, "key \"params\" %s", params ? "must be an object" : "is missing");
    if (json_object_size(params) > PLAN_MAX_PARAMS)
        return WRONG(place, "key \"params\" has more than %u entries", PLAN_MAX_PARAMS);
    json_object_foreach(params, name, value) {
        if (strlen(name) >= CONFIG_NAME_BYTES)
            return WRONG(place, "key \"params\" has a name of more than %u characters",
                         CONFIG_NAME_BYTES - 1);
        if (!json_is_integer(value))
            return WRONG(place, "parameter \"%s\" must be a whole number", name);
        strcpy(out->item[out->count].name, name);
        out->item[out->count++].value = json_integer_value(value);
    }
    qsort(out->item, out->count, sizeof(out->item[0]), by_name);
    return 0;
}

static int read_samples(const struct place *place, const json_t *line, struct record *record) {
    const json_t *samples = json_object_get(line, "samples");
    json_int_t n;
    int code = read_whole(place, line, "n", RECORD_MAX_SAMPLES, &n);
    if (code)
        return code;
    if (!json_is_array(samples))
        return WRONG(place, "key \"samples\" %s", samples ? "must be an array" : "is missing");
    if (json_array_size(samples) != (size_t)n)
        return WRONG(place, "\"n\" is %" JSON_INTEGER_FORMAT ", but there are %zu samples", n,
                     json_array_size(samples));
    if (!n)
        return 0;
    record->samples = malloc((size_t)n * sizeof(double));
    if (!record->samples)
        return no_memory(place->error);
    for (size_t i = 0; i < (size_t)n; i++) {
        const json_t *value = json_array_get(samples, i);
        if (!json_is_number(value))
            return WRONG(place, "sample %zu must be a number", i + 1);
        record->samples[i] = json_number_value(value);
    }
    record->n = (uint32_t)n;
    return 0;
}

static int read_events(const struct place *place, const json_t *line, struct record *record) {
    json_t *events = json_object_get(line, "events"), *value;
    const char *name;
    if (!json_is_object(events))
        return WRONG(place, "key \"events\" %s", events ? "must be an object" : "is missing");
    for (size_t i = 0; i < RESULT_EVENTS_NAMED; i++)
        record->events[i] = NAN; /* an older set did not count what is new */
    json_object_foreach(events, name, value) {
        size_t i = 0;
        while (i < RESULT_EVENTS_NAMED && strcmp(event_name[i], name))
            i++;
        if (i == RESULT_EVENTS_NAMED)
            return WRONG(place, "event \"%.60s\" is not known", name);
        if (!json_is_number(value))
            return WRONG(place, "event \"%s\" must be a number", name);
        record->events[i] = json_number_value(value);
        record->has_events = 1;
    }
    return 0;
}

static int read_extras(const struct place *place, const json_t *line, struct record *record) {
    const json_t *overhead = json_object_get(line, "overhead");
    const char *oracle;
    char *end;
    int code = read_text(place, line, "oracle", 0, &oracle);
    if (code)
        return code;
    record->oracle = strtoull(oracle, &end, 16);
    if (*end || strlen(oracle) > 16 || strspn(oracle, "0123456789abcdef") != strlen(oracle))
        return WRONG(place, "key \"oracle\" must be up to 16 hexadecimal digits");
    if (overhead && !json_is_number(overhead))
        return WRONG(place, "key \"overhead\" must be a number");
    record->overhead = json_number_value(overhead);
    (void)((code = read_buffer(place, line, "trust", 0, record->trust, sizeof(record->trust))) ||
           (code = read_buffer(place, line, "host", 0, record->host, sizeof(record->host))) ||
           (code = read_buffer(place, line, "note", 0, record->note, sizeof(record->note))) ||
           (code = read_buffer(place, line, "safety", 0, record->safety, sizeof(record->safety))));
    return code;
}

static int read_record(const struct place *place, struct result_data *data, const json_t *line,
                       struct record *record) {
    json_int_t schema, boot;
    char why[128];
    int code;
    if (!json_is_object(line))
        return WRONG(place, "must be a JSON object");
    if ((code = read_whole(place, line, "schema", INT32_MAX, &schema)))
        return code;
    if (schema != RECORD_SCHEMA)
        return WRONG(place, "\"schema\" is %" JSON_INTEGER_FORMAT ", this version reads %d", schema,
                     RECORD_SCHEMA);
    if ((code = read_name(place, data, line, "experiment", &record->experiment)) ||
        (code = read_name(place, data, line, "layout", &record->layout)) ||
        (code = read_name(place, data, line, "workload", &record->workload)) ||
        (code = read_params(place, line, &record->params)) ||
        (code = read_buffer(place, line, "op", 1, record->op, sizeof(record->op))) ||
        (code = read_name(place, data, line, "kind", &record->kind)) ||
        (code = read_name(place, data, line, "unit", &record->unit)) ||
        (code = read_name(place, data, line, "backend", &record->backend)) ||
        (code = read_whole(place, line, "boot", UINT32_MAX, &boot)) ||
        (code = read_samples(place, line, record)) || (code = read_events(place, line, record)) ||
        (code = read_name(place, data, line, "status", &record->status)) ||
        (code = read_buffer(place, line, "reason", 1, record->reason, sizeof(record->reason))) ||
        (code = read_extras(place, line, record)))
        return code;
    record->boot = (uint32_t)boot;
    if (record_check(record, why, sizeof(why)))
        return WRONG(place, "%s", why);
    return 0;
}

/* ---- the file ---- */

/* A boot counted twice would narrow every interval: the same record again is an error. */
static int check_repeat(const struct place *place, struct result_data *data,
                        const struct record *record) {
    char *key = record_key(record);
    int code = key ? 0 : no_memory(place->error);
    const json_t *before = code ? NULL : json_object_get(data->seen, key);
    const char *file = json_string_value(json_array_get(before, 0));
    json_int_t line = json_integer_value(json_array_get(before, 1));
    if (before && !strcmp(file, place->name))
        code = WRONG(place, "repeats line %" JSON_INTEGER_FORMAT ": %s in %s, boot %" PRIu32, line,
                     record->workload, record->layout, record->boot);
    else if (before)
        code = WRONG(place,
                     "%s in %s is in %s:%" JSON_INTEGER_FORMAT " too; `bulkhead compare` takes "
                     "sets with the same cells",
                     record->workload, record->layout, file, line);
    else if (!code &&
             json_object_set_new(data->seen, key,
                                 json_pack("[s, I]", place->name, (json_int_t)place->line)))
        code = no_memory(place->error);
    free(key);
    return code;
}

static int add_record(struct result_data *data, const struct record *record, uint64_t end) {
    if (!(data->count & (data->count - 1))) { /* grows at 0 and at each power of two */
        size_t room = data->count ? data->count * 2 : 1;
        struct record *more = realloc(data->record, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        data->record = more;
        uint64_t *ends = realloc(data->end, room * sizeof(*ends));
        if (!ends)
            return -ENOMEM;
        data->end = ends;
    }
    data->record[data->count] = *record;
    data->end[data->count++] = end;
    return 0;
}

static int read_line(const struct place *place, struct result_data *data, const char *text,
                     size_t bytes, uint64_t end) {
    json_error_t why;
    struct record record = {0};
    json_t *line = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!line)
        return WRONG(place, "not JSON: %s (column %d)", why.text, why.column);
    int code = read_record(place, data, line, &record);
    json_decref(line);
    if (!code)
        code = check_repeat(place, data, &record);
    if (!code && data->count == RECORDS_MAX)
        code = WRONG(place, "more than %u records", RECORDS_MAX);
    if (!code && (code = add_record(data, &record, end)))
        no_memory(place->error);
    if (code)
        free(record.samples);
    return code;
}

int result_data_read(struct result_data *data, FILE *from, const char *name, struct error *error) {
    struct place place = {.name = name, .error = error};
    char *line = malloc(LINE_MAX_BYTES);
    size_t length = 0;
    uint64_t offset = 0;
    int code = 0, c;
    if (!line)
        return no_memory(error);
    while (!code && (c = getc(from)) != EOF) {
        offset++;
        if (!length)
            place.line++;
        if (length == LINE_MAX_BYTES) {
            code = WRONG(&place, "more than %u bytes in a line", LINE_MAX_BYTES);
            break;
        }
        line[length++] = (char)c;
        if (c != '\n')
            continue;
        code = read_line(&place, data, line, length - 1, offset);
        length = 0;
    }
    if (!code && ferror(from))
        code = error_set(error, -EIO, "%s: cannot read", name);
    data->torn = !code && length > 0;
    free(line);
    return code;
}

/* Adds the records of the set in `dir`, whose manifest is given. */
static int read_set(struct result_data *data, const char *dir, const json_t *manifest,
                    struct error *error) {
    char path[PATH_MAX];
    size_t first = data->count;
    int torn = data->torn;
    if ((size_t)snprintf(path, sizeof(path), "%s/samples.jsonl", dir) >= sizeof(path))
        return error_set(error, -ENAMETOOLONG, "%.200s...: the name is too long", dir);
    FILE *from = fopen(path, "re");
    if (!from)
        return error_set(error, -errno, "%s: cannot read: %s", path, strerror(errno));
    int code = result_data_read(data, from, path, error);
    fclose(from);
    for (size_t i = first; i < data->count; i++)
        data->strangers +=
            strcmp(data->record[i].experiment, manifest_text(manifest, "experiment")) != 0;
    data->complete &= json_is_true(json_object_get(manifest, "complete")) && !data->torn;
    data->torn |= torn;
    return code;
}

int result_set_load(const char *dir, struct result_data **out, struct error *error) {
    struct result_data *data = result_data_create();
    if (!data || !(data->dir = strdup(dir))) {
        result_data_free(data);
        return no_memory(error);
    }
    data->complete = 1;
    int code = manifest_load(dir, &data->manifest, error);
    if (!code)
        code = read_set(data, dir, data->manifest, error);
    if (code) {
        result_data_free(data);
        return code;
    }
    *out = data;
    return 0;
}

/* ---- several sets as one ---- */

static int check_unit(const struct result_data *data, size_t first, const char *dir,
                      struct error *error) {
    for (size_t i = first; first && i < data->count; i++) {
        const struct record *record = &data->record[i];
        size_t k = 0;
        while (k < first && strcmp(data->record[k].unit, record->unit))
            k++;
        if (k == first)
            return error_set(error, -EINVAL,
                             "%s has figures in %s (%s), %s in %s (%s): one is time, the other a "
                             "count of instructions, and no ratio between them means anything. "
                             "Report them apart.",
                             dir, record->unit, record->backend, data->dir, data->record[0].unit,
                             data->record[0].backend);
    }
    return 0;
}

/* Adds to the first list what it lacks of the second. */
static void join_lists(json_t *into, const json_t *from) {
    const json_t *name, *known;
    size_t i, k;
    json_array_foreach(from, i, name) {
        int have = 0;
        json_array_foreach(into, k, known) { have |= json_equal(known, name); }
        if (!have)
            json_array_append(into, (json_t *)name);
    }
}

static void join_text(json_t *into, const json_t *from, const char *key) {
    const char *a = manifest_text(into, key), *b = manifest_text(from, key);
    if (strcmp(a, b))
        json_object_set_new(into, key, json_sprintf("%s + %s", a, b));
}

static void join_manifest(struct result_data *data, const json_t *other, const char *dir) {
    static const char *const texts[] = {"experiment", "backend_version", "commit"};
    json_t *into = data->manifest, *sets = json_object_get(into, "sets");
    if (!sets) {
        sets = json_pack("[s]", data->dir);
        json_object_set_new(into, "sets", sets);
    }
    json_array_append_new(sets, json_string(dir));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        join_text(into, other, texts[i]);
    join_lists(json_object_get(into, "layouts"), json_object_get(other, "layouts"));
    join_lists(json_object_get(into, "workloads"), json_object_get(other, "workloads"));
    json_object_set_new(into, "cells",
                        json_integer(json_integer_value(json_object_get(into, "cells")) +
                                     json_integer_value(json_object_get(other, "cells"))));
}

int result_set_join(struct result_data *data, const char *dir, struct error *error) {
    json_t *manifest;
    size_t first = data->count;
    int code = manifest_load(dir, &manifest, error);
    if (code)
        return code;
    code = read_set(data, dir, manifest, error);
    if (!code)
        code = check_unit(data, first, dir, error);
    if (!code)
        join_manifest(data, manifest, dir);
    json_decref(manifest);
    return code;
}
