/* Where an address belongs: to which SIP or to the kernel, to which domain, and to which function. */
#ifndef BULKHEAD_PROFILE_MAP_H
#define BULKHEAD_PROFILE_MAP_H

#include "domain-config/elf_image.h"
#include "domain-config/plan.h"
#include "guest-kernel/result.h"
#include "profile_symbols.h"

#define PROFILE_SIPS_MOST 1024u

struct profile_sip { /* an instance */
    uint64_t base;
    uint32_t sip; /* index into the plan's */
};
struct profile_map {
    const struct plan_header *plan;
    struct profile_symbols kernel;
    uint64_t composed, composed_end, stubs, sip_start; /* addresses of the kernel's */
    struct {
        struct elf_image layout;
        struct profile_symbols symbols;
    } image[PLAN_MAX_IMAGES];
    struct result_map guest; /* as last read */
    struct profile_sip sip[PROFILE_SIPS_MOST];
    uint32_t sips;
};

struct profile_name {
    const char *where; /* a SIP's name, or one of these: */
#define PROFILE_KERNEL "kernel"
#define PROFILE_STUBS "system call stubs" /* the page that the kernel lends ring-3 SIPs */
#define PROFILE_UNKNOWN "unknown"
    const char *domain;
    char function[64]; /* the symbol, "[switch]" of a composed routine, else the address */
};

/* Reads the symbols of the kernel, an ELF file in memory, and of the plan's images. */
int profile_map_create(struct profile_map *map, const struct plan_header *plan, const void *kernel,
                       size_t kernel_bytes, struct error *error);
/* Reads what the guest tells now of where things lie: once its SIPs are loaded, and whenever that changed. */
int profile_map_update(struct profile_map *map, const struct guest_memory *memory,
                       struct error *error);
void profile_map_name(const struct profile_map *map, uint64_t address, struct profile_name *name);
void profile_map_free(struct profile_map *map);

#endif
