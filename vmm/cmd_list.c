/* bulkhead list layouts|workloads|experiments|mechanisms */
#include "command.h"
#include "list_mechanisms.h"
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MECHANISMS_KIND "mechanisms"
#define KINDS_TEXT "layouts, workloads, experiments or mechanisms"
static const char *const kinds[] = {"layouts", "workloads", "experiments", MECHANISMS_KIND};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

enum {
    KEY_BACKEND = 256,
    KEY_CPU,
    KEY_LONG,
    KEY_KVM_DEVICE,
    KEY_UNTRUSTED
};

struct arguments {
    const char *kind;
    const char *option; /* the last one given, all of which go with mechanisms; or NULL */
    struct list_mechanisms mechanisms;
};

static void kind_take(struct arguments *arguments, const char *text, struct argp_state *state) {
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(text, kinds[i]))
            arguments->kind = kinds[i];
    const char *near = config_nearest(text, kinds, KINDS);
    if (!arguments->kind && near)
        argp_error(state, "cannot list %s; did you mean %s?", text, near);
    else if (!arguments->kind)
        argp_error(state, "cannot list %s: say " KINDS_TEXT, text);
}

static error_t parse(int key, char *text, struct argp_state *state) {
    struct arguments *arguments = state->input;
    struct list_mechanisms *mechanisms = &arguments->mechanisms;
    switch (key) {
    case KEY_BACKEND:
        mechanisms->backend.name = text;
        arguments->option = "--backend";
        return 0;
    case KEY_CPU:
        mechanisms->options.cpu_model = text;
        arguments->option = "--cpu";
        return 0;
    case KEY_LONG:
        mechanisms->details = 1;
        arguments->option = "--long";
        return 0;
    case KEY_KVM_DEVICE:
        mechanisms->options.kvm_device = text;
        arguments->option = "--kvm-device";
        return 0;
    case KEY_UNTRUSTED:
        mechanisms->backend.allow_untrusted = 1;
        arguments->option = "--allow-untrusted";
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "say what to list: " KINDS_TEXT);
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->kind)
            return ARGP_ERR_UNKNOWN;
        kind_take(arguments, text, state);
        return 0;
    case ARGP_KEY_END:
        if (arguments->option && strcmp(arguments->kind, MECHANISMS_KIND))
            argp_error(state, "%s goes with `list mechanisms`", arguments->option);
        backend_choice_check(&mechanisms->backend, &mechanisms->options, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What the file says about itself; empty where it does not, or is broken (which `check` tells). */
static void about_print(const struct config_paths *paths, const char *kind, const char *name) {
    struct config_diags diags = {0};
    struct layout *layout;
    struct workload *workload;
    const char *about = NULL;
    if (!strcmp(kind, "layouts") && !layout_load(paths, name, &layout, &diags)) {
        about = layout_about(layout);
        printf("%-20s %s\n", name, about ? about : "");
        layout_free(layout);
    } else if (!strcmp(kind, "workloads") && !workload_load(paths, name, &workload, &diags)) {
        about = workload_about(workload);
        printf("%-20s %s", name, about ? about : "");
        for (size_t i = 0; workload_preset_at(workload, 1) && workload_preset_at(workload, i); i++)
            printf("%s%s", i ? ", " : " Presets: ", workload_preset_at(workload, i));
        puts("");
        workload_free(workload);
    } else {
        puts(name);
    }
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
}

int cmd_list(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"backend", KEY_BACKEND, "auto|kvm|qemu|bochs", 0,
         "Where the mechanisms are to be used; default: the one that run would take", 0},
        {"cpu", KEY_CPU, "MODEL", 0, "The CPU that bochs models; default: tigerlake", 0},
        {"long", KEY_LONG, NULL, 0,
         "Tell too where each acts, what it can be set for, and where it is described", 0},
        {"kvm-device", KEY_KVM_DEVICE, "PATH", 0, "KVM's device; default: /dev/kvm", 0},
        {"allow-untrusted", KEY_UNTRUSTED, NULL, 0, "Ask even a KVM that doctor calls not usable",
         0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "layouts|workloads|experiments|mechanisms",
        "Lists the layouts, workloads or experiments that can be named, or the isolation "
        "mechanisms, with those that this host's backend can use and why not the others. The "
        "options go with mechanisms.",
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {
        .mechanisms = {.backend.name = "auto", .options.kvm_device = "/dev/kvm"}};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    const struct config_paths *paths = command_paths();
    const char *kind = arguments.kind;
    if (!strcmp(kind, MECHANISMS_KIND))
        return list_mechanisms(&arguments.mechanisms, paths);
    char **names;
    size_t count;
    if (config_list(paths, kind, &names, &count)) {
        fprintf(stderr, "bulkhead: cannot read %s/%s; set BULKHEAD_DATA to where it is\n",
                paths->data_dir, kind);
        return STATUS_INPUT;
    }
    for (size_t i = 0; i < count; i++) {
        about_print(paths, kind, names[i]);
        free(names[i]);
    }
    free(names);
    return STATUS_DONE;
}
