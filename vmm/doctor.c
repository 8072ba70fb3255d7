/* Tells what the probes found. The finding is in probe.c and in each backend. */
#include "doctor.h"
#include <string.h>

static const char *const test_name[PROBE_TESTS] = {
    [PROBE_LOOP] = "ring-0 loop",
    [PROBE_SYSCALL] = "ring-3 round trip by syscall",
    [PROBE_INT] = "ring-3 round trip by int",
    [PROBE_SSE] = "SSE in ring 0",
};
static const char *const test_key[PROBE_TESTS] = {
    [PROBE_LOOP] = "ring0_loop",
    [PROBE_SYSCALL] = "ring3_syscall",
    [PROBE_INT] = "ring3_int",
    [PROBE_SSE] = "ring0_sse",
};

/* The probe counts in the TSC, which is what "cycles" are here. */
static const char *tick_name(const struct backend_info *info) {
    return strcmp(info->unit, "cycles") ? info->unit : "ticks";
}

/* The names in a text with one blank between them. */
static size_t words_count(const char *text) {
    size_t count = *text != '\0';
    for (; *text; text++)
        count += *text == ' ';
    return count;
}

void doctor_line(const struct diagnosis *diagnosis, FILE *to) {
    const struct backend_info *info = &diagnosis->info;
    if (!info->usable) {
        fprintf(to, "%-6s not usable: %s\n", diagnosis->backend->name, info->why);
        return;
    }
    fprintf(to, "%-6s usable: %s%s, clock %s; %s", diagnosis->backend->name, info->unit,
            info->count_exact ? ", exact and repeatable" : "", backend_trust_name(info->trust),
            info->version);
    if (info->cpu_models[0])
        fprintf(to, ", one of %zu (-v lists them)", words_count(info->cpu_models));
    fputc('\n', to);
}

void doctor_details(const struct diagnosis *diagnosis, FILE *to) {
    const struct probe_report *probe = &diagnosis->info.probe;
    const char *unit = tick_name(&diagnosis->info);
    fprintf(to, "       %s\n", diagnosis->backend->about);
    if (diagnosis->info.version[0])
        fprintf(to, "       %s\n", diagnosis->info.version);
    if (diagnosis->info.cpu_models[0])
        fprintf(to, "       %-30s %s\n", "CPU models (--cpu)", diagnosis->info.cpu_models);
    if (!probe->measured)
        return;
    fprintf(to, "       %-30s %.4g %s a million turns", test_name[PROBE_LOOP],
            probe->test[PROBE_LOOP].ticks, unit);
    if (!diagnosis->info.count_exact)
        fprintf(to, "; on the host itself %.4g", probe->native_ticks);
    fprintf(to, "\n       %-30s %.4g %s\n", "one port write", probe->port_ticks, unit);
    for (int i = PROBE_SYSCALL; i < PROBE_TESTS; i++) {
        const struct probe_test *test = &probe->test[i];
        if (!test->passed)
            fprintf(to, "       %-30s fails: %s\n", test_name[i], test->how);
        else if (i == PROBE_SSE)
            fprintf(to, "       %-30s works\n", test_name[i]);
        else
            fprintf(to, "       %-30s %.4g %s\n", test_name[i], test->ticks, unit);
    }
    for (int wanted = 1; wanted >= 0; wanted--) {
        const char *comma = "";
        fprintf(to, "       %-30s ", wanted ? "features" : "features absent");
        for (const struct probe_feature *feature = probe_features; feature->name; feature++)
            if (probe_has(&probe->answer, feature) == wanted) {
                fprintf(to, "%s%s", comma, feature->name);
                comma = ", ";
            }
        fputc('\n', to);
    }
}

static json_t *tests_json(const struct probe_report *probe) {
    json_t *tests = json_object();
    for (int i = PROBE_LOOP; i < PROBE_TESTS; i++) {
        const struct probe_test *test = &probe->test[i];
        json_t *one = json_pack("{s:b, s:s}", "passed", test->passed, "ended", test->how);
        if (test->passed && i != PROBE_SSE)
            json_object_set_new(one, i == PROBE_LOOP ? "ticks_per_million" : "ticks",
                                json_real(test->ticks));
        json_object_set_new(tests, test_key[i], one);
    }
    return tests;
}

json_t *doctor_json(const struct diagnosis *diagnosis) {
    const struct backend_info *info = &diagnosis->info;
    const struct probe_report *probe = &info->probe;
    json_t *out =
        json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:b}", "backend", diagnosis->backend->name,
                  "about", diagnosis->backend->about, "usable", info->usable, "why", info->why,
                  "unit", info->unit, "trust", backend_trust_name(info->trust), "version",
                  info->version, "count_exact", info->count_exact);
    if (out && info->cpu_models[0])
        json_object_set_new(out, "cpu_models", json_string(info->cpu_models));
    if (!out || !probe->measured)
        return out;
    json_t *features = json_object();
    for (const struct probe_feature *feature = probe_features; feature->name; feature++)
        json_object_set_new(features, feature->name,
                            json_boolean(probe_has(&probe->answer, feature)));
    json_object_set_new(out, "tests", tests_json(probe));
    json_object_set_new(out, "port_write_ticks", json_real(probe->port_ticks));
    json_object_set_new(out, "native_loop_ticks_per_million", json_real(probe->native_ticks));
    json_object_set_new(out, "features", features);
    return out;
}
