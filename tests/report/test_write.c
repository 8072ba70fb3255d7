/*
 * Writing result sets: what is on the disk at each moment, and carrying on after a crash.
 */
#include "helpers.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[256], samples_path[300], manifest_path[300];
static struct error error;

static void start(void) {
    temp_make(dir);
    snprintf(samples_path, sizeof(samples_path), "%s/samples.jsonl", dir);
    snprintf(manifest_path, sizeof(manifest_path), "%s/manifest.json", dir);
}

static void stop(void) { temp_remove(dir); }

TestSuite(write, .init = start, .fini = stop);

static struct result_set *create(int resume, const char *unit) {
    struct result_set *set = NULL;
    int code = result_set_create(&set, dir, resume, manifest_make(unit), &error);
    cr_assert_eq(code, 0, "%s", error.text);
    return set;
}

static void append(struct result_set *set, struct record record) {
    cr_assert_eq(result_set_append(set, &record, &error), 0, "%s", error.text);
}

static void finish(struct result_set *set, int complete) {
    cr_assert_eq(result_set_finish(set, complete, &error), 0, "%s", error.text);
}

static struct result_data *load(void) {
    struct result_data *data;
    cr_assert_eq(result_set_load(dir, &data, &error), 0, "%s", error.text);
    return data;
}

Test(write, what_was_written_is_read) {
    struct result_set *set = create(0, "cycles");
    struct record one = record_make("near", 3, 12.25, -0.1);
    append(set, one);
    struct record two = record_make("far", 0, 0, 0);
    two.n = 0;
    two.op[0] = '\0';
    two.kind = "";
    two.status = "unavailable";
    two.has_events = 0;
    strcpy(two.reason, "no \"PCID\" here\\");
    append(set, two);
    finish(set, 1);

    struct result_data *data = load();
    cr_assert(data->complete);
    cr_assert_eq(data->count, 2);
    const struct record *read = &data->record[0];
    cr_assert_str_eq(read->experiment, "trial");
    cr_assert_str_eq(read->layout, "near");
    cr_assert_str_eq(read->workload, "call");
    cr_assert(record_params_equal(&read->params, &one.params));
    cr_assert_str_eq(read->op, "call");
    cr_assert_str_eq(read->kind, "round-trip");
    cr_assert_str_eq(read->unit, "cycles");
    cr_assert_str_eq(read->backend, "kvm");
    cr_assert_eq(read->boot, 3);
    cr_assert_eq(read->n, 2);
    cr_assert_eq(read->samples[0], 12.25);
    cr_assert_eq(read->samples[1], -0.1);
    cr_assert(read->has_events);
    for (size_t i = 0; i < RESULT_EVENTS_NAMED; i++)
        cr_assert_eq(read->events[i], one.events[i]);
    cr_assert_str_eq(read->status, "ok");
    cr_assert_eq(read->oracle, 0xfedcba9876543210);
    cr_assert_eq(read->overhead, 3.25);
    cr_assert_str_eq(read->trust, "real");
    cr_assert_str_eq(read->host, "alpha");
    cr_assert_str_eq(read->note, "as is");
    cr_assert_str_eq(read->safety, "checked");
    cr_assert_str_eq(data->record[1].reason, "no \"PCID\" here\\");
    cr_assert_eq(data->record[1].n, 0);
    cr_assert_not(data->record[1].has_events);
    result_data_free(data);
}

Test(write, a_line_has_the_keys_in_order_and_whole_numbers_stay_whole) {
    struct result_set *set = create(0, "cycles");
    struct record record = record_make("near", 0, 310, 0.1);
    append(set, record);
    finish(set, 1);
    char *text = file_read(samples_path);
    cr_assert_str_eq(
        text, "{\"schema\":1,\"experiment\":\"trial\",\"layout\":\"near\",\"workload\":\"call\","
              "\"params\":{\"bytes\":64,\"rounds\":-1},\"op\":\"call\",\"kind\":\"round-trip\","
              "\"unit\":\"cycles\",\"backend\":\"kvm\",\"boot\":0,\"n\":2,\"samples\":[310,0.1],"
              "\"events\":{\"ring_crossings\":2,\"table_switches\":0,\"tlb_flushes\":0,"
              "\"context_switches\":1,\"bytes_copied\":96.5,\"messages\":2,\"page_faults\":0,"
              "\"key_switches\":0,\"predictor_barriers\":0,\"cache_flushes\":0,"
              "\"buffer_clears\":0,\"rsb_fills\":0,\"state_saves\":0},"
              "\"status\":\"ok\",\"reason\":\"\",\"oracle\":\"fedcba9876543210\","
              "\"overhead\":3.25,\"trust\":\"real\",\"host\":\"alpha\",\"note\":\"as is\","
              "\"safety\":\"checked\"}\n");
    free(text);
}

Test(write, an_event_that_was_not_counted_has_no_key) {
    struct result_set *set = create(0, "cycles");
    struct record record = record_make("near", 0, 1, 2);
    record.events[0] = record.events[EVENT_KEY_SWITCHES] = NAN;
    append(set, record);
    finish(set, 1);
    char *text = file_read(samples_path);
    cr_assert_not_null(strstr(text, "\"events\":{\"table_switches\":0,"), "%s", text);
    cr_assert_null(strstr(text, "key_switches"));
    free(text);
    struct result_data *data = load();
    cr_assert(isnan(data->record[0].events[0]));
    cr_assert(isnan(data->record[0].events[EVENT_KEY_SWITCHES]));
    cr_assert_eq(data->record[0].events[EVENT_STATE_SAVES], 0);
    result_data_free(data);
}

Test(write, numbers_come_back_exactly) {
    static const double values[] = {0.1, 1.0 / 3, 1e300, -5e-324, 9007199254740993.0, 123456.75};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[64] = "";
        FILE *to = fmemopen(text, sizeof(text), "w");
        record_print_number(values[i], to);
        fclose(to);
        cr_assert_eq(strtod(text, NULL), values[i], "%s", text);
    }
}

Test(write, an_unfinished_set_is_incomplete) {
    struct result_set *set = create(0, "cycles");
    struct result_data *data = load(); /* before the first record */
    cr_assert_not(data->complete);
    cr_assert_eq(data->count, 0);
    result_data_free(data);
    append(set, record_make("near", 0, 1, 2));
    data = load(); /* a record is on the disk as soon as append returns */
    cr_assert_not(data->complete);
    cr_assert_eq(data->count, 1);
    result_data_free(data);
    finish(set, 0);
    data = load();
    cr_assert_not(data->complete);
    cr_assert_str_neq(manifest_text(data->manifest, "ended"), "unknown");
    result_data_free(data);
}

Test(write, a_set_is_not_written_over) {
    struct result_set *set = create(0, "cycles");
    finish(set, 1);
    cr_assert_eq(result_set_create(&set, dir, 0, manifest_make("cycles"), &error), -EEXIST);
    cr_assert_not_null(strstr(error.text, "--resume"));
    struct result_data *data = load();
    cr_assert(data->complete); /* and is left as it was */
    result_data_free(data);
}

Test(write, somebody_elses_file_is_not_touched) {
    struct result_set *set;
    file_write(samples_path, "mine\n");
    cr_assert_eq(result_set_create(&set, dir, 1, manifest_make("cycles"), &error), -EEXIST);
    char *text = file_read(samples_path);
    cr_assert_str_eq(text, "mine\n");
    free(text);
}

Test(write, two_runs_do_not_share_a_set) {
    struct result_set *set = create(0, "cycles"), *other;
    cr_assert_eq(result_set_create(&other, dir, 1, manifest_make("cycles"), &error), -EBUSY);
    finish(set, 1);
}

Test(write, folders_are_made_with_their_parents) {
    char inner[320], outer[300];
    struct result_set *set;
    snprintf(outer, sizeof(outer), "%s/a", dir);
    snprintf(inner, sizeof(inner), "%s/b", outer);
    cr_assert_eq(result_set_create(&set, inner, 0, manifest_make("cycles"), &error), 0);
    finish(set, 1);
    temp_remove(inner);
    cr_assert_eq(rmdir(outer), 0);
    file_write(outer, "a file");
    cr_assert_lt(result_set_create(&set, inner, 0, manifest_make("cycles"), &error), 0);
    cr_assert_not_null(strstr(error.text, outer));
    unlink(outer);
}

Test(write, resume_keeps_whole_boots_and_drops_the_last) {
    struct result_set *set = create(0, "cycles");
    append(set, record_make("near", 0, 1, 2));
    append(set, record_make("near", 1, 3, 4));
    struct record second = record_make("near", 1, 5, 6);
    strcpy(second.op, "other");
    append(set, second);
    finish(set, 0);
    FILE *to = fopen(samples_path, "a"); /* as a crash in the middle of a write leaves it */
    fputs("{\"schema\":1,\"experi", to);
    fclose(to);

    set = create(1, "cycles");
    cr_assert(result_set_has(set, "near", "call", &second.params, 0));
    cr_assert_not(result_set_has(set, "near", "call", &second.params, 1));
    cr_assert_not(result_set_has(set, "far", "call", &second.params, 0));
    struct config_params params = {.item = {{"bytes", 65}, {"rounds", -1}}, .count = 2};
    cr_assert_not(result_set_has(set, "near", "call", &params, 0));
    append(set, record_make("near", 1, 7, 8));
    cr_assert(result_set_has(set, "near", "call", &second.params, 1));
    finish(set, 1);

    struct result_data *data = load();
    cr_assert(data->complete);
    cr_assert_eq(data->count, 2);
    cr_assert_eq(data->record[1].samples[0], 7);
    result_data_free(data);
}

Test(write, resume_of_a_whole_set_keeps_it_all) {
    struct result_set *set = create(0, "cycles");
    append(set, record_make("near", 0, 1, 2));
    finish(set, 1);
    set = create(1, "cycles");
    struct record record = record_make("near", 0, 1, 2);
    cr_assert(result_set_has(set, "near", "call", &record.params, 0));
    finish(set, 1);
}

Test(write, resume_into_an_empty_folder_starts_a_set) {
    struct result_set *set = create(1, "cycles");
    append(set, record_make("near", 0, 1, 2));
    finish(set, 1);
}

/* Puts `value` at the dotted path; takes the value over. */
static void change(json_t *manifest, const char *path, json_t *value) {
    char key[64];
    for (const char *dot; (dot = strchr(path, '.')) && strcmp(path, "kernel.elf"); path = dot + 1) {
        snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
        manifest = json_object_get(manifest, key);
    }
    json_object_set_new(manifest, path, value);
}

static void refused(const char *path, json_t *value, const char *unit, int expected) {
    struct result_set *set = create(1, unit);
    finish(set, 0);
    json_t *manifest = manifest_make(unit);
    change(manifest, path, value);
    int code = result_set_create(&set, dir, 1, manifest, &error);
    cr_assert_eq(code, expected, "%s: %d %s", path, code, error.text);
    if (!code)
        finish(set, 0);
    else
        cr_assert_not_null(strstr(error.text, strstr(path, "images") ? "kernel.elf" : path), "%s",
                           error.text);
    unlink(manifest_path);
}

Test(write, resume_refuses_another_run) {
    refused("experiment", json_string("x"), "cycles", -EINVAL);
    refused("seed", json_integer(8), "cycles", -EINVAL);
    refused("backend", json_string("x"), "cycles", -EINVAL);
    refused("backend_version", json_string("x"), "cycles", -EINVAL);
    refused("commit", json_string("x"), "cycles", -EINVAL);
    refused("simulate", json_true(), "cycles", -EINVAL);
    refused("images.kernel.elf", json_string("0b"), "cycles", -EINVAL);
    refused("host.cpu.model", json_string("x"), "cycles", -EINVAL);
    refused("host.kernel", json_string("x"), "cycles", -EINVAL);
    refused("host.cpu.model", json_string("x"), "instructions", 0); /* counts do not depend on it */
    refused("comment", json_string("x"), "cycles", 0);
}

Test(write, resume_refuses_a_damaged_set) {
    struct result_set *set = create(0, "cycles");
    finish(set, 0);
    file_write(samples_path, "{}\n");
    cr_assert_eq(result_set_create(&set, dir, 1, manifest_make("cycles"), &error), -EINVAL);
    cr_assert_not_null(strstr(error.text, "samples.jsonl:1:"));
}

Test(write, free_text_is_cleaned_and_names_are_not) {
    struct result_set *set = create(0, "cycles");
    struct record record = record_make("near", 0, 1, 2);
    record.status = "simulated";
    strcpy(record.reason, "bad\x1b[2J\nbyte\xff");
    append(set, record);
    record = record_make("ne\tar", 0, 1, 2);
    cr_assert_eq(result_set_append(set, &record, &error), -EINVAL);
    cr_assert_not_null(strstr(error.text, "layout"));
    finish(set, 1);
    struct result_data *data = load();
    cr_assert_eq(data->count, 1);
    cr_assert_str_eq(data->record[0].reason, "bad?[2J byte?");
    result_data_free(data);
}

static void not_written(struct result_set *set, struct record record, const char *word) {
    cr_assert_eq(result_set_append(set, &record, &error), -EINVAL, "%s", word);
    cr_assert_not_null(strstr(error.text, word), "%s: %s", word, error.text);
}

Test(write, a_record_that_breaks_a_rule_is_not_written) {
    struct result_set *set = create(0, "cycles");
    const struct record good = record_make("near", 0, 1, 2);
    struct record bad = good;
    bad.samples = (double[]){1, NAN};
    not_written(set, bad, "samples");
    bad = good;
    bad.n = 0;
    not_written(set, bad, "samples");
    bad = good;
    bad.unit = "seconds";
    not_written(set, bad, "unit");
    bad = good;
    bad.kind = "both";
    not_written(set, bad, "kind");
    bad = good;
    bad.status = "failed";
    not_written(set, bad, "samples");
    bad.n = 0;
    not_written(set, bad, "reason");
    bad = good;
    bad.events[2] = -1;
    not_written(set, bad, "tlb_flushes");
    bad.events[2] = INFINITY;
    not_written(set, bad, "tlb_flushes");
    bad = good;
    bad.op[0] = '\0';
    not_written(set, bad, "op");
    bad = good;
    strcpy(bad.params.item[1].name, "bytes");
    not_written(set, bad, "params");
    finish(set, 1);
    char *text = file_read(samples_path);
    cr_assert_str_eq(text, "");
    free(text);
}

Test(write, an_operation_is_not_written_twice) {
    struct result_set *set = create(0, "cycles");
    append(set, record_make("near", 0, 1, 2));
    append(set, record_make("near", 1, 1, 2));
    not_written(set, record_make("near", 0, 1, 2), "twice");
    finish(set, 1);
    set = create(1, "cycles");
    not_written(set, record_make("near", 1, 1, 2), "twice");
    finish(set, 1);
}

Test(write, a_full_disk_leaves_whole_lines) {
    struct result_set *set = create(0, "cycles");
    append(set, record_make("near", 0, 1, 2));
    struct stat st;
    cr_assert_eq(stat(samples_path, &st), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {(rlim_t)st.st_size + 20, RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct record record = record_make("near", 1, 3, 4);
    int code = result_set_append(set, &record, &error);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq(code, -EFBIG);
    cr_assert_not_null(strstr(error.text, samples_path));
    append(set, record); /* there is room again */
    finish(set, 1);
    struct result_data *data = load();
    cr_assert_eq(data->count, 2);
    result_data_free(data);
}

Test(write, the_host_is_described) {
    static const char *const text[] = {"hostname", "cpu.vendor",    "cpu.model", "cpu.family",
                                       "cpu.smt",  "cpu.microcode", "cpu.turbo", "cpu.governor",
                                       "kernel",   "cpu.stepping",  "thp",       "kvm.module",
                                       "machine",  "kvm.nested"};
    json_t *host = manifest_host();
    cr_assert_not_null(host);
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        cr_assert_gt(strlen(manifest_text(host, text[i])), 0, "%s", text[i]);
    cr_assert_gt(json_integer_value(json_object_get(host, "memory_bytes")), 1 << 20);
    cr_assert_geq(json_integer_value(json_object_get(json_object_get(host, "cpu"), "cores")), 1);
    cr_assert(json_is_object(json_object_get(host, "mitigations")));
    cr_assert_str_neq(manifest_text(host, "kernel"), "unknown");
    json_decref(host);
}
