/* Parameters from the command line: name=value, and preset=NAME. */
#include "command.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int command_set(struct config_params *params, const char *text) {
    const char *equals = strchr(text, '=');
    char *end;
    struct config_param param = {0};
    if (!equals || equals == text || equals - text >= (long)sizeof(param.name))
        return -EINVAL;
    memcpy(param.name, text, (size_t)(equals - text));
    if (!strcmp(param.name, "preset")) {
        int length = snprintf(params->preset, sizeof(params->preset), "%s", equals + 1);
        return length > 0 && length < (int)sizeof(params->preset) ? 0 : -EINVAL;
    }
    errno = 0;
    param.value = strtoll(equals + 1, &end, 0);
    if (errno || end == equals + 1 || *end)
        return -EINVAL;
    size_t at = 0;
    while (at < params->count && strcmp(params->item[at].name, param.name) < 0)
        at++;
    if (at == params->count || strcmp(params->item[at].name, param.name)) {
        if (params->count == PLAN_MAX_PARAMS)
            return -EINVAL;
        memmove(&params->item[at + 1], &params->item[at],
                (params->count - at) * sizeof(params->item[0]));
        params->count++;
    }
    params->item[at] = param;
    return 0;
}

static int preset_put(struct config_params *params, const char *preset,
                      const struct workload *workload) {
    const char *name, *near = NULL;
    const struct config_params *values = workload_preset(workload, preset);
    if (values) {
        params_put(params, values);
        return 0;
    }
    fprintf(stderr, "bulkhead: workload %s has no preset %s; it has", workload_name(workload),
            preset);
    for (size_t i = 0; (name = workload_preset_at(workload, i)); i++) {
        fprintf(stderr, "%s %s", i ? "," : "", name);
        if (!near)
            near = config_nearest(preset, &name, 1);
    }
    fprintf(stderr, near ? "; did you mean %s?\n" : "\n", near);
    return -EINVAL;
}

int command_override(struct config_params *params, const struct config_params *set,
                     const struct workload *workload) {
    const char *names[PLAN_MAX_PARAMS];
    *params = *workload_params(workload);
    int status = set->preset[0] ? preset_put(params, set->preset, workload) : 0;
    for (size_t i = 0; i < params->count; i++)
        names[i] = params->item[i].name;
    for (size_t i = 0; i < set->count; i++) {
        size_t at = 0;
        while (at < params->count && strcmp(params->item[at].name, set->item[i].name))
            at++;
        if (at < params->count) {
            params->item[at].value = set->item[i].value;
            continue;
        }
        const char *near = config_nearest(set->item[i].name, names, params->count);
        fprintf(stderr, "bulkhead: workload %s has no parameter %s", workload_name(workload),
                set->item[i].name);
        fprintf(stderr, near ? "; did you mean %s?\n" : "\n", near);
        status = -EINVAL;
    }
    return status;
}
