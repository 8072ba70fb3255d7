/* Names addresses by the tables that the guest published and the symbols of its images. */
#include "profile_map.h"
#include "guest-kernel/memlayout.h"
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const void *image_data(const struct plan_header *plan, uint32_t index) {
    const struct plan_image *image = plan_at(plan, plan->images);
    return (const char *)plan + image[index].offset;
}

static int image_read(struct profile_map *map, uint32_t index, struct error *error) {
    const struct plan_image *image = plan_at(map->plan, map->plan->images);
    const void *data = image_data(map->plan, index);
    char why[ELF_IMAGE_WHY_BYTES];
    struct error symbols = {""};
    if (elf_image_read(data, image[index].bytes, &map->image[index].layout, why))
        return error_set(error, -EINVAL, "image %s %s", image[index].name, why);
    int status =
        profile_symbols_read(data, image[index].bytes, &map->image[index].symbols, &symbols);
    return status ? error_set(error, status, "image %s %.200s", image[index].name, symbols.text)
                  : 0;
}

int profile_map_create(struct profile_map *map, const struct plan_header *plan, const void *kernel,
                       size_t kernel_bytes, struct error *error) {
    struct error why = {""};
    *map = (struct profile_map){.plan = plan};
    int status = profile_symbols_read(kernel, kernel_bytes, &map->kernel, &why);
    if (status)
        return error_set(error, status, "the guest kernel %.200s", why.text);
    const struct {
        const char *name;
        uint64_t *address;
    } wanted[] = {{"composed_code", &map->composed},
                  {"composed_code_end", &map->composed_end},
                  {"stub_page", &map->stubs},
                  {"sip_start_all", &map->sip_start}};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!(*wanted[i].address = profile_symbols_address(&map->kernel, wanted[i].name)))
            return error_set(error, -EINVAL,
                             "the guest kernel has no symbol %s: it is of another build, or "
                             "stripped; build it again",
                             wanted[i].name);
    for (uint32_t i = 0; !status && i < plan->images.count; i++)
        status = image_read(map, i, error);
    return status;
}

/* Copies the guest's tables before they are looked at: it may write them at any time. */
int profile_map_update(struct profile_map *map, const struct guest_memory *memory,
                       struct error *error) {
    const struct result_header *result =
        guest_memory_at(memory, map->plan->result_pa, sizeof(*result));
    map->sips = 0;
    if (result)
        memcpy(&map->guest, &result->map, sizeof(map->guest));
    const struct result_map *guest = &map->guest;
    const uint8_t *table = NULL;
    if (result && guest->routines <= RESULT_MAX_ROUTINES && guest->sips <= PROFILE_SIPS_MOST &&
        guest->sip_bytes >= sizeof(uint64_t) &&
        guest->sip_base <= guest->sip_bytes - sizeof(uint64_t) &&
        guest->sip_plan <= guest->sip_bytes - sizeof(uint64_t))
        table = guest_memory_at(memory, guest->sips_pa, (uint64_t)guest->sips * guest->sip_bytes);
    if (!table)
        return error_set(error, -EPROTO, "the guest does not tell where its SIPs are");
    for (uint32_t i = 0; i < guest->sips; i++, table += guest->sip_bytes) {
        uint64_t base, plan;
        memcpy(&base, table + guest->sip_base, sizeof(base));
        memcpy(&plan, table + guest->sip_plan, sizeof(plan));
        uint64_t index = (plan - guest->plan_sips) / sizeof(struct plan_sip);
        if (base && plan >= guest->plan_sips && index < map->plan->sips.count)
            map->sip[map->sips++] = (struct profile_sip){base, (uint32_t)index};
    }
    return 0;
}

static const char *domain_name(const struct profile_map *map, uint32_t index) {
    const struct plan_domain *domain = plan_at(map->plan, map->plan->domains);
    return domain[index].name;
}

/* The number that the symbol or, where there is none, the address is; relative to where it is loaded. */
static void function_name(const struct profile_symbols *symbols, uint64_t address, uint64_t base,
                          struct profile_name *name) {
    const char *symbol = profile_symbols_find(symbols, address - base);
    if (symbol)
        snprintf(name->function, sizeof(name->function), "%s", symbol);
    else
        snprintf(name->function, sizeof(name->function), "%s%#llx", base ? "+" : "",
                 (unsigned long long)(address - base));
}

static void composed_name(const struct profile_map *map, uint64_t address,
                          struct profile_name *name) {
    static const char *const kinds[ROUTINE_KINDS] = RESULT_ROUTINE_NAMES;
    uint32_t at = 0;
    while (at + 1 < map->guest.routines &&
           map->composed + map->guest.routine[at + 1].offset <= address)
        at++;
    uint32_t kind = map->guest.routines ? map->guest.routine[at].kind : ROUTINE_KINDS;
    snprintf(name->function, sizeof(name->function), "[%s]",
             kind < ROUTINE_KINDS ? kinds[kind] : "composed");
}

static int sip_name(const struct profile_map *map, uint64_t address, struct profile_name *name) {
    const struct plan_sip *sip = plan_at(map->plan, map->plan->sips);
    for (uint32_t i = 0; i < map->sips; i++) {
        const struct plan_sip *plan = &sip[map->sip[i].sip];
        const struct elf_image *layout = &map->image[plan->image].layout;
        for (uint32_t k = 0; k < layout->segments; k++) {
            const struct elf_segment *segment = &layout->segment[k];
            if (!(segment->flags & PF_X) ||
                address - map->sip[i].base - segment->address >= segment->bytes)
                continue;
            name->where = plan->name;
            name->domain = domain_name(map, plan->domain);
            function_name(&map->image[plan->image].symbols, address, map->sip[i].base, name);
            return 1;
        }
    }
    return 0;
}

void profile_map_name(const struct profile_map *map, uint64_t address, struct profile_name *name) {
    *name = (struct profile_name){.where = PROFILE_KERNEL, .domain = domain_name(map, 0)};
    if (address >= map->composed && address < map->composed_end) {
        composed_name(map, address, name);
    } else if (address >= KERNEL_VA) {
        function_name(&map->kernel, address, 0, name);
    } else if (address >= STUB_VA && address < STUB_VA + PAGE_BYTES) {
        name->where = name->domain = PROFILE_STUBS;
        function_name(&map->kernel, address - STUB_VA + map->stubs, 0, name);
    } else if (!sip_name(map, address, name)) {
        name->where = name->domain = PROFILE_UNKNOWN;
        function_name(&(struct profile_symbols){0}, address, 0, name);
    }
}

void profile_map_free(struct profile_map *map) {
    profile_symbols_free(&map->kernel);
    for (uint32_t i = 0; i < PLAN_MAX_IMAGES; i++)
        profile_symbols_free(&map->image[i].symbols);
}
