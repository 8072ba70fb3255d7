/*
 * `bulkhead peer linux`: measures Linux with the same operations as our workloads and writes a result
 * set of it, which `bulkhead report` sets beside one of ours.
 */
#include "cancel.h"
#include "command.h"
#include "peer.h"
#include <argp.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE BULKHEAD_SOURCE_DIR "/build/nested"

enum {
    KEY_NATIVE = 256,
    KEY_GUEST,
    KEY_KVM,
    KEY_OUT,
    KEY_KERNEL,
    KEY_CACHE,
    KEY_MITIGATIONS,
    KEY_REPEATS,
    KEY_SEED,
    KEY_SAMPLES,
    KEY_BATCH,
    KEY_WARMUP,
    KEY_TIMEOUT,
};

struct options {
    struct peer peer;
    const char *system, *out, *cache;
    uint32_t boots; /* 0: as the place has it */
};

static unsigned long long number_take(const struct argp_state *state, const char *name,
                                      const char *text, unsigned long long least,
                                      unsigned long long most) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno || end == text || *end || *text == '-')
        argp_error(state, "--%s takes a number from %llu to %llu, not %s", name, least, most, text);
    if (value < least || value > most)
        argp_failure(state, STATUS_INPUT, 0, "--%s is %s, expected %llu to %llu", name, text, least,
                     most);
    return value;
}

static void system_take(struct options *options, const char *name, const struct argp_state *state) {
    if (options->system)
        argp_error(state, "one peer at a time");
    options->system = name;
    if (strcmp(name, "linux"))
        argp_error(state, "there is no peer %s; there is linux", name);
}

static error_t parse(int key, char *text, struct argp_state *state) {
    struct options *options = state->input;
    struct peer *peer = &options->peer;
    switch (key) {
    case KEY_NATIVE:
    case KEY_GUEST:
    case KEY_KVM:
        if (peer->place)
            argp_error(state, "--native, --guest or --kvm: a result set has one clock");
        peer->place = key == KEY_NATIVE ? &peer_native : key == KEY_GUEST ? &peer_guest : &peer_kvm;
        return 0;
    case KEY_OUT:
        options->out = text;
        return 0;
    case KEY_KERNEL:
        peer->kernel = text;
        return 0;
    case KEY_CACHE:
        options->cache = text;
        return 0;
    case KEY_MITIGATIONS:
        if (strcmp(text, "off") && strcmp(text, "auto"))
            argp_error(state, "--mitigations takes off or auto, not %s", text);
        peer->mitigations = text;
        return 0;
    case KEY_REPEATS:
        options->boots = (uint32_t)number_take(state, "repeats", text, 1, 10000);
        return 0;
    case KEY_SEED:
        peer->seed = number_take(state, "seed", text, 0, UINT32_MAX);
        return 0;
    case KEY_SAMPLES:
        peer->samples = (uint32_t)number_take(state, "samples", text, 1, RESULT_MAX_SAMPLES);
        return 0;
    case KEY_BATCH:
        peer->batch = (uint32_t)number_take(state, "batch", text, 1, 1 << 20);
        return 0;
    case KEY_WARMUP:
        peer->warmup = (uint32_t)number_take(state, "warmup", text, 0, 1 << 20);
        return 0;
    case KEY_TIMEOUT:
        peer->timeout_s = (uint32_t)number_take(state, "timeout", text, 1, 86400);
        return 0;
    case 'v':
        peer->verbose = 1;
        return 0;
    case ARGP_KEY_ARG:
        system_take(options, text, state);
        return 0;
    case ARGP_KEY_END:
        if (!options->system)
            argp_error(state, "which peer? There is linux");
        if (!options->out)
            argp_error(state, "--out DIR: where the result set goes");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The newest downloaded kernel, or the one that was named. Exits with neither. */
static int kernel_find(struct options *options, char *path, size_t bytes) {
    struct peer *peer = &options->peer;
    glob_t found;
    if (!peer->kernel) {
        snprintf(path, bytes, "%s/root/boot/vmlinuz-*-cloud-amd64", options->cache);
        if (!glob(path, 0, NULL, &found))
            snprintf(path, bytes, "%s", found.gl_pathv[found.gl_pathc - 1]);
        globfree(&found);
        peer->kernel = path;
    }
    if (!access(peer->kernel, R_OK))
        return STATUS_DONE;
    fprintf(
        stderr,
        "bulkhead peer: there is no kernel %s; scripts/nested-kvm.sh --fetch downloads Debian's "
        "linux-image-cloud-amd64 without installing it (--cache DIR: to another folder than " CACHE
        "), or name one with --kernel FILE\n",
        peer->kernel);
    return STATUS_HOST;
}

static int program_find(struct peer *peer, char *path, size_t bytes) {
    snprintf(path, bytes, "%s/linux-peer", command_paths()->image_dir);
    peer->program = path;
    if (!access(path, X_OK))
        return STATUS_DONE;
    fprintf(stderr,
            "bulkhead peer: there is no program %s; build the project, or set BULKHEAD_IMAGES to "
            "where its images are\n",
            path);
    return STATUS_INPUT;
}

static int boot_append(struct result_set *set, json_t *manifest, const struct peer_boot *boot,
                       struct error *error) {
    if (boot->system && !json_object_get(manifest, "peer"))
        json_object_set(manifest, "peer", boot->system);
    for (size_t i = 0; i < boot->count; i++) {
        int status = result_set_append(set, &boot->record[i], error);
        if (status)
            return status;
    }
    return 0;
}

/* All boots, into the set. Returns 0 or a negative errno; *unavailable: the place is. */
static int boots_run(const struct options *options, const struct backend_info *info,
                     struct result_set *set, json_t *manifest, struct error *error) {
    struct peer_boot boot;
    int status = 0;
    if (!info->usable) {
        if (peer_boot_unavailable(&options->peer, info, info->why, &boot))
            return error_set(error, -ENOMEM, "out of memory");
        status = boot_append(set, manifest, &boot, error);
        peer_boot_free(&boot);
        return status;
    }
    for (uint32_t i = 0; !status && i < options->boots; i++) {
        status = peer_boot(&options->peer, info, i, &boot, error);
        if (status)
            break;
        status = boot_append(set, manifest, &boot, error);
        peer_boot_free(&boot);
        fprintf(stderr, "bulkhead peer: %s: boot %u of %u\n", options->peer.place->layout, i + 1,
                options->boots);
    }
    return status;
}

static int set_run(const struct options *options, const struct backend_info *info) {
    struct error error = {""}, finish_error = {""};
    struct result_set *set = NULL;
    json_t *manifest = peer_manifest(&options->peer, info, options->boots);
    int status = result_set_create(&set, options->out, 0, json_incref(manifest), &error);
    if (status) {
        json_decref(manifest);
        fprintf(stderr, "bulkhead peer: %s\n", error.text);
        return STATUS_INPUT;
    }
    status = boots_run(options, info, set, manifest, &error);
    int finished = result_set_finish(set, !status, &finish_error);
    json_decref(manifest);
    puts(options->out);
    if (status || finished)
        fprintf(stderr, "bulkhead peer: %s\n", status ? error.text : finish_error.text);
    if (!status && !finished && !info->usable) {
        fprintf(stderr, "bulkhead peer: %s is unavailable: %s\n", options->peer.place->layout,
                info->why);
        return STATUS_HOST;
    }
    return status == -EINTR                      ? 128 + cancel_signal
           : status == -EIO || status == -EPROTO ? STATUS_GUEST
           : status || finished                  ? STATUS_HOST
                                                 : STATUS_DONE;
}

int cmd_peer(int argc, char **argv) {
    static const struct argp_option option[] = {
        {"native", KEY_NATIVE, NULL, 0, "On this host: cycles, as linux-native", 0},
        {"guest", KEY_GUEST, NULL, 0,
         "In QEMU, with the clock of the backend qemu: instructions, as linux-guest; the default",
         0},
        {"kvm", KEY_KVM, NULL, 0, "In a guest on KVM: cycles, as linux-kvm", 0},
        {"out", KEY_OUT, "DIR", 0, "Result folder", 0},
        {"kernel", KEY_KERNEL, "FILE", 0, "The guest's kernel, a bzImage", 0},
        {"cache", KEY_CACHE, "DIR", 0,
         "Where scripts/nested-kvm.sh --fetch put Debian's kernel, when none is named", 0},
        {"mitigations", KEY_MITIGATIONS, "off|auto", 0,
         "Of the guest's kernel against flaws of processors (off, as in our layouts)", 0},
        {"repeats", KEY_REPEATS, "N", 0, "Boots; default: 2 with --guest, else 5", 0},
        {"seed", KEY_SEED, "N", 0, "Seed of payloads, of files and of QEMU (1)", 0},
        {"samples", KEY_SAMPLES, "N", 0, "Samples of each operation in a boot (30)", 0},
        {"batch", KEY_BATCH, "N", 0, "Operations timed together as one sample (32)", 0},
        {"warmup", KEY_WARMUP, "N", 0, "Operations before the first sample (16)", 0},
        {"timeout", KEY_TIMEOUT, "SECONDS", 0, "A boot that takes longer has failed (300)", 0},
        {"verbose", 'v', NULL, 0, "Show the guest's console on standard error", 0},
        {0},
    };
    static const struct argp argp = {
        option,
        parse,
        "linux",
        "Measures Linux with the operations of our workloads and prints the result folder. "
        "`bulkhead "
        "report OURS PEER --baseline linux-guest` sets both side by side.",
        NULL,
        NULL,
        NULL};
    struct options options = {.cache = CACHE,
                              .peer = {.mitigations = "off",
                                       .warmup = 16,
                                       .batch = 32,
                                       .samples = 30,
                                       .timeout_s = 300,
                                       .seed = 1,
                                       .cancel = &cancel_signal}};
    char kernel[PATH_MAX], program[PATH_MAX];
    struct backend_info info;
    argp_err_exit_status = STATUS_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &options))
        return STATUS_USAGE;
    struct peer *peer = &options.peer;
    if (!peer->place)
        peer->place = &peer_guest;
    if (!options.boots)
        options.boots = peer->place->boots;
    int status = program_find(peer, program, sizeof(program));
    if (status)
        return status;
    peer->place->probe(peer, &info);
    if (!info.usable)
        options.boots = 1;
    else if (peer->place->is_guest && (status = kernel_find(&options, kernel, sizeof(kernel))))
        return status;
    cancel_listen();
    return set_run(&options, &info);
}
