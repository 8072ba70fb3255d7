/*
 * The SIP images that a draft names: finding, reading and checking them, and whether the guest's
 * memory holds them with everything else.
 */
#include "plan_draft.h"

#include "mechanism_keys.h"

#include "guest-kernel/result.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the folder ---- */

/* The length of NAME in "NAME.SAFETY.elf", or 0 when the file is no SIP image. */
static size_t image_stem(const char *file) {
    for (size_t i = 0; i < 3; i++) {
        char ending[24];
        size_t length = (size_t)snprintf(ending, sizeof(ending), ".%s.elf", safety_names[i]);

        if (strlen(file) > length && strcmp(file + strlen(file) - length, ending) == 0)
            return strlen(file) - length;
    }
    return 0;
}

struct image_list {
    char **name; /* of images, each once */
    size_t count;
};

/* The folder of a variant's images, malloc'ed; NULL without memory. */
static char *image_folder(const struct config_paths *paths, const char *variant) {
    char *path;

    if (asprintf(&path, "%s/%s", paths->image_dir ? paths->image_dir : ".", variant) < 0)
        return NULL;
    path[strlen(path) - 1] = '\0'; /* the last is a slash in any case */
    return path;
}

static struct image_list image_list_read(const struct config_paths *paths, const char *variant) {
    char *folder = image_folder(paths, variant);
    DIR *dir = paths->image_dir && folder ? opendir(folder) : NULL;
    struct image_list list = {0};
    struct dirent *entry;

    free(folder);
    while (dir && (entry = readdir(dir))) {
        size_t length = image_stem(entry->d_name);
        bool known = length == 0;

        for (size_t i = 0; i < list.count; i++)
            known = known || (strlen(list.name[i]) == length &&
                              strncmp(list.name[i], entry->d_name, length) == 0);
        if (known)
            continue;
        list.name = array_grow(list.name, list.count, sizeof(*list.name));
        list.name[list.count++] = text_copy(entry->d_name, length);
    }
    if (dir)
        closedir(dir);
    return list;
}

static void image_list_free(struct image_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->name[i]);
    free(list->name);
}

bool images_present(const struct config_paths *paths) {
    struct image_list list = image_list_read(paths, "");
    bool present = list.count > 0;

    image_list_free(&list);
    return present;
}

const char *image_variant(uint64_t mechanisms) {
    if (mechanisms & MECHANISM(RETPOLINE))
        return "retpoline/";
    return mechanisms & mechanism_key_bits(MECHANISM_SHSTK) ? "cet/" : "";
}

const char *plan_image_variant(const struct plan_header *plan) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);

    return image_variant(domains[0].mechanisms);
}

static char *image_path(const struct config_paths *paths, const char *variant, const char *name,
                        int safety) {
    char *path;

    if (asprintf(&path, "%s/%s%s.%s.elf", paths->image_dir ? paths->image_dir : ".", variant, name,
                 safety_names[safety]) < 0)
        return NULL;
    return path;
}

static bool image_exists(const struct config_paths *paths, const char *variant, const char *name,
                         int safety) {
    char *path = image_path(paths, variant, name, safety);
    bool exists = path && access(path, R_OK) == 0;

    free(path);
    return exists;
}

void image_check(const struct config_paths *paths, const char *variant, const char *name,
                 int safety, struct mark at, struct config_diags *diags) {
    const char *kinds[3];
    char choices[CHOICES_TEXT_BYTES], nearest[NEAREST_TEXT_BYTES];
    struct image_list list;
    size_t count = 0;

    for (int i = 0; i < 3; i++)
        if (image_exists(paths, variant, name, i))
            kinds[count++] = safety_names[i];
    if (safety < 0 ? count > 0 : image_exists(paths, variant, name, safety))
        return;
    if (count) {
        diag_at(diags, at,
                "image '%s' is not built %s: there is no %s/%s%s.%s.elf; it is built %s, which "
                "'safety' of the layout can ask for",
                name, safety_names[safety], paths->image_dir, variant, name, safety_names[safety],
                choices_text(kinds, count, choices));
        return;
    }
    for (int i = 0; *variant && i < 3; i++)
        if (image_exists(paths, "", name, i)) {
            diag_at(diags, at,
                    "image '%s' is not built with what the layout asks of code: there is no "
                    "%s/%s%s.%s.elf; take a layout without retpoline and cet",
                    name, paths->image_dir, variant, name, safety_names[safety < 0 ? i : safety]);
            return;
        }
    list = image_list_read(paths, variant);
    diag_at(diags, at, "there is no image '%s': %s has no %s%s.%s.elf%s", name,
            paths->image_dir ? paths->image_dir : "the image folder", variant, name,
            safety_names[safety < 0 ? 0 : safety],
            list.count ? nearest_text(name, (const char *const *)list.name, list.count, nearest)
                       : " nor any other image; build the project first");
    image_list_free(&list);
}

/* ---- reading ---- */

/* Returns 0, or a negative errno; -EFBIG when the file is larger than any plan. */
static int file_load(const char *path, void **data, size_t *bytes) {
    FILE *file = fopen(path, "rbe");
    int status = 0;
    long size;

    if (!file)
        return -errno;
    if (fseek(file, 0, SEEK_END) < 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) < 0) {
        status = -errno;
    } else if ((unsigned long)size > PLAN_MAX_BYTES) {
        status = -EFBIG;
    } else {
        *bytes = (size_t)size;
        *data = malloc(*bytes + 1); /* an empty file is still a buffer */
        if (!*data)
            status = -ENOMEM;
        else if (fread(*data, 1, *bytes, file) != *bytes)
            status = -EIO;
    }
    fclose(file);
    return status;
}

static void load_image(struct draft_image *image, const struct config_paths *paths,
                       const char *variant, struct config_diags *diags) {
    int safety = (int)image->entry.safety;
    char *path = image_path(paths, variant, image->entry.name, safety);
    char why[ELF_IMAGE_WHY_BYTES];
    int status = path ? file_load(path, &image->data, &image->bytes) : -ENOMEM;

    if (status == -ENOENT)
        image_check(paths, variant, image->entry.name, safety, image->at, diags);
    else if (status < 0)
        diag_at(diags, image->at, "image %s cannot be read: %s", path ? path : image->entry.name,
                strerror(-status));
    else if (elf_image_read(image->data, image->bytes, &image->elf, why) < 0)
        diag_at(diags, image->at, "image %s %s", path, why);
    else if (image->elf.note.safety != image->entry.safety)
        diag_at(diags, image->at, "image %s is named as %s but was built %s; build the SIPs again",
                path, safety_names[safety],
                image->elf.note.safety < 3 ? safety_names[image->elf.note.safety] : "otherwise");
    free(path);
}

static void check_float(const struct draft *draft, const struct draft_image *image,
                        struct config_diags *diags) {
    if (!(image->elf.note.features & ABI_IMAGE_FLOAT) ||
        draft->domains[0].mechanisms & (MECHANISM(FPU_EAGER) | MECHANISM(FPU_LAZY)))
        return;
    diag_at(diags, image->at,
            "image '%s' uses floating point, whose registers layout '%s' does not switch; write "
            "fpu: eager or fpu: lazy in the layout",
            image->entry.name, layout_name(draft->layout));
}

/* A SIP that can write its own rights to the keys is not kept apart by them. */
static void check_keyed(const struct draft *draft, const struct plan_sip *sip,
                        struct config_diags *diags) {
    const struct draft_image *image = &draft->images[sip->image];
    struct elf_finding finding;
    char place[80] = "no function that it names";

    if (!elf_image_find_pkru(image->data, image->bytes, &finding))
        return;
    if (finding.function[0])
        snprintf(place, sizeof(place), "%s()", finding.function);
    diag_at(diags, image->at,
            "image '%s' (%s) has the bytes of %s at 0x%llx of its code, in %s, which would give a "
            "SIP every key; domain '%s' of layout '%s' has pku: on; place SIP '%s' elsewhere, or "
            "build the image without them",
            image->entry.name, safety_names[image->entry.safety], finding.what,
            (unsigned long long)finding.address, place, draft->domains[sip->domain].name,
            layout_name(draft->layout), sip->name);
}

void draft_load_images(struct draft *draft, const struct config_paths *paths,
                       struct config_diags *diags) {
    const char *variant = image_variant(draft->domains[0].mechanisms);
    size_t before = diags->count;

    for (uint32_t i = 0; i < draft->image_count; i++) {
        load_image(&draft->images[i], paths, variant, diags);
        check_float(draft, &draft->images[i], diags);
    }
    for (size_t i = 0; i < draft->workload->sip_count && diags->count == before; i++)
        if (draft->domains[draft->sips[i].domain].mechanisms & MECHANISM(PKU))
            check_keyed(draft, &draft->sips[i], diags);
}

/* ---- memory ---- */

#define LOW_BYTES (RESULT_PA + RESULT_BYTES + (4ull << 20)) /* kernel, results, page tables */
#define STACK_BYTES (64ull << 10)                           /* of a SIP that asks for less */
#define HEAP_BYTES (1ull << 20)

static uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

/* The unit that a domain's memory is taken in; identity maps take single 4 KiB pages. */
static uint64_t domain_unit(const struct plan_domain *domain) {
    return domain->pages == PLAN_PAGES_2M ? 2ull << 20 : 4ull << 10;
}

void draft_check_memory(const struct draft *draft, uint64_t plan_bytes, uint64_t memory_bytes,
                        struct config_diags *diags) {
    const struct workload *workload = draft->workload;
    uint64_t need = LOW_BYTES + plan_bytes;

    for (size_t i = 0; i < workload->sip_count; i++) {
        const struct plan_sip *sip = &draft->sips[i];
        const struct elf_image *elf = &draft->images[sip->image].elf;
        uint64_t unit = domain_unit(&draft->domains[sip->domain]);
        uint64_t stack = elf->note.stack_bytes > STACK_BYTES ? elf->note.stack_bytes : STACK_BYTES;

        need += elf_image_memory(elf, unit) + round_up(stack, unit);
    }
    for (uint32_t i = 0; i < draft->domain_count; i++)
        if (i == 0 || draft->domains[i].heap) /* the shared heap exists in any case */
            need += round_up(HEAP_BYTES, domain_unit(&draft->domains[i]));
    for (size_t i = 0; i < workload->channel_count; i++)
        need += 2ull * draft->channels[i].message_bytes * draft->channels[i].depth;
    if (need <= memory_bytes)
        return;
    diag_at(diags, workload->name.at,
            "workload '%s' in layout '%s' does not fit: it needs about %llu MiB and the guest has "
            "%llu MiB; write --memory %lluM or more, or memory: in the experiment",
            workload_name(workload), layout_name(draft->layout),
            (unsigned long long)round_up(need, 1 << 20) >> 20,
            (unsigned long long)memory_bytes >> 20,
            (unsigned long long)round_up(need, 32 << 20) >> 20);
}
