/*
 * Mechanisms: what becomes of a layout's keys in the plan, what goes together, which images they
 * take, and what the plan's reader refuses. What does not go together is in broken/.
 */
#include "domain-config/config.h"
#include "domain-config/elf_image.h"
#include "guest-kernel/mechanisms.h"
#include "image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *images;
static struct config_paths paths;
static struct config_diags diags;

static void set_up(void) {
    images = test_folder_make();
    paths = (struct config_paths){SOURCE_DIR "/domain-config", images};
}

static void tear_down(void) {
    config_diags_free(&diags);
    test_folder_remove(images);
}

TestSuite(mechanisms, .init = set_up, .fini = tear_down);

/* The plan of a layout of this text with ping-pong, or NULL with diagnostics. */
static struct plan_header *plan_of(const char *text, bool simulate) {
    const struct plan_options options = {
        .memory_bytes = 128 << 20, .warmup = 1, .batch = 1, .samples = 1, .simulate = simulate};
    struct workload *workload = NULL;
    struct plan_header *plan = NULL;
    struct layout *layout = NULL;
    char *path, *whole;

    cr_assert(asprintf(&whole, "layout: l\n%s", text) > 0);
    test_folder_add_text(images, "l.yaml", whole);
    cr_assert(asprintf(&path, "%s/l.yaml", images) > 0);
    if (layout_load(&paths, path, &layout, &diags) == 0 &&
        workload_load(&paths, "ping-pong", &workload, &diags) == 0)
        plan_build(&paths, layout, workload, NULL, &options, &plan, &diags);
    layout_free(layout);
    workload_free(workload);
    free(path);
    free(whole);
    return plan;
}

static struct plan_header *plan_well(const char *text) {
    struct plan_header *plan = plan_of(text, false);

    config_diags_print(&diags, stderr);
    cr_assert(plan, "%s", text);
    return plan;
}

/* ---- from the table ---- */

/* Every row can be asked for by its key and word, and that alone sets its bit. */
Test(mechanisms, every_row_has_its_key) {
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        const struct mechanism_row *row = &mechanism_table[i];
        const struct plan_domain *domains;
        struct plan_header *plan;
        char text[256];

        if (i == MECHANISM_RETPOLINE || i == MECHANISM_SHSTK || i == MECHANISM_IBT)
            continue; /* their images are in a folder of their own */
        snprintf(text, sizeof(text),
                 "%s: %s\ndomains: {a: {ring: 3, space: shared}}\n"
                 "place: [{match: {role: '*'}, in: a}]\n",
                 row->key, row->word);
        plan = plan_well(text);
        domains = plan_at(plan, plan->domains);
        if (row->scope == SCOPE_MACHINE)
            cr_expect(domains[0].mechanisms == 1ull << i && domains[1].mechanisms == 0, "%s",
                      row->id);
        else
            cr_expect(domains[1].mechanisms == 1ull << i, "%s", row->id);
        free(plan);
        snprintf(text, sizeof(text),
                 "domains: {a: {ring: 3, space: %s, %s: %s}}\n"
                 "place: [{match: {role: '*'}, in: a}]\n",
                 i == MECHANISM_PKU ? "shared" : "own", row->key, row->word);
        if (row->scope == SCOPE_MACHINE)
            continue;
        plan = plan_well(text);
        domains = plan_at(plan, plan->domains);
        cr_expect(domains[1].mechanisms == 1ull << i && domains[0].mechanisms == 0, "%s", row->id);
        free(plan);
    }
}

/* A failure shows the line as it should be in docs/mechanisms.md. */
Test(mechanisms, the_documented_table_is_the_table) {
    FILE *file = fopen(SOURCE_DIR "/docs/mechanisms.md", "r");
    static char text[64 << 10];

    cr_assert(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        const struct mechanism_row *row = &mechanism_table[i];
        char line[1024], features[128] = "";

        for (uint32_t f = 0; f < CPU_FEATURE_COUNT; f++)
            if (row->features & 1u << f)
                snprintf(features + strlen(features), sizeof(features) - strlen(features), "%s%s",
                         features[0] ? ", " : "", cpu_feature_table[f].name);
        snprintf(line, sizeof(line), "\n| `%s: %s` | %s | %s | %s | %s | %s | %s |\n", row->key,
                 row->word, row->scope == SCOPE_DOMAIN ? "domain" : "machine", row->does,
                 row->against, row->where, features[0] ? features : "none", row->source);
        cr_expect(strstr(text, line), "docs/mechanisms.md lacks the line%s", line);
    }
}

/* ---- what goes together: each a neighbour of a file in broken/ ---- */

#define BIT(id) MECHANISM(id)
#define ALL_SWITCH (BIT(IBPB) | BIT(L1D_FLUSH) | BIT(BUFFER_CLEAR) | BIT(RSB_FILL))
#define IN_A "place: [{match: {role: '*'}, in: a}]\n"
#define IN_AB "place: [{match: {role: application}, in: a}, {match: {role: '*'}, in: b}]\n"

static const struct {
    const char *text;
    uint64_t kernel, client, server; /* of the domains that these are in */
} good[] = {
    /* off and none, for a layout, for a domain over the layout */
    {"tag: none\non-switch: off\nfpu: none\nkpti: off\ndomains: {a: {}}\n" IN_A, 0, 0, 0},
    {"tag: pcid\ndomains: {a: {tag: off}, b: {}}\n" IN_AB, BIT(PCID), 0, BIT(PCID)},
    {"on-switch: [rsb-fill, ibpb]\nkernel: {on-switch: none}\ndomains: {a: {on-switch: ibpb}, b: "
     "{}}\n" IN_AB,
     0, BIT(IBPB), BIT(IBPB) | BIT(RSB_FILL)},
    {"on-switch: [ibpb]\nplace: [{match: {role: '*'}, in: own, on-switch: off}]\n", BIT(IBPB), 0,
     0},
    /* ring 3 in the kernel's root: alone, or with keys */
    {"domains: {a: {ring: 3, space: shared}, b: {ring: 3}}\n" IN_AB, 0, 0, 0},
    {"pages: 2M\ndomains: {a: {ring: 3, space: shared}}\n" IN_A, 0, 0, 0},
    {"domains: {a: {ring: 3, space: shared, pku: on}, b: {ring: 3, space: kernel, pku: "
     "on}}\n" IN_AB,
     0, BIT(PKU), BIT(PKU)},
    {"pku: on\nplace: [{match: {role: '*'}, in: own, ring: 3, space: shared}]\n", 0, BIT(PKU),
     BIT(PKU)},
    /* a layout's pku and kpti are for the domains where they can act */
    {"pku: on\nkpti: on\ndomains: {a: {ring: 3}, b: {}}\n" IN_AB, 0, BIT(KPTI), 0},
    /* one root, one tag */
    {"kernel: {tag: pcid}\ndomains: {a: {space: shared}, b: {}}\n" IN_AB, BIT(PCID), BIT(PCID), 0},
    {"kernel: {tag: pcid}\ndomains: {a: {space: shared, tag: pcid}, b: {tag: pcid}}\n" IN_AB,
     BIT(PCID), BIT(PCID), BIT(PCID)},
    {"kernel: {tag: off}\ntag: pcid\ndomains: {a: {space: shared}, b: {}}\n" IN_AB, 0, 0,
     BIT(PCID)},
    /* KPTI: the kernel's pages of 4 KiB, the domain's as it likes; the same for all of one root */
    {"domains: {a: {ring: 3, kpti: on, pages: 2M}, b: {ring: 3}}\n" IN_AB, 0, BIT(KPTI), 0},
    {"domains: {a: {ring: 3, space: shared, kpti: on}, b: {ring: 3, kpti: off}}\n" IN_AB, 0,
     BIT(KPTI), 0},
    {"kpti: on\npku: on\nplace: [{match: {role: '*'}, in: own, ring: 3, space: shared}]\n", 0,
     BIT(KPTI) | BIT(PKU), BIT(KPTI) | BIT(PKU)},
    {"global: on\nkpti: on\npages: 2M\ndomains: {a: {ring: 3, kpti: off}}\n" IN_A, BIT(GLOBAL), 0,
     0},
    {"global: on\nkpti: on\npages: largest\nplace: [{match: {role: '*'}, in: kernel}]\n",
     BIT(GLOBAL), BIT(GLOBAL), BIT(GLOBAL)},
    /* switches to ring 3 alone */
    {"on-switch-to: ring-3\non-switch: [ibpb, l1d-flush, buffer-clear, rsb-fill]\n"
     "domains: {a: {ring: 3}, b: {}}\n" IN_AB,
     BIT(ON_RING3), ALL_SWITCH, 0},
    {"on-switch-to: ring-3\nkernel: {on-switch: off}\n"
     "domains: {a: {ring: 3, on-switch: ibpb}, b: {ring: 3, on-switch: ibpb}}\n" IN_AB,
     BIT(ON_RING3), BIT(IBPB), BIT(IBPB)},
    /* of the machine, with nothing in ring 3 to act on */
    {"smep: on\nsmap: on\numip: on\nfpu: lazy\npages: largest\n"
     "place: [{match: {role: '*'}, in: kernel}]\n",
     BIT(SMEP) | BIT(SMAP) | BIT(UMIP) | BIT(FPU_LAZY),
     BIT(SMEP) | BIT(SMAP) | BIT(UMIP) | BIT(FPU_LAZY),
     BIT(SMEP) | BIT(SMAP) | BIT(UMIP) | BIT(FPU_LAZY)},
    /* the child's word wins over the parent's */
    {"extends: hip-r3-s-flush\non-switch: off\n", 0, 0, 0},
    {"extends: hip-r3-s-flush\ntag: pcid\n", BIT(PCID) | ALL_SWITCH, BIT(PCID) | ALL_SWITCH,
     BIT(PCID) | ALL_SWITCH},
};

Test(mechanisms, what_goes_together) {
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct plan_header *plan = plan_well(good[i].text);
        const struct plan_domain *domains = plan_at(plan, plan->domains);
        const struct plan_sip *sips = plan_at(plan, plan->sips);

        cr_expect(domains[0].mechanisms == good[i].kernel, "%s", good[i].text);
        cr_expect(domains[sips[0].domain].mechanisms == good[i].client, "%s", good[i].text);
        cr_expect(domains[sips[1].domain].mechanisms == good[i].server, "%s", good[i].text);
        free(plan);
    }
}

Test(mechanisms, simulate_is_a_flag_of_the_plan) {
    for (int simulate = 0; simulate < 2; simulate++) {
        struct plan_header *plan = plan_of("extends: sip-page\n", simulate);

        cr_assert(plan);
        cr_expect(!(plan->flags & PLAN_SIMULATE) == !simulate);
        free(plan);
    }
}

/* ---- images ---- */

Test(mechanisms, images_of_their_own) {
    static const struct {
        const char *text, *folder;
    } cases[] = {{"extends: sip-page\nretpoline: on\n", "retpoline"},
                 {"extends: sip-page\ncet: ibt\n", "cet"},
                 {"extends: sip-page\ncet: [shstk, ibt]\n", "cet"},
                 {"extends: sip-page\ncet: off\nsmep: on\n", ""}};
    struct test_image image;

    test_image_init(&image, PLAN_SAFETY_CHECKED);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const names[] = {"ping-pong-client", "ping-pong-server"};
        char text[512], variant[16] = "";
        struct plan_header *plan;

        if (cases[i].folder[0]) {
            snprintf(variant, sizeof(variant), "%s/", cases[i].folder);
            if (i < 2) { /* each folder is missing until it is made */
                cr_assert(!plan_of(cases[i].text, false));
                cr_assert(diags.count == 2);
                snprintf(text, sizeof(text), "there is no %s/%sping-pong-client.checked.elf",
                         images, variant);
                cr_expect(strstr(diags.item[0].text, text), "%s", diags.item[0].text);
                config_diags_free(&diags);
                snprintf(text, sizeof(text), "%s/%s", images, cases[i].folder);
                cr_assert(mkdir(text, 0755) == 0);
            }
            for (size_t n = 0; n < 2; n++) {
                snprintf(text, sizeof(text), "%s%s.checked.elf", variant, names[n]);
                image.code[0] = (uint8_t)(i + 1);
                test_folder_add(images, text, &image, sizeof(image));
            }
        }
        plan = plan_well(cases[i].text);
        const struct plan_image *files = plan_at(plan, plan->images);
        const uint8_t *bytes = (const uint8_t *)plan + files[0].offset;

        cr_expect_str_eq(plan_image_variant(plan), variant);
        cr_expect(bytes[4096] == (cases[i].folder[0] ? i + 1 : 0), "%s", cases[i].text);
        free(plan);
    }
    for (size_t i = 0; i < 2; i++) {
        char path[512];

        snprintf(path, sizeof(path), "%s/%s", images, cases[i].folder);
        test_folder_remove(strdup(path));
    }
}

#define KEYED "pku: on\nplace: [{match: {role: '*'}, in: own, ring: 3, space: shared}]\n"

static const struct {
    uint8_t bytes[4];
    uint32_t at; /* offset in the file; the code is at 0x1000 and is followed by data at 0x2000 */
    const char *found;
} code[] = {
    {{0x0f, 0x01, 0xef}, 0x1000, "WRPKRU"},       {{0x0f, 0x01, 0xef}, 0x1ffd, "WRPKRU"},
    {{0xb8, 0x0f, 0x01, 0xef}, 0x1123, "WRPKRU"}, /* in the middle of another instruction */
    {{0x0f, 0xae, 0x2f}, 0x1800, "XRSTOR"},       /* (%rdi) */
    {{0x48, 0x0f, 0xae, 0x6f}, 0x1801, "XRSTOR"}, /* 64-bit, with a displacement */
    {{0x0f, 0xc7, 0x1f}, 0x1000, "XRSTORS"},      {{0x0f, 0x01, 0xee}, 0x1000, NULL}, /* RDPKRU */
    {{0x0f, 0xae, 0xe8}, 0x1000, NULL},                                               /* LFENCE */
    {{0x0f, 0xae, 0x27}, 0x1000, NULL},                                               /* XSAVE */
    {{0x0f, 0xc7, 0x0f}, 0x1000, NULL}, /* CMPXCHG8B */
    {{0x0f, 0x01, 0xef}, 0x1ffe, NULL}, /* its end is data */
    {{0x0f, 0x01, 0xef}, 0x2800, NULL}, /* data */
};

Test(mechanisms, code_that_writes_keys) {
    for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
        struct elf_finding finding;
        struct test_image image;

        test_image_init(&image, PLAN_SAFETY_UNCHECKED);
        memcpy((uint8_t *)&image + code[i].at, code[i].bytes, sizeof(code[i].bytes));
        if (elf_image_find_pkru(&image, sizeof(image), &finding))
            cr_expect(code[i].found && strcmp(finding.what, code[i].found) == 0, "case %zu", i);
        else
            cr_expect(!code[i].found, "case %zu", i);
    }
}

/* What lies behind a segment in its last page is mapped with it, and executable. */
Test(mechanisms, code_behind_a_segment) {
    struct elf_finding finding;
    struct test_image image;
    char why[ELF_IMAGE_WHY_BYTES];
    struct elf_image elf;

    test_image_init(&image, PLAN_SAFETY_UNCHECKED);
    image.program[1].p_filesz = image.program[1].p_memsz = 100;
    image.code[4000] = 0x0f, image.code[4001] = 0x01, image.code[4002] = 0xef;
    cr_assert(elf_image_read(&image, sizeof(image), &elf, why) == 0, "%s", why);
    cr_assert(elf_image_find_pkru(&image, sizeof(image), &finding));
    cr_expect(finding.address == 0x1000 + 4000);
}

/* The function is named from the symbol table, unless that is not what it says it is. */
Test(mechanisms, function_that_writes_keys) {
    static const char names[] = "\0first\0second";
    struct elf_finding finding;
    struct test_image image;
    Elf64_Shdr *section = (void *)image.data;
    Elf64_Sym *symbol = (void *)(image.data + 1024);

    test_image_init(&image, PLAN_SAFETY_UNCHECKED);
    image.code[70] = 0x0f, image.code[71] = 0x01, image.code[72] = 0xef;
    memcpy(image.data + 2048, names, sizeof(names));
    image.header.e_shoff = offsetof(struct test_image, data);
    image.header.e_shnum = 3;
    image.header.e_shentsize = sizeof(*section);
    section[1] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
                              .sh_link = 2,
                              .sh_offset = offsetof(struct test_image, data) + 1024,
                              .sh_size = 3 * sizeof(*symbol)};
    section[2] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
                              .sh_offset = offsetof(struct test_image, data) + 2048,
                              .sh_size = sizeof(names)};
    symbol[1] = (Elf64_Sym){.st_name = 1, .st_info = STT_FUNC, .st_value = 0x1000, .st_size = 64};
    symbol[2] = (Elf64_Sym){.st_name = 7, .st_info = STT_FUNC, .st_value = 0x1040, .st_size = 64};
    cr_assert(elf_image_find_pkru(&image, sizeof(image), &finding));
    cr_expect_str_eq(finding.function, "second");
    section[2].sh_size = UINT64_MAX;
    cr_assert(elf_image_find_pkru(&image, sizeof(image), &finding));
    cr_expect_str_eq(finding.function, "");
    section[2].sh_size = 9; /* the name is cut */
    cr_assert(elf_image_find_pkru(&image, sizeof(image), &finding));
    cr_expect_str_eq(finding.function, "se");
    section[1].sh_link = 3;
    cr_assert(elf_image_find_pkru(&image, sizeof(image), &finding));
    cr_expect_str_eq(finding.function, "");
    image.header.e_shoff = UINT64_MAX;
    cr_assert(elf_image_find_pkru(&image, sizeof(image), &finding));
    cr_expect_str_eq(finding.function, "");
}

Test(mechanisms, an_image_with_keys_in_its_hands) {
    struct test_image image;
    struct plan_header *plan;

    test_image_init(&image, PLAN_SAFETY_UNCHECKED);
    image.code[5] = 0x0f, image.code[6] = 0x01, image.code[7] = 0xef;
    test_folder_add(images, "ping-pong-server.unchecked.elf", &image, sizeof(image));
    cr_assert(!plan_of(KEYED, false));
    cr_assert(diags.count == 1);
    cr_expect(strstr(diags.item[0].text,
                     "image 'ping-pong-server' (unchecked) has the bytes of WRPKRU at 0x1005"),
              "%s", diags.item[0].text);
    cr_expect(strstr(diags.item[0].text, "domain 'server' of layout 'l'"));
    config_diags_free(&diags);
    /* Where no key keeps it in, it may write them. */
    plan = plan_well("place: [{match: {role: '*'}, in: own, ring: 3}]\n");
    free(plan);
}

/* ---- what the reader refuses ---- */

static struct plan_header *sound, *plan;

static void refused(const char *text) {
    const char *why;

    plan->checksum = 0;
    plan->checksum = plan_crc32(0, plan, plan->total_bytes);
    cr_expect(plan_check(plan, plan->total_bytes, &why) < 0 && strstr(why, text), "%s: %s", text,
              why ? why : "accepted");
    memcpy(plan, sound, sound->total_bytes);
}

Test(mechanisms, plans_that_cannot_be) {
    struct plan_domain *domains;

    sound = plan_well(KEYED);
    plan = malloc(sound->total_bytes);
    cr_assert(plan);
    memcpy(plan, sound, sound->total_bytes);
    domains = (struct plan_domain *)((char *)plan + plan->domains.offset);
    domains[1].mechanisms |= 1ull << MECHANISM_COUNT;
    refused("does not know");
    domains[0].mechanisms |= 1ull << 63;
    refused("does not know");
    domains[1].mechanisms |= BIT(SMEP);
    refused("of the whole machine");
    domains[0].mechanisms |= BIT(FPU_EAGER) | BIT(FPU_LAZY);
    refused("of which it can have one");
    domains[0].mechanisms |= BIT(KPTI);
    refused("ring-0 domain asks for KPTI");
    domains[0].mechanisms |= BIT(PKU);
    refused("must be in ring 3");
    domains[1].space = PLAN_SPACE_OWN;
    refused("must be in ring 3 and in the kernel's root");
    domains[1].mechanisms |= BIT(PCID);
    refused("in its tag");
    domains[1].mechanisms = 0;
    refused("made for each SIP");
    domains[1].mechanisms = domains[1].per_sip = 0;
    refused("one has no protection key");
    domains[1].mechanisms |= BIT(KPTI);
    refused("differ in KPTI");
    domains[1].mechanisms |= BIT(KPTI);
    domains[2].mechanisms |= BIT(KPTI);
    domains[0].mechanisms |= BIT(GLOBAL);
    refused("pages are global");
    domains[1].mechanisms |= BIT(KPTI);
    domains[0].pages = PLAN_PAGES_2M;
    refused("not of 4 KiB");
    domains[0].pages = PLAN_PAGES_LARGEST;
    refused("pages of 4 KiB or 2 MiB");
    domains[0].mechanisms |= BIT(RETPOLINE) | BIT(IBT);
    refused("no image has both");
    domains[0].mechanisms |= BIT(ON_RING3);
    domains[2].mechanisms |= BIT(IBPB);
    refused("not all of ring 3");
    domains[0].mechanisms |= BIT(ON_RING3) | BIT(IBPB);
    refused("not all of ring 3");
    ((struct plan_channel *)((char *)plan + plan->channels.offset))->transfer =
        PLAN_TRANSFER_SHARED;
    refused("two domains of one root");
    free(plan);
    free(sound);
}

/* More domains with keys than there are keys: the builder never makes them. */
Test(mechanisms, sixteen_keys) {
    struct plan_header *few = plan_well(KEYED), *many;
    const struct plan_domain *from = plan_at(few, few->domains);
    uint32_t total = few->total_bytes + PLAN_IMAGE_ALIGN;
    struct plan_domain *to;
    const char *why;

    many = calloc(1, total);
    cr_assert(many);
    memcpy(many, few, few->total_bytes);
    many->total_bytes = total;
    many->domains.offset = few->total_bytes;
    to = (struct plan_domain *)((char *)many + many->domains.offset);
    for (uint32_t i = 0; i <= PLAN_MAX_KEYS + 1; i++) {
        to[i] = from[i < 3 ? i : 2];
        if (i < 3)
            continue;
        snprintf(to[i].name, sizeof(to[i].name), "d%02u", i);
        memset(to[i].name + 3, 0, sizeof(to[i].name) - 3);
        to[i].heap = i;
    }
    for (uint32_t count = PLAN_MAX_KEYS + 1; count <= PLAN_MAX_KEYS + 2; count++) {
        many->domains.count = count;
        many->checksum = 0;
        many->checksum = plan_crc32(0, many, many->total_bytes);
        if (count == PLAN_MAX_KEYS + 1)
            cr_expect(plan_check(many, total, &why) == 0, "%s", why);
        else
            cr_expect(plan_check(many, total, &why) < 0 && strstr(why, "than a CPU has keys"));
    }
    free(many);
    free(few);
}

/* ---- in words ---- */

Test(mechanisms, text) {
    char text[MECHANISMS_TEXT_BYTES];

    cr_expect_str_eq(mechanisms_text(0, text), "-");
    cr_expect_str_eq(mechanisms_text(BIT(PCID) | BIT(IBPB) | BIT(RSB_FILL) | BIT(SMEP), text),
                     "tag: pcid, on-switch: [ibpb, rsb-fill], smep: on");
    cr_expect(strlen(mechanisms_text(UINT64_MAX, text)) < sizeof(text) - 1);
}

Test(mechanisms, explained) {
    struct plan_header *explained =
        plan_well("on-switch: ibpb\nsmap: on\n"
                  "domains: {a: {ring: 3, kpti: on}, b: {ring: 3}}\n" IN_AB);
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);

    plan_explain(explained, to);
    fclose(to);
    cr_expect(strstr(text, "\nmachine   smap: on\nimages    plain\n"), "%s", text);
    cr_expect(strstr(text, "\na       kpti: on, on-switch: ibpb\n"), "%s", text);
    cr_expect(strstr(text, "\nswitch between kernel and a, a and b\n"
                           "  load of CR3: other page tables\n"
                           "  every way into ring 3 and back: kpti on in one of them: runs"),
              "%s", text);
    cr_expect(strstr(text, "\nswitch between kernel and b\n"
                           "  load of CR3: other page tables\n"
                           "  switch between domains: on-switch ibpb: empties"),
              "%s", text);
    free(text);
    free(explained);
}
