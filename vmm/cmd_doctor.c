/* bulkhead doctor */
#include "command.h"
#include "doctor.h"
#include <argp.h>
#include <string.h>

#define BACKENDS_MOST 8

enum {
    KEY_FORMAT = 256,
    KEY_KVM_DEVICE,
    KEY_CPU
};

struct arguments {
    struct backend_options options;
    int verbose, json;
};

static error_t parse(int key, char *text, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case 'v':
        arguments->verbose = 1;
        return 0;
    case KEY_FORMAT:
        arguments->json = !strcmp(text, "json");
        if (!arguments->json && strcmp(text, "text"))
            argp_error(state, "--format takes text or json, not %s", text);
        return 0;
    case KEY_KVM_DEVICE:
        arguments->options.kvm_device = text;
        return 0;
    case KEY_CPU:
        arguments->options.cpu_model = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "doctor takes no arguments");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void text_print(const struct diagnosis *diagnosis, size_t count, const char *chosen,
                       int verbose) {
    for (size_t i = 0; i < count; i++) {
        doctor_line(&diagnosis[i], stdout);
        if (verbose)
            doctor_details(&diagnosis[i], stdout);
    }
    if (chosen)
        printf("auto   takes %s\n", chosen);
    else
        printf("auto   finds nothing to take\n");
}

static void json_print(const struct diagnosis *diagnosis, size_t count, const char *chosen) {
    json_t *backends = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(backends, doctor_json(&diagnosis[i]));
    json_t *all = json_pack("{s:o, s:s?}", "backends", backends, "auto", chosen);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

int cmd_doctor(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"verbose", 'v', NULL, 0, "Show what was measured, and the CPU features a guest sees", 0},
        {"format", KEY_FORMAT, "text|json", 0, "How to print; default: text", 0},
        {"cpu", KEY_CPU, "MODEL", 0, "The CPU that bochs models; default: tigerlake", 0},
        {"kvm-device", KEY_KVM_DEVICE, "PATH", 0, "KVM's device; default: /dev/kvm", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        NULL,
        "Tells for each backend whether this host can run it, by booting a tiny guest that "
        "measures what is really there; why not, where it cannot; and which one auto takes.",
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {.options = {.kvm_device = "/dev/kvm"}};
    struct diagnosis diagnosis[BACKENDS_MOST];
    const char *chosen = NULL;
    size_t count = 0;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    for (; backend_all[count] && count < BACKENDS_MOST; count++) {
        diagnosis[count].backend = backend_all[count];
        backend_all[count]->probe(&arguments.options, &diagnosis[count].info);
        if (!chosen && diagnosis[count].info.usable)
            chosen = backend_all[count]->name;
    }
    if (arguments.json)
        json_print(diagnosis, count, chosen);
    else
        text_print(diagnosis, count, chosen, arguments.verbose);
    return chosen ? STATUS_DONE : STATUS_HOST;
}
