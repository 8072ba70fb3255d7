/* Chooses a backend by what its probe found. The probes are the backends'. */
#include "choice.h"
#include "command.h"
#include <stdio.h>
#include <string.h>

#define NAMES_MOST 8

static int backend_take(const struct backend_choice *choice, const struct backend_options *options,
                        const struct backend *backend, struct backend_info *info) {
    backend->probe(options, info);
    if (info->usable)
        return STATUS_DONE;
    if (!info->boots || !choice->allow_untrusted) {
        fprintf(stderr, "bulkhead: %s is not usable here: %s\n", backend->name, info->why);
        return STATUS_HOST;
    }
    fprintf(stderr, "bulkhead: %s is not to be trusted here: %s\n", backend->name, info->why);
    info->trust = TRUST_EMULATED;
    return STATUS_DONE;
}

int backend_choose(const struct backend_choice *choice, const struct backend_options *options,
                   const struct backend **backend, struct backend_info *info) {
    if (strcmp(choice->name, "auto")) {
        *backend = backend_find(choice->name);
        return backend_take(choice, options, *backend, info);
    }
    char skipped[1024] = "";
    for (size_t i = 0; backend_all[i]; i++) {
        backend_all[i]->probe(options, info);
        if (info->usable) {
            *backend = backend_all[i];
            if (skipped[0])
                fprintf(stderr, "bulkhead: taking %s, since %s\n", (*backend)->name, skipped);
            return STATUS_DONE;
        }
        size_t length = strlen(skipped);
        snprintf(skipped + length, sizeof(skipped) - length, "%s%s is not usable here: %s",
                 length ? "; " : "", backend_all[i]->name, info->why);
    }
    fprintf(stderr, "bulkhead: no backend is usable: %s\n", skipped);
    return STATUS_HOST;
}

static void name_check(const char *name, const struct argp_state *state) {
    const char *names[NAMES_MOST] = {"auto"};
    size_t count = 1;
    if (!strcmp(name, "auto") || backend_find(name))
        return;
    for (size_t i = 0; backend_all[i] && count < NAMES_MOST; i++)
        names[count++] = backend_all[i]->name;
    const char *near = config_nearest(name, names, count);
    if (near)
        argp_error(state, "there is no backend %s; did you mean %s?", name, near);
    argp_error(state, "there is no backend %s; `bulkhead doctor` lists them", name);
}

void backend_choice_check(const struct backend_choice *choice,
                          const struct backend_options *options, const struct argp_state *state) {
    name_check(choice->name, state);
    if (options->cpu_model && strcmp(choice->name, "bochs"))
        argp_error(state, "--cpu goes with --backend bochs, which has CPU models to choose from");
}
