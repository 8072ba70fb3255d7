/*
 * The guest kernels that a run boots: one for each variant of the images (plan_image_variant()), each
 * a copy in an unnamed file. A build in the middle of a run changes nothing, and the hash in the
 * manifest is that of what was booted.
 */
#ifndef BULKHEAD_KERNELS_H
#define BULKHEAD_KERNELS_H

#include "backend.h"
#include "domain-config/config.h"

#define KERNELS_MOST 8

struct kernels {
    struct {
        const char *variant; /* as plan_image_variant() has it: static */
        char path[64];       /* of the copy, while this process lives */
        int fd;
    } item[KERNELS_MOST];
    size_t count;
};

/*
 * Holds the kernel that the plan needs, unless it is held already. Returns its path, or NULL with a
 * sentence.
 */
const char *kernels_hold(struct kernels *kernels, const struct config_paths *paths,
                         const struct plan_header *plan, struct error *error);
/* The path of the kernel that the plan needs, which is held. */
const char *kernels_path(const struct kernels *kernels, const struct plan_header *plan);
void kernels_close(struct kernels *kernels);

#endif
