/*
 * The Linux peer: the same operations as our workloads, measured by one static program on Linux, on
 * this host, or in a guest that QEMU emulates or KVM runs. peer/linux/cells.h names the operations;
 * docs/peers.md tells what they mean.
 */
#ifndef BULKHEAD_PEER_H
#define BULKHEAD_PEER_H

#include "backend.h"
#include "records.h"

struct peer_place;

struct peer {
    const struct peer_place *place;
    const char *program;     /* the static program */
    const char *kernel;      /* of the guest: a bzImage */
    const char *mitigations; /* of the guest's command line */
    uint32_t warmup, batch, samples, timeout_s;
    uint64_t seed;
    int verbose; /* the guest's console to stderr as it comes */
    const volatile int *cancel;
};

struct peer_ran {
    char *command; /* what was executed, malloc'ed */
    char how[256]; /* how it ended, with the last line that it had to say */
};

/* Where the peer runs. */
struct peer_place {
    const char *layout; /* of its records; the ways of cells.h are put behind it */
    const char *backend, *unit;
    uint32_t boots; /* unless told otherwise */
    int is_guest;   /* 1: it needs a kernel */
    /* Whether this host can, how far its clock is to be trusted, and a version for the manifest. */
    void (*probe)(const struct peer *peer, struct backend_info *info);
    /*
     * Runs the program once; it writes to the file `output`. Returns 0 when it ran, -EINTR when
     * cancelled, or another negative errno. `ran` receives how it ended and what it said.
     */
    int (*run)(const struct peer *peer, int output, struct peer_ran *ran, struct error *error);
};
extern const struct peer_place peer_native, peer_guest, peer_kvm;

struct peer_boot { /* one run of the program as records, in the order of cells.h */
    struct record *record;
    size_t count;
    json_t *system; /* what the measured system says of itself, and "command" */
};

/*
 * Runs the peer once, as boot `number`. Returns 0 and *boot, whose strings live as long as *peer; or
 * a negative errno and a sentence.
 */
int peer_boot(const struct peer *peer, const struct backend_info *info, uint32_t number,
              struct peer_boot *boot, struct error *error);
/* Records that say why there are no figures, one for each cell. 0 or -ENOMEM. */
int peer_boot_unavailable(const struct peer *peer, const struct backend_info *info,
                          const char *reason, struct peer_boot *boot);
void peer_boot_free(struct peer_boot *boot);

/* The place's layout of that way of cells.h; lives as long as the process. */
const char *peer_layout(const struct peer_place *place, const char *way);

/* Writes an initramfs that holds the program as /init. Returns a descriptor or a negative errno. */
int peer_initramfs(const char *program, struct error *error);

json_t *peer_manifest(const struct peer *peer, const struct backend_info *info, uint32_t boots);

#endif
