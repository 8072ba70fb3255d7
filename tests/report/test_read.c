/*
 * Reading result sets that were damaged or made up to harm. Each broken folder in data/ breaks one
 * rule.
 */
#include "helpers.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error error;

struct broken {
    char dir[32];
    char says[96];
};

ParameterizedTestParameters(read, broken_sets_are_refused) {
    static struct broken broken[] = {
        {"bad-json", "samples.jsonl:2: not JSON"},
        {"bad-manifest", "\"complete\" must be true or false"},
        {"control-bytes", "samples.jsonl:1: layout must be printable"},
        {"missing-key", "samples.jsonl:2: key \"unit\" is missing"},
        {"negative-boot", "samples.jsonl:1: key \"boot\" must be a whole number"},
        {"no-reason", "samples.jsonl:1: reason must tell"},
        {"no-samples", "samples.jsonl: cannot read"},
        {"nowhere", "nowhere/manifest.json: cannot read"},
        {"other-schema", "samples.jsonl:1: \"schema\" is 2"},
        {"repeat", "samples.jsonl:3: repeats line 1"},
        {"wrong-count", "samples.jsonl:1: \"n\" is 3, but there are 2 samples"},
        {"wrong-event", "samples.jsonl:1: event \"tea_breaks\" is not known"},
        {"wrong-kind", "samples.jsonl:2: kind must be"},
        {"wrong-safety", "samples.jsonl:1: safety must be"},
        {"wrong-sample", "samples.jsonl:1: sample 2 must be a number"},
        {"wrong-unit", "samples.jsonl:1: unit must be"},
    };
    return cr_make_param_array(struct broken, broken, sizeof(broken) / sizeof(broken[0]));
}

ParameterizedTest(struct broken *broken, read, broken_sets_are_refused) {
    struct result_data *data;
    cr_assert_eq(chdir(REPORT_DATA), 0);
    int code = result_set_load(broken->dir, &data, &error);
    cr_assert_lt(code, 0, "%s was accepted", broken->dir);
    cr_assert_not_null(strstr(error.text, broken->says), "%s: %s", broken->dir, error.text);
}

static struct result_data *load(const char *dir) {
    struct result_data *data;
    cr_assert_eq(chdir(REPORT_DATA), 0);
    cr_assert_eq(result_set_load(dir, &data, &error), 0, "%s", error.text);
    return data;
}

Test(read, a_torn_line_is_left_out) {
    struct result_data *data = load("torn");
    cr_assert(data->torn);
    cr_assert_not(data->complete);
    cr_assert_eq(data->count, 2);
    result_data_free(data);
}

Test(read, a_torn_line_makes_a_set_incomplete_whatever_its_manifest_says) {
    char dir[256], path[300];
    temp_make(dir);
    snprintf(path, sizeof(path), "%s/manifest.json", dir);
    file_write(path, "{\"schema\": 1, \"complete\": true}");
    snprintf(path, sizeof(path), "%s/samples.jsonl", dir);
    file_write(path, "{\"sch");
    struct result_data *data;
    cr_assert_eq(result_set_load(dir, &data, &error), 0, "%s", error.text);
    cr_assert_not(data->complete);
    cr_assert_eq(data->count, 0);
    result_data_free(data);
    temp_remove(dir);
}

Test(read, an_incomplete_set_says_so) {
    struct result_data *data = load("incomplete");
    cr_assert_not(data->complete);
    cr_assert_not(data->torn);
    result_data_free(data);
    data = load("ladder");
    cr_assert(data->complete);
    result_data_free(data);
}

/* Reads `text` as a samples file. */
static int read_text(const char *text, size_t bytes) {
    struct result_data *data = result_data_create();
    FILE *from = fmemopen((void *)text, bytes, "r");
    int code = result_data_read(data, from, "x", &error);
    fclose(from);
    result_data_free(data);
    return code;
}

/* A good line with one piece replaced. */
static char *replaced(const char *piece, const char *with) {
    char *good = file_read(REPORT_DATA "/incomplete/samples.jsonl"), *out = NULL;
    *strchr(good, '\n') = '\0';
    char *at = strstr(good, piece);
    cr_assert_not_null(at, "%s", piece);
    cr_assert_gt(asprintf(&out, "%.*s%s%s\n", (int)(at - good), good, with, at + strlen(piece)), 0);
    free(good);
    return out;
}

static void refuses(const char *piece, const char *with, const char *says) {
    char *text = replaced(piece, with);
    cr_assert_eq(read_text(text, strlen(text)), -EINVAL, "%s", with);
    cr_assert_not_null(strstr(error.text, says), "%s: %s", with, error.text);
    free(text);
}

Test(read, hostile_values_are_refused) {
    refuses("\"n\":2", "\"n\":-2", "\"n\" must be a whole number");
    refuses("\"n\":2", "\"n\":1e3", "\"n\" must be a whole number");
    refuses("\"n\":2", "\"n\":16385", "\"n\" must be a whole number from 0 to 16384");
    refuses("\"n\":2", "\"n\":99999999999999999999", "not JSON");
    refuses("\"n\":2", "\"n\":2,\"n\":2", "not JSON: duplicate");
    refuses("[12,12]", "[12,1e999]", "not JSON");
    refuses("[12,12]", "[12,NaN]", "not JSON");
    refuses("[12,12]", "{\"0\":12}", "must be an array");
    refuses("[12,12]", "[12,null]", "sample 2 must be a number");
    refuses("\"boot\":0", "\"boot\":4294967296", "key \"boot\"");
    refuses("\"params\":{}", "\"params\":[]", "must be an object");
    refuses("\"params\":{}", "\"params\":{\"bytes\":1.5}", "must be a whole number");
    refuses("\"params\":{}", "\"params\":{\"\":1}", "params");
    refuses("\"params\":{}", "\"params\":{\"a-name-much-longer-than-a-plan-can-hold\":1}",
            "more than 31 characters");
    refuses("\"layout\":\"sip-phys\"", "\"layout\":\"\"", "layout");
    refuses("\"layout\":\"sip-phys\"", "\"layout\":\"a\\u0000b\"", "not JSON");
    refuses("\"layout\":\"sip-phys\"", "\"layout\":\"a\\nb\"", "printable");
    refuses("\"op\":\"abi-call\"", "\"op\":\"an-operation-with-a-very-long-name\"",
            "more than 31 characters");
    refuses("\"op\":\"abi-call\"", "\"op\":7", "must be a string");
    refuses("\"ring_crossings\":0", "\"ring_crossings\":-1", "ring_crossings");
    refuses("\"ring_crossings\":0", "\"ring_crossings\":\"0\"", "must be a number");
    refuses("\"status\":\"ok\"", "\"status\":\"fine\"", "status must be");
    refuses("\"oracle\":\"0000000000000000\"", "\"oracle\":\"0x12\"", "hexadecimal");
    refuses("\"oracle\":\"0000000000000000\"", "\"oracle\":\"00000000000000001\"", "hexadecimal");
    refuses("\"schema\":1", "\"schema\":\"1\"", "schema");
}

Test(read, a_key_of_tomorrow_is_no_harm) {
    char *text = replaced("\"n\":2", "\"n\":2,\"weather\":[1,{}]");
    cr_assert_eq(read_text(text, strlen(text)), 0, "%s", error.text);
    free(text);
}

Test(read, what_is_no_object_is_refused) {
    static const char *const text[] = {"\n", "[]\n", "7\n", "null\n", "{}x\n", "\"\xff\"\n"};
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        cr_assert_eq(read_text(text[i], strlen(text[i])), -EINVAL, "%s", text[i]);
    cr_assert_eq(read_text("\0\0\0\n", 4), -EINVAL);
}

Test(read, endless_lines_and_depths_are_refused) {
    size_t bytes = 2u << 20;
    char *text = malloc(bytes);
    memset(text, '[', bytes);
    cr_assert_eq(read_text(text, bytes), -EINVAL);
    cr_assert_not_null(strstr(error.text, "x:1: more than"), "%s", error.text);
    text[100000] = '\n';
    cr_assert_eq(read_text(text, bytes), -EINVAL);
    cr_assert_not_null(strstr(error.text, "x:1: not JSON"), "%s", error.text);
    free(text);
}

Test(read, too_many_parameters_are_refused) {
    char params[4096] = "\"params\":{";
    for (int i = 0; i < 40; i++)
        sprintf(params + strlen(params), "%s\"p%d\":1", i ? "," : "", i);
    strcat(params, "}");
    refuses("\"params\":{}", params, "more than 32");
}
