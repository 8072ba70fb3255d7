/*
 * The rules that a record keeps, and its one form as a line of JSON. Writing sets is
 * records_write.c's business, reading them records_read.c's.
 */
#include "records.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const event_name[RESULT_EVENTS_NAMED] = RESULT_EVENT_NAMES;

int record_measured(const struct record *record) {
    return !strcmp(record->status, "ok") || !strcmp(record->status, "simulated");
}

int record_params_equal(const struct config_params *a, const struct config_params *b) {
    if (a->count != b->count)
        return 0;
    for (size_t i = 0; i < a->count; i++)
        if (a->item[i].value != b->item[i].value || strcmp(a->item[i].name, b->item[i].name))
            return 0;
    return 1;
}

static int one_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (!strcmp(word, *words))
            return 1;
    return 0;
}

static int printable(const char *text) {
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return 0;
    return 1;
}

static int refuse(char *why, size_t bytes, const char *what, const char *rule) {
    snprintf(why, bytes, "%s %s", what, rule);
    return -EINVAL;
}

static int check_params(const struct config_params *params, char *why, size_t bytes) {
    if (params->count > PLAN_MAX_PARAMS)
        return refuse(why, bytes, "params", "has too many entries");
    for (size_t i = 0; i < params->count; i++) {
        const char *name = params->item[i].name;
        if (!name[0] || !printable(name))
            return refuse(why, bytes, "params", "has a name that is empty or not printable ASCII");
        if (i && strcmp(params->item[i - 1].name, name) >= 0)
            return refuse(why, bytes, "params", "must be sorted by name, each name once");
    }
    return 0;
}

static int check_samples(const struct record *record, char *why, size_t bytes) {
    if (record->n > RECORD_MAX_SAMPLES)
        return refuse(why, bytes, "samples", "has more than 16,384 values");
    for (uint32_t i = 0; i < record->n; i++)
        if (!isfinite(record->samples[i]))
            return refuse(why, bytes, "samples", "has a value that is not a finite number");
    if (!isfinite(record->overhead))
        return refuse(why, bytes, "overhead", "is not a finite number");
    for (size_t i = 0; record->has_events && i < RESULT_EVENTS_NAMED; i++)
        if (isinf(record->events[i]) || record->events[i] < 0)
            return refuse(why, bytes, event_name[i], "in events must be a number from 0");
    return 0;
}

int record_check(const struct record *record, char *why, size_t bytes) {
    static const char *const kinds[] = {"one-way", "round-trip", "single", NULL};
    static const char *const units[] = {"cycles", "instructions", NULL};
    static const char *const statuses[] = {"ok", "unavailable", "simulated", "failed", NULL};
    static const char *const safeties[] = {"",      "unchecked", "checked", "masked",
                                           "mixed", "none",      NULL};
    const struct {
        const char *name, *text;
        int may_be_empty;
    } text[] = {
        {"experiment", record->experiment, 0},
        {"layout", record->layout, 0},
        {"workload", record->workload, 0},
        {"backend", record->backend, 0},
        {"op", record->op, 1},
        {"reason", record->reason, 1},
        {"trust", record->trust, 1},
        {"host", record->host, 1},
        {"note", record->note, 1},
    };

    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        if ((!text[i].text[0] && !text[i].may_be_empty) || !printable(text[i].text))
            return refuse(why, bytes, text[i].name,
                          text[i].may_be_empty ? "must be printable ASCII"
                                               : "must be printable ASCII, at least one character");
    if (!one_of(record->status, statuses))
        return refuse(why, bytes, "status", "must be ok, unavailable, simulated or failed");
    if (!one_of(record->unit, units))
        return refuse(why, bytes, "unit", "must be cycles or instructions");
    if (!one_of(record->kind, kinds) && (record->kind[0] || record->op[0]))
        return refuse(why, bytes, "kind", "must be one-way, round-trip or single");
    if (!one_of(record->safety, safeties))
        return refuse(why, bytes, "safety", "must be unchecked, checked, masked, mixed or none");
    if (record_measured(record)) {
        if (!record->op[0])
            return refuse(why, bytes, "op", "must have a name in a record with figures");
        if (!record->n)
            return refuse(why, bytes, "samples", "must not be empty in a record with figures");
    } else if (record->n) {
        return refuse(why, bytes, "samples", "must be empty when unavailable or failed");
    }
    if (strcmp(record->status, "ok") && !record->reason[0])
        return refuse(why, bytes, "reason", "must tell why the status is not ok");
    int code = check_params(&record->params, why, bytes);
    return code ? code : check_samples(record, why, bytes);
}

char *record_key(const struct record *record) {
    char *key = NULL;
    size_t bytes;
    FILE *to = open_memstream(&key, &bytes);
    if (!to)
        return NULL;
    fprintf(to, "%s\n%s\n%s\n%s\n%s\n%s\n%" PRIu32 "\n", record->layout, record->workload,
            record->op, record->kind, record->unit, record->backend, record->boot);
    record_print_params(&record->params, to);
    if (!fclose(to))
        return key;
    free(key);
    return NULL;
}

void record_print_string(const char *text, FILE *to) {
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', to);
        fputc(*text >= ' ' && *text <= '~' ? *text : '?', to);
    }
    fputc('"', to);
}

void record_print_number(double value, FILE *to) {
    char text[40] = "null";
    if (isfinite(value) && value == rint(value) && fabs(value) < 9007199254740992.0) {
        snprintf(text, sizeof(text), "%" PRId64, (int64_t)value);
    } else if (isfinite(value)) {
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(text, sizeof(text), "%.*g", digits, value);
            if (strtod(text, NULL) == value)
                break;
        }
    }
    fputs(text, to);
}

void record_print_params(const struct config_params *params, FILE *to) {
    fputc('{', to);
    for (size_t i = 0; i < params->count; i++) {
        fputs(i ? "," : "", to);
        record_print_string(params->item[i].name, to);
        fprintf(to, ":%" PRId64, params->item[i].value);
    }
    fputc('}', to);
}

void record_print_events(const double *events, int has_events, FILE *to) {
    const char *comma = "";
    fputc('{', to);
    for (size_t i = 0; has_events && i < RESULT_EVENTS_NAMED; i++) {
        if (isnan(events[i]))
            continue;
        fprintf(to, "%s\"%s\":", comma, event_name[i]);
        record_print_number(events[i], to);
        comma = ",";
    }
    fputc('}', to);
}

static void print_member(const char *key, const char *text, FILE *to) {
    fprintf(to, ",\"%s\":", key);
    record_print_string(text, to);
}

void record_print(const struct record *record, FILE *to) {
    fprintf(to, "{\"schema\":%d", RECORD_SCHEMA);
    print_member("experiment", record->experiment, to);
    print_member("layout", record->layout, to);
    print_member("workload", record->workload, to);
    fputs(",\"params\":", to);
    record_print_params(&record->params, to);
    print_member("op", record->op, to);
    print_member("kind", record->kind, to);
    print_member("unit", record->unit, to);
    print_member("backend", record->backend, to);
    fprintf(to, ",\"boot\":%" PRIu32 ",\"n\":%" PRIu32 ",\"samples\":[", record->boot, record->n);
    for (uint32_t i = 0; i < record->n; i++) {
        fputs(i ? "," : "", to);
        record_print_number(record->samples[i], to);
    }
    fputs("],\"events\":", to);
    record_print_events(record->events, record->has_events, to);
    print_member("status", record->status, to);
    print_member("reason", record->reason, to);
    /* Hexadecimal text: a JSON number would lose bits in most readers. */
    fprintf(to, ",\"oracle\":\"%016" PRIx64 "\",\"overhead\":", record->oracle);
    record_print_number(record->overhead, to);
    print_member("trust", record->trust, to);
    print_member("host", record->host, to);
    print_member("note", record->note, to);
    print_member("safety", record->safety, to);
    fputs("}\n", to);
}
