/*
 * Boots the guest once, in a cell that needs no mechanism, and holds the CPU features that it found
 * against the table. A guest's word counts, not the host's: it is the guest that uses them.
 */
#include "list_mechanisms.h"
#include "command.h"
#include "kernels.h"
#include "mechanism.h"
#include "result_read.h"
#include "table.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYOUT "sip-page"
#define WORKLOAD "abi-call"
#define MEMORY_BYTES (64u << 20)
#define TIMEOUT_MS 60000
#define INDENT 30 /* of what is told about a mechanism: its setting, and whether it is usable */

static int plan_make(const struct config_paths *paths, struct plan_header **plan) {
    const struct plan_options options = {.memory_bytes = MEMORY_BYTES, .batch = 1, .samples = 1};
    struct config_diags diags = {0};
    struct layout *layout = NULL;
    struct workload *workload = NULL;
    int failed =
        layout_load(paths, LAYOUT, &layout, &diags) ||
        workload_load(paths, WORKLOAD, &workload, &diags) ||
        plan_build(paths, layout, workload, workload_params(workload), &options, plan, &diags);
    config_diags_print(&diags, stderr);
    config_diags_free(&diags);
    layout_free(layout);
    workload_free(workload);
    return failed ? STATUS_INPUT : STATUS_DONE;
}

/* The features of the CPU that a guest ended on, or 0 and a sentence. */
static uint32_t features_read(const struct boot_result *ended, const struct plan_header *plan,
                              struct error *error) {
    struct result result;
    int status = result_read(guest_memory_at(&ended->memory, plan->result_pa, plan->result_bytes),
                             plan->result_bytes, &result, error);
    uint32_t features = status ? 0 : result.header.cpu_features;
    if (!status && !features)
        error_set(error, -EPROTO, "it did not tell the features of its CPU");
    result_free(&result);
    return features;
}

static int features_find(const struct backend *backend, const struct backend_options *options,
                         const struct plan_header *plan, const char *kernel, uint32_t *features) {
    struct boot boot = {.kernel_path = kernel,
                        .plan = plan,
                        .plan_bytes = plan->total_bytes,
                        .memory_bytes = MEMORY_BYTES,
                        .timeout_ms = TIMEOUT_MS,
                        .options = *options};
    struct boot_result ended;
    struct error error = {""};
    if (backend->run(&boot, &ended, &error)) {
        fprintf(stderr, "bulkhead: %s: %s\n", backend->name, error.text);
        return STATUS_HOST;
    }
    *features = features_read(&ended, plan, &error);
    if (!*features)
        fprintf(stderr, "bulkhead: the guest on %s failed (%s): %s\n", backend->name,
                ended.how_ended, error.text);
    boot_result_free(&ended);
    return *features ? STATUS_DONE : STATUS_GUEST;
}

/* ---- the table ---- */

/* Prints `before` and `text`, broken at blanks, from column `at`; further lines at INDENT. */
static void wrapped_print(size_t at, const char *before, const char *text) {
    printf("%*s%s", (int)(INDENT - at), "", before);
    at = INDENT + strlen(before);
    for (int first = 1; *text; first = 0) {
        size_t word = strcspn(text, " ");
        if (!first && at + 1 + word > TABLE_WIDTH) {
            printf("\n%*s", INDENT, "");
            at = INDENT;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)word, text);
        at += word;
        text += word + strspn(text + word, " ");
    }
    putchar('\n');
}

static void mechanism_print(enum mechanism_id id, uint32_t features, int details) {
    const struct mechanism_row *row = &mechanism_table[id];
    uint32_t lacks = mechanism_lacks(id, features);
    char setting[MECHANISM_TEXT_BYTES], names[128], why[192];
    int used = printf("  %-23s %-3s", mechanism_setting(id, setting), lacks ? "no" : "yes");
    if (lacks) {
        snprintf(why, sizeof(why), "needs %s, which this CPU does not have",
                 mechanism_features_text(lacks, names, sizeof(names)));
        wrapped_print((size_t)used, "", why);
    }
    wrapped_print(lacks ? 0 : (size_t)used, "", row->does);
    wrapped_print(0, "against: ", row->against);
    if (!details)
        return;
    wrapped_print(0, "acts at: ", row->where);
    wrapped_print(0, "set for: ",
                  row->scope == SCOPE_DOMAIN ? "a domain, or a layout for all its domains"
                                             : "a layout: it is one for the whole machine");
    wrapped_print(0, "source: ", row->source);
}

int list_mechanisms(const struct list_mechanisms *list, const struct config_paths *paths) {
    const struct backend *backend;
    struct backend_info info;
    struct plan_header *plan = NULL;
    struct kernels kernels = {.count = 0};
    struct error error = {""};
    const char *kernel = NULL;
    uint32_t features = 0;
    int status = plan_make(paths, &plan);
    if (!status && !(kernel = kernels_hold(&kernels, paths, plan, &error))) {
        fprintf(stderr, "bulkhead: %s\n", error.text);
        status = STATUS_INPUT;
    }
    if (!status)
        status = backend_choose(&list->backend, &list->options, &backend, &info);
    if (!status)
        status = features_find(backend, &list->options, plan, kernel, &features);
    if (!status) {
        printf("on %s (%s)\n", backend->name, info.version);
        for (enum mechanism_id id = 0; id < MECHANISM_COUNT; id++)
            mechanism_print(id, features, list->details);
    }
    kernels_close(&kernels);
    free(plan);
    return status;
}
