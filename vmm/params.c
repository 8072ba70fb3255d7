/* Parameters from the command line: name=value. */
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

int command_override(struct config_params *params, const struct config_params *set,
                     const char *workload) {
    const char *names[PLAN_MAX_PARAMS];
    int status = 0;
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
        fprintf(stderr, "bulkhead: workload %s has no parameter %s", workload, set->item[i].name);
        fprintf(stderr, near ? "; did you mean %s?\n" : "\n", near);
        status = -EINVAL;
    }
    return status;
}
