/*
 * A plan in the making: the pair of a layout and a workload, resolved, before its tables and images
 * are laid out as one binary. Shared by the resolver, the builder and the checker of experiments.
 */
#ifndef BULKHEAD_PLAN_DRAFT_H
#define BULKHEAD_PLAN_DRAFT_H

#include "elf_image.h"
#include "model.h"

struct draft_image {
    struct plan_image entry;
    struct mark at; /* the workload's `image:` */
    void *data;     /* malloc'ed file */
    size_t bytes;
    struct elf_image elf;
};
struct draft {
    const struct layout *layout;
    const struct workload *workload;
    struct config_params params;
    struct plan_domain domains[PLAN_MAX_DOMAINS];
    uint32_t domain_count;
    struct plan_sip sips[PLAN_MAX_SIPS];
    struct plan_channel channels[PLAN_MAX_CHANNELS];
    struct draft_image images[PLAN_MAX_IMAGES];
    uint32_t image_count;
    const struct plan_contract *contracts[PLAN_MAX_CONTRACTS];
    uint32_t contract_count;
};

/*
 * Resolves the pair: domains, placement, heaps, transfer kinds, payload sizes. Images are named but not
 * read. Returns a draft, or NULL with diagnostics.
 */
struct draft *draft_resolve(const struct layout *layout, const struct workload *workload,
                            const struct config_params *params, struct config_diags *diags);
void draft_free(struct draft *draft);

/* Whether the folder holds any SIP image at all: before a build it does not. */
bool images_present(const struct config_paths *paths);
/*
 * Reports an image that is in the folder in no safety kind, or (safety not negative) not in that one.
 * `variant` is as image_variant() tells.
 */
void image_check(const struct config_paths *paths, const char *variant, const char *name,
                 int safety, struct mark at, struct config_diags *diags);
/* plan_image_variant() of the mechanisms of the kernel's own domain. */
const char *image_variant(uint64_t mechanisms);
/* Reads and checks each image of the draft. Problems are diagnostics. */
void draft_load_images(struct draft *draft, const struct config_paths *paths,
                       struct config_diags *diags);
/* Reports a draft with images that needs more than `memory_bytes`, with a plan of `plan_bytes`. */
void draft_check_memory(const struct draft *draft, uint64_t plan_bytes, uint64_t memory_bytes,
                        struct config_diags *diags);

/* What the pairs of domains meet on a switch, in words. */
void plan_explain_switches(const struct plan_header *plan, FILE *to);

extern const char *const role_names[3];   /* by enum plan_role */
extern const char *const safety_names[3]; /* by enum plan_safety */

#endif
