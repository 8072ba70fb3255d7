/*
 * One interface over everything that can run a guest. A backend boots the kernel image with one
 * plan, waits for the end, and leaves the guest's memory for the caller to read. Adding one is a
 * file that fills a struct backend, and a row in backend_all[].
 */
#ifndef BULKHEAD_BACKEND_H
#define BULKHEAD_BACKEND_H

#include "vmm/probe.h"
#include <stddef.h>
#include <stdint.h>

struct error { /* a sentence that a user can act on; the host's one error type */
    char text[512];
};
/*
 * Fills *error and returns `code` (a negative errno), so that callers can `return error_set(...)`.
 */
int error_set(struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct guest_memory { /* guest-physical memory from address 0, shared with the guest */
    uint8_t *base;
    uint64_t bytes;
    int fd;        /* of the file behind it, for a backend that passes it to another program */
    char path[64]; /* opens that file in a process that inherits fd */
};

struct backend_options {    /* what the command line says about backends */
    const char *kvm_device; /* "/dev/kvm" unless told otherwise */
    const char *cpu_model;  /* of bochs; NULL: its default */
};

struct boot {
    const char *kernel_path; /* ELF with a PVH note */
    const void *plan;        /* struct plan_header, checked */
    uint32_t plan_bytes;
    uint64_t memory_bytes;
    uint32_t timeout_ms;
    int verbose; /* 1: guest console to stderr as it comes */
    struct backend_options options;
    const volatile int *cancel; /* becomes non-zero on Ctrl-C: end the run and return -EINTR */
    /* Only qemu: more of its command line, NULL-terminated, or NULL; and descriptors that it keeps. */
    const char *const *arguments;
    const int *inherit;
    size_t inherits;
};

struct boot_result {
    /*
     * The caller frees it with guest_memory_free(). The result region (RESULT_PA) is as the guest left
     * it; of the rest a backend may have brought nothing back.
     */
    struct guest_memory memory;
    double boot_seconds;      /* start to end, wall time */
    double first_sip_seconds; /* start to the doorbell of PHASE_SIPS; 0 if not known */
    char *console;            /* what the guest wrote to PORT_CONSOLE, malloc'ed */
    char how_ended[256];      /* "exit port", "triple fault", "timeout after 10 s" ... */
    int crashed;              /* 1: ended in a way that no guest verdict can be trusted */
};

enum backend_trust {
    TRUST_REAL,
    TRUST_NESTED,
    TRUST_EMULATED
};

struct backend_info {
    int usable; /* 0: `why` says why not and what to do */
    int boots;  /* 1: it runs guests, be it so badly that no figure can be trusted */
    char why[512];
    const char *unit; /* "cycles" or "instructions" */
    int count_exact;  /* 1: same input, same samples; one boot is enough */
    enum backend_trust trust;
    char version[128];     /* for the manifest, e.g. QEMU's version or the KVM module */
    char cpu_models[1024]; /* that options.cpu_model may name, blanks between; empty: no choice */
    struct probe_report probe; /* what the probe guest measured */
};

struct backend {
    const char *name;
    const char *about;
    /* Finds out by trying whether this host can run it, and how far its clock can be trusted. */
    void (*probe)(const struct backend_options *options, struct backend_info *info);
    /* Boots and waits. Returns 0 when the guest ran (however it ended), or a negative errno. */
    int (*run)(const struct boot *boot, struct boot_result *result, struct error *error);
};
extern const struct backend *const backend_all[]; /* NULL-terminated, in the order of `auto` */

const struct backend *backend_find(const char *name);
const char *backend_trust_name(enum backend_trust trust);
void boot_result_free(struct boot_result *result);

/* Zeroed memory in an unnamed file: nothing is left behind however this process ends. */
int guest_memory_alloc(struct guest_memory *memory, uint64_t bytes, struct error *error);
void guest_memory_free(struct guest_memory *memory);
/* The one way from a guest-physical address to host memory: NULL unless all of it is inside. */
void *guest_memory_at(const struct guest_memory *memory, uint64_t address, uint64_t bytes);

#endif
