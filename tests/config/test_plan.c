/*
 * The plan: what the builder makes of each pair, and that the reader refuses everything else.
 */
#include "domain-config/config.h"
#include "guest-kernel/result.h"
#include "image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *images;
static struct config_paths paths;
static struct config_diags diags;
static const struct plan_options usual = {
    .memory_bytes = 128 << 20, .seed = 7, .warmup = 3, .batch = 32, .samples = 30};

static void set_up(void) {
    images = test_folder_make();
    paths = (struct config_paths){SOURCE_DIR "/domain-config", images};
}

static void tear_down(void) {
    config_diags_free(&diags);
    test_folder_remove(images);
}

TestSuite(plan, .init = set_up, .fini = tear_down);

static struct plan_header *build(const char *layout_file, const char *workload_file,
                                 const struct plan_options *options) {
    struct plan_header *plan = NULL;
    struct workload *workload = NULL;
    struct layout *layout = NULL;

    if (layout_load(&paths, layout_file, &layout, &diags) == 0 &&
        workload_load(&paths, workload_file, &workload, &diags) == 0)
        plan_build(&paths, layout, workload, NULL, options, &plan, &diags);
    layout_free(layout);
    workload_free(workload);
    return plan;
}

static struct plan_header *build_well(const char *layout, const char *workload) {
    struct plan_header *plan = build(layout, workload, &usual);

    config_diags_print(&diags, stderr);
    cr_assert(plan, "%s with %s", layout, workload);
    return plan;
}

/* A layout or workload of the test's own, in the folder of images. */
static char *write_file(const char *name, const char *text) {
    char *path;

    test_folder_add_text(images, name, text);
    cr_assert(asprintf(&path, "%s/%s", images, name) > 0);
    return path;
}

/* ---- what is built ---- */

Test(plan, round_trip) {
    struct plan_header *plan = build_well("hip-r3", "ping-pong");
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const struct plan_sip *sips = plan_at(plan, plan->sips);
    const struct plan_channel *channels = plan_at(plan, plan->channels);
    const struct plan_image *files = plan_at(plan, plan->images);
    const struct plan_param *params = plan_at(plan, plan->params);
    struct test_image image;
    const uint8_t *image_bytes = (const uint8_t *)&image;
    const char *why;

    cr_assert(plan_check(plan, plan->total_bytes, &why) == 0, "%s", why);
    cr_expect_str_eq(plan->layout, "hip-r3");
    cr_expect_str_eq(plan->workload, "ping-pong");
    cr_expect(plan->seed == 7 && plan->warmup == 3 && plan->batch == 32 && plan->samples == 30);
    cr_expect(plan->flags == 0 && plan->result_pa == RESULT_PA &&
              plan->result_bytes == RESULT_BYTES);
    cr_assert(plan->domains.count == 2);
    cr_expect_str_eq(domains[0].name, "kernel");
    cr_expect_str_eq(domains[1].name, "apps");
    cr_expect(domains[1].ring == 3 && domains[1].space == PLAN_SPACE_OWN);
    cr_expect(domains[1].pages == PLAN_PAGES_4K && domains[1].heap == 1);
    cr_assert(plan->sips.count == 2);
    cr_expect_str_eq(sips[0].name, "client");
    cr_expect(sips[0].domain == 1 && sips[1].domain == 0 && sips[0].autostart == 1);
    cr_expect(sips[1].role == PLAN_ROLE_SERVICE);
    cr_assert(plan->channels.count == 1);
    cr_expect_str_eq(channels[0].name, "ping");
    cr_expect(channels[0].from == 0 && channels[0].to == 1 && channels[0].depth == 4);
    cr_expect(channels[0].transfer == PLAN_TRANSFER_COPY && channels[0].message_bytes == 64);
    cr_expect(channels[0].contract == PLAN_NONE);
    cr_assert(plan->images.count == 2);
    test_image_init(&image, PLAN_SAFETY_CHECKED);
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert(files[i].bytes == sizeof(image));
        cr_expect(files[i].offset % 4096 == 0);
        cr_expect(memcmp((char *)plan + files[i].offset, image_bytes, sizeof(image)) == 0);
    }
    cr_assert(plan->params.count == 1);
    cr_expect_str_eq(params[0].name, "bytes");
    cr_expect(params[0].value == 1);
    free(plan);
}

static const struct {
    const char *layout, *workload;
    uint32_t domains, client_ring, client_heap, transfer, kernel_pages;
} ladder[] = {
    {"sip-phys", "ping-pong", 1, 0, 0, PLAN_TRANSFER_MOVE, PLAN_PAGES_LARGEST},
    {"sip-page", "ping-pong", 1, 0, 0, PLAN_TRANSFER_MOVE, PLAN_PAGES_4K},
    {"hip-r0", "ping-pong", 2, 0, 0, PLAN_TRANSFER_MOVE, PLAN_PAGES_4K},
    {"hip-r0-s", "ping-pong", 3, 0, 0, PLAN_TRANSFER_MOVE, PLAN_PAGES_4K},
    {"hip-r3", "ping-pong", 2, 3, 1, PLAN_TRANSFER_COPY, PLAN_PAGES_4K},
    {"hip-r3-s", "ping-pong", 3, 3, 1, PLAN_TRANSFER_COPY, PLAN_PAGES_4K},
    {"monolithic", "ping-pong", 2, 3, 1, PLAN_TRANSFER_COPY, PLAN_PAGES_4K},
    {"microkernel", "ping-pong", 3, 3, 1, PLAN_TRANSFER_COPY, PLAN_PAGES_4K},
    {"hip-r3", "ping-pong-peers", 2, 3, 1, PLAN_TRANSFER_MOVE, PLAN_PAGES_4K},
};

Test(plan, ladder_is_the_papers) {
    for (size_t i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++) {
        struct plan_header *plan = build_well(ladder[i].layout, ladder[i].workload);
        const struct plan_domain *domains = plan_at(plan, plan->domains);
        const struct plan_sip *sips = plan_at(plan, plan->sips);
        const struct plan_channel *channels = plan_at(plan, plan->channels);
        const struct plan_domain *client = &domains[sips[0].domain];

        cr_expect_str_eq(plan->layout, ladder[i].layout);
        cr_expect(plan->domains.count == ladder[i].domains, "%s", ladder[i].layout);
        cr_expect(client->ring == ladder[i].client_ring, "%s", ladder[i].layout);
        cr_expect(client->heap == ladder[i].client_heap, "%s", ladder[i].layout);
        cr_expect(channels[0].transfer == ladder[i].transfer, "%s", ladder[i].layout);
        cr_expect(client->per_sip == (ladder[i].domains == 3), "%s", ladder[i].layout);
        cr_expect(domains[0].pages == ladder[i].kernel_pages, "%s", ladder[i].layout);
        free(plan);
    }
}

Test(plan, a_layout_nobody_has_seen) {
    char *layout =
        write_file("odd.yaml", "layout: odd\n"
                               "wake: direct\npreempt: on\ntransfer: copy\n"
                               "on-fault: restart\n"
                               "domains:\n"
                               "  unused: {ring: 3}\n"
                               "  services: {ring: 3, pages: 2M}\n"
                               "  near: {space: shared, heap: own}\n"
                               "place:\n"
                               "  - {match: {role: service}, in: services}\n"
                               "  - {match: {sip: [pal, client]}, in: near, on-fault: kill}\n"
                               "  - {match: {role: '*'}, in: own, heap: own}\n");
    struct plan_header *plan = build_well(layout, "ping-pong");
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const struct plan_sip *sips = plan_at(plan, plan->sips);

    cr_expect(plan->flags == (PLAN_WAKE_DIRECT | PLAN_PREEMPT) && plan->slice_us > 0);
    cr_assert(plan->domains.count == 3);
    cr_expect_str_eq(domains[1].name, "near");
    cr_expect(domains[1].ring == 0 && domains[1].space == PLAN_SPACE_KERNEL &&
              domains[1].heap == 1);
    cr_expect_str_eq(domains[2].name, "services");
    cr_expect(domains[2].pages == PLAN_PAGES_2M && domains[2].heap == 2);
    cr_expect(domains[1].per_sip == 0);
    cr_expect(sips[0].on_fault == PLAN_FAULT_KILL && sips[1].on_fault == PLAN_FAULT_RESTART);
    free(plan);
    free(layout);
}

Test(plan, copy_inside_one_heap_is_allowed) {
    char *layout = write_file("copies.yaml", "layout: copies\nextends: sip-page\ntransfer: copy\n");
    struct plan_header *plan = build_well(layout, "ping-pong");
    const struct plan_channel *channels = plan_at(plan, plan->channels);

    cr_expect(channels[0].transfer == PLAN_TRANSFER_COPY);
    free(plan);
    free(layout);
}

static const struct {
    const char *layout;
    uint32_t transfer, domains;
} asked[] = {
    {"extends: hip-r3-s\ntransfer: remap\n", PLAN_TRANSFER_REMAP, 3},
    {"transfer: remap\nplace: [{match: {role: '*'}, in: own, heap: own}]\n", PLAN_TRANSFER_REMAP,
     3},
    {"extends: hip-r3-s\ntransfer: shared\n", PLAN_TRANSFER_SHARED, 3},
    {"extends: hip-r3\ntransfer: shared\n", PLAN_TRANSFER_SHARED, 2},
    {"extends: sip-page\ntransfer: shared\n", PLAN_TRANSFER_SHARED, 1},
};

Test(plan, transfers_by_name) {
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        char text[256];

        snprintf(text, sizeof(text), "layout: asked\n%s", asked[i].layout);
        char *layout = write_file("asked.yaml", text);
        struct plan_header *plan = build_well(layout, "ping-pong");
        const struct plan_channel *channels = plan_at(plan, plan->channels);

        cr_expect(channels[0].transfer == asked[i].transfer, "%s", asked[i].layout);
        cr_expect(plan->domains.count == asked[i].domains, "%s", asked[i].layout);
        free(plan);
        free(layout);
    }
}

Test(plan, who_decides_about_preemption) {
    static const struct {
        const char *layout;
        enum preempt_choice choice;
        int preempts;
    } cases[] = {
        {"off", PREEMPT_AS_LAYOUT, 0}, {"on", PREEMPT_AS_LAYOUT, 1}, {"off", PREEMPT_ON, 1},
        {"on", PREEMPT_ON, 1},         {"off", PREEMPT_OFF, 0},      {"on", PREEMPT_OFF, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_options options = usual;
        char text[128];

        snprintf(text, sizeof(text), "layout: timed\nextends: sip-page\npreempt: %s\n",
                 cases[i].layout);
        char *layout = write_file("timed.yaml", text);
        options.preempt = cases[i].choice;
        struct plan_header *plan = build(layout, "abi-call", &options);

        cr_assert(plan);
        cr_expect(!(plan->flags & PLAN_PREEMPT) == !cases[i].preempts, "case %zu", i);
        free(plan);
        free(layout);
    }
}

Test(plan, extends_merges) {
    char *parent = write_file("parent.yaml", "layout: parent\npages: 2M\nwake: direct\n"
                                             "domains: {apps: {ring: 3, pages: 2M}}\n"
                                             "place: [{match: {role: '*'}, in: kernel}]\n");
    char *child = write_file("child.yaml", "pages: 4K\nlayout: child\n"
                                           "domains: {apps: {pages: 4K}}\n"
                                           "place: [{match: {role: '*'}, in: apps}]\n"
                                           "extends: parent.yaml\n");
    struct plan_header *plan = build_well(child, "yield");
    const struct plan_domain *domains = plan_at(plan, plan->domains);

    cr_expect_str_eq(plan->layout, "child");
    cr_expect(plan->flags == PLAN_WAKE_DIRECT && domains[0].pages == PLAN_PAGES_4K);
    cr_assert(plan->domains.count == 2);
    cr_expect(domains[1].ring == 3 && domains[1].pages == PLAN_PAGES_4K);
    free(plan);
    free(parent);
    free(child);
}

Test(plan, contracts_sips_and_rights) {
    char *file = write_file(
        "all.yaml",
        "workload: all\n"
        "sips:\n"
        "  a: {image: abi-call, role: driver, rights: [create, kill], budget-us: 1K, quota: 2M}\n"
        "  b: {image: abi-call, role: service, autostart: no, rights: may-fault}\n"
        "channels:\n"
        "  one: {contract: flood, from: a, to: b, depth: 8, bytes: 64K}\n"
        "  two: {contract: echo, from: b, to: a, depth: 1}\n"
        "  three: {contract: flood, from: b, to: a, depth: 8, bytes: size}\n"
        "  four: {contract: echo, depth: 2}\n"
        "params: {size: 128K, a: -1}\n");
    struct plan_header *plan = build_well("microkernel", file);
    const struct plan_sip *sips = plan_at(plan, plan->sips);
    const struct plan_channel *channels = plan_at(plan, plan->channels);
    const struct plan_contract *contracts = plan_at(plan, plan->contracts);
    const struct plan_param *params = plan_at(plan, plan->params);

    cr_expect(plan->images.count == 1);
    cr_expect(sips[0].rights == 3 && sips[0].budget_us == 1024 && sips[0].quota_bytes == 2 << 20 &&
              sips[0].autostart == 1);
    cr_expect(sips[1].rights == PLAN_MAY_FAULT && sips[1].autostart == 0);
    cr_assert(plan->contracts.count == 2);
    cr_expect_str_eq(contracts[channels[0].contract].name, "flood");
    cr_expect_str_eq(contracts[channels[1].contract].name, "echo");
    cr_expect(channels[2].contract == channels[0].contract);
    cr_expect(channels[1].message_bytes == 4096 && channels[2].message_bytes == 131072);
    cr_expect(channels[3].from == PLAN_NONE && channels[3].to == PLAN_NONE);
    cr_expect(channels[3].transfer == PLAN_TRANSFER_AUTO);
    cr_expect_str_eq(params[0].name, "a");
    cr_expect(params[0].value == -1);
    free(plan);
    free(file);
}

/* ---- pairs that cannot be ---- */

Test(plan, memory_that_does_not_fit) {
    struct plan_options options = usual;

    options.memory_bytes = 20 << 20;
    cr_assert(!build("sip-page", "ping-pong", &options));
    cr_assert(diags.count == 1);
    cr_expect(strstr(diags.item[0].text, "it needs about 26 MiB and the guest has 20 MiB"), "%s",
              diags.item[0].text);
    cr_expect(strstr(diags.item[0].text, "--memory 32M"));
}

Test(plan, memory_of_both_directions) {
    char *file = write_file("deep.yaml", "workload: deep\n"
                                         "sips:\n"
                                         "  a: {image: abi-call, role: driver}\n"
                                         "  b: {image: abi-call, role: service}\n"
                                         "channels:\n"
                                         "  one: {from: a, to: b, depth: 256, bytes: 256K}\n");

    cr_assert(!build("sip-page", file, &usual)); /* 64 MiB one way would fit */
    cr_assert(diags.count == 1);
    cr_expect(strstr(diags.item[0].text, "does not fit"), "%s", diags.item[0].text);
    free(file);
}

Test(plan, damaged_and_misnamed_images) {
    struct test_image image;

    test_image_init(&image, PLAN_SAFETY_MASKED);
    test_folder_add(images, "ping-pong-client.unchecked.elf", &image, sizeof(image));
    test_folder_add_text(images, "ping-pong-server.unchecked.elf", "not an image");
    cr_assert(!build("unchecked", "ping-pong", &usual));
    cr_assert(diags.count == 2);
    cr_expect(strstr(diags.item[0].text, "is named as unchecked but was built masked"));
    cr_expect(strstr(diags.item[1].text, "ping-pong-server.unchecked.elf is too short"));
}

Test(plan, floating_point_needs_registers_that_are_switched) {
    char *lazy = write_file("lazy.yaml", "layout: lazy\nextends: hip-r3\nfpu: lazy\n");
    char *none = write_file("none.yaml", "layout: none\nextends: lazy.yaml\nfpu: none\n");
    struct test_image image;
    struct plan_header *plan;

    test_image_init(&image, PLAN_SAFETY_CHECKED);
    image.note.descriptor.features = ABI_IMAGE_FLOAT;
    test_folder_add(images, "yield-other.checked.elf", &image, sizeof(image));
    plan = build_well(lazy, "yield");
    free(plan);
    cr_assert(!build(none, "yield", &usual));
    cr_assert(diags.count == 1);
    cr_expect(
        strstr(diags.item[0].text, "image 'yield-other' uses floating point") &&
            strstr(diags.item[0].text, "'none' does not switch; write fpu: eager or fpu: lazy"),
        "%s", diags.item[0].text);
    free(lazy);
    free(none);
}

Test(plan, params_of_the_cell) {
    struct config_params params = {.item = {{"bytes", 32768}}, .count = 1};
    struct plan_header *plan = NULL;
    struct workload *workload;
    struct layout *layout;

    cr_assert(layout_load(&paths, "sip-page", &layout, &diags) == 0);
    cr_assert(workload_load(&paths, "ping-pong", &workload, &diags) == 0);
    cr_assert(plan_build(&paths, layout, workload, &params, &usual, &plan, &diags) == 0);
    cr_expect(((const struct plan_channel *)plan_at(plan, plan->channels))->message_bytes == 32768);
    free(plan);
    params.item[0].value = 1 << 20;
    cr_expect(plan_build(&paths, layout, workload, &params, &usual, &plan, &diags) < 0);
    strcpy(params.item[0].name, "byte");
    cr_expect(plan_build(&paths, layout, workload, &params, &usual, &plan, &diags) < 0);
    cr_assert(diags.count == 2);
    cr_expect(
        strstr(diags.item[0].text, "has no param 'byte'; it has bytes; did you mean 'bytes'?"));
    cr_expect(strstr(diags.item[1].text, "'bytes' is 1048576, the value of param 'bytes'"));
    layout_free(layout);
    workload_free(workload);
}

/* ---- what the reader refuses ---- */

static void seal(struct plan_header *plan) {
    plan->checksum = 0;
    plan->checksum = plan_crc32(0, plan, plan->total_bytes);
}

Test(plan, crc_is_the_standard_one) {
    cr_expect(plan_crc32(0, "123456789", 9) == 0xcbf43926);
    cr_expect(plan_crc32(plan_crc32(0, "1234", 4), "56789", 5) == 0xcbf43926);
}

Test(plan, every_byte_is_covered) {
    struct plan_header *plan = build_well("hip-r3", "ping-pong");
    uint8_t *byte = (uint8_t *)plan;
    const char *why;

    for (uint32_t i = 0; i < plan->total_bytes; i += i < sizeof(*plan) + 1024 ? 1 : 509) {
        uint32_t total = plan->total_bytes;

        byte[i] ^= 0x10;
        cr_expect(plan_check(plan, total, &why) < 0 && why && *why, "byte %u", i);
        byte[i] ^= 0x10;
    }
    cr_expect(plan_check(plan, plan->total_bytes, &why) == 0);
    free(plan);
}

/* Truncated plans are put at the end of an allocation: reading past them would be seen. */
Test(plan, truncated) {
    struct plan_header *plan = build_well("sip-page", "abi-call");
    const char *why;

    for (uint32_t bytes = 0; bytes < plan->total_bytes; bytes += bytes < 1024 ? 8 : 1000) {
        void *part = malloc(bytes ? bytes : 1);

        memcpy(part, plan, bytes);
        cr_expect(plan_check(part, bytes, &why) < 0 && strstr(why, "cut short"), "%u bytes", bytes);
        free(part);
    }
    free(plan);
}

Test(plan, other_versions) {
    struct plan_header *plan = build_well("sip-page", "abi-call");
    const char *why;

    plan->version = PLAN_VERSION + 1;
    seal(plan);
    cr_expect(plan_check(plan, plan->total_bytes, &why) < 0);
    cr_expect(strstr(why, "newer version than 1"), "%s", why);
    plan->version = 0;
    seal(plan);
    cr_expect(plan_check(plan, plan->total_bytes, &why) < 0);
    cr_expect(strstr(why, "older version than 1"), "%s", why);
    plan->magic++;
    cr_expect(plan_check(plan, plan->total_bytes, &why) < 0 && strstr(why, "not a plan"));
    free(plan);
}

/* With a valid checksum, so that the check behind it has to notice. */
#define REFUSED(change, text)                                                                      \
    do {                                                                                           \
        memcpy(plan, sound, sound->total_bytes);                                                   \
        change;                                                                                    \
        seal(plan);                                                                                \
        cr_expect(plan_check(plan, sound->total_bytes, &why) < 0 && strstr(why, text),             \
                  #change ": %s", why ? why : "accepted");                                         \
    } while (0)

Test(plan, wrong_values) {
    char *file = write_file("pair.yaml", "workload: pair\n"
                                         "sips:\n"
                                         "  a: {image: abi-call, role: driver}\n"
                                         "  b: {image: yield-client, role: service}\n"
                                         "channels:\n"
                                         "  one: {contract: echo, from: a, to: b, depth: 8}\n"
                                         "  two: {from: b, to: a, depth: 1}\n"
                                         "params: {x: 1, y: 2}\n");
    struct plan_header *sound = build_well("hip-r3-s", file);
    struct plan_header *plan = malloc(sound->total_bytes);
    const char *why;
#define AT(type, section) ((struct type *)((char *)plan + sound->section.offset))

    cr_assert(plan);
    REFUSED(plan->domains.offset += 4, "section of domains");
    REFUSED(plan->sips.offset = 0, "section of sips");
    REFUSED(plan->channels.count = PLAN_MAX_CHANNELS + 1, "section of channels");
    REFUSED(plan->images.offset = plan->total_bytes & ~7u, "section of images");
    REFUSED(plan->params.offset = 0xfffffff8, "section of params");
    REFUSED(plan->contracts.count = 0xffffffff, "section of contracts");
    REFUSED(plan->flags = 1u << 31, "flags");
    REFUSED(plan->result_pa += 4096, "2 MiB");
    REFUSED(plan->result_pa = 0, "2 MiB");
    REFUSED(plan->result_bytes = 0, "result region");
    REFUSED(plan->result_pa = UINT64_MAX << 21, "wraps around");
    REFUSED(plan->batch = 0, "batch");
    REFUSED(plan->samples = 0, "samples");
    REFUSED((plan->flags |= PLAN_PREEMPT, plan->slice_us = 0), "time slice");
    REFUSED(plan->reserved = 1, "reserved");
    REFUSED(plan->layout[0] = '\0', "layout name");
    REFUSED(memset(plan->workload, 'x', PLAN_NAME_BYTES), "workload name");
    REFUSED(plan->layout[PLAN_NAME_BYTES - 2] = 'x', "layout name");
    REFUSED(plan->layout[0] = '"', "layout name");
    REFUSED(plan->domains.count = 0, "no domain");
    REFUSED(AT(plan_domain, domains)[0].ring = 3, "first domain");
    REFUSED(AT(plan_domain, domains)[0].space = PLAN_SPACE_OWN, "first domain");
    REFUSED(AT(plan_domain, domains)[1].name[0] = '\0', "domain's name");
    REFUSED(AT(plan_domain, domains)[1].ring = 1, "ring must be 0 or 3");
    REFUSED(AT(plan_domain, domains)[1].space = 2, "plan_space");
    REFUSED(AT(plan_domain, domains)[1].space = PLAN_SPACE_KERNEL, "without a protection key");
    REFUSED(AT(plan_domain, domains)[1].pages = 13, "page size");
    REFUSED(AT(plan_domain, domains)[1].pages = PLAN_PAGES_1G, "4 KiB or 2 MiB");
    REFUSED(AT(plan_domain, domains)[1].heap = 0, "heap of its own");
    REFUSED(AT(plan_domain, domains)[1].heap = PLAN_MAX_DOMAINS, "heap number");
    REFUSED(AT(plan_domain, domains)[1].heap = AT(plan_domain, domains)[2].heap, "same heap");
    REFUSED(AT(plan_domain, domains)[1].mechanisms = 1ull << 63, "mechanisms");
    REFUSED(AT(plan_domain, domains)[1].reserved = 1, "reserved");
    REFUSED(AT(plan_domain, domains)[0].per_sip = 1, "per-SIP");
    REFUSED(AT(plan_domain, domains)[1].per_sip = 2, "per-SIP");
    REFUSED(AT(plan_domain, domains)[1].name[0] = 'b', "domains have the same name");
    REFUSED(AT(plan_image, images)[0].name[0] = '\0', "image's name");
    REFUSED(AT(plan_image, images)[0].safety = 3, "plan_safety");
    REFUSED(AT(plan_image, images)[1].offset += 4096, "inside the plan");
    REFUSED(AT(plan_image, images)[0].offset += 16, "page's start");
    REFUSED(AT(plan_image, images)[0].offset = 0, "inside the plan");
    REFUSED(AT(plan_image, images)[0].bytes = 0, "inside the plan");
    REFUSED(AT(plan_image, images)[0].bytes = 0xffffffff, "inside the plan");
    REFUSED(plan->total_bytes -= 16, "last page");
    REFUSED(AT(plan_image, images)[0].reserved = 1, "reserved");
    REFUSED(plan->sips.count = 0, "no SIP");
    REFUSED(AT(plan_sip, sips)[0].name[0] = '\0', "SIP's name");
    REFUSED(AT(plan_sip, sips)[0].image = 2, "SIP's image");
    REFUSED(AT(plan_sip, sips)[0].domain = 3, "SIP's domain");
    REFUSED(AT(plan_sip, sips)[0].role = 3, "plan_role");
    REFUSED(AT(plan_sip, sips)[0].on_fault = 2, "plan_on_fault");
    REFUSED(AT(plan_sip, sips)[0].rights = 64, "rights");
    REFUSED(AT(plan_sip, sips)[0].rights = PLAN_DRIVES, "one has two");
    REFUSED(AT(plan_sip, sips)[0].rights = AT(plan_sip, sips)[1].rights = PLAN_DRIVES_DISK,
            "two SIPs have a device");
    REFUSED((AT(plan_sip, sips)[0].rights = PLAN_DRIVES_DISK, AT(plan_sip, sips)[0].autostart = 0),
            "must start at boot");
    REFUSED(AT(plan_sip, sips)[0].autostart = 2, "autostart");
    REFUSED(AT(plan_sip, sips)[1].domain = 1, "made for one");
    REFUSED(AT(plan_sip, sips)[0].name[0] = 'b', "SIPs have the same name");
    REFUSED(AT(plan_contract, contracts)[0].name[0] = '\0', "contract's name");
    REFUSED(AT(plan_contract, contracts)[0].states = 17, "states");
    REFUSED(AT(plan_contract, contracts)[0].start = 2, "states");
    REFUSED(AT(plan_contract, contracts)[0].types = 0, "message types");
    REFUSED(AT(plan_contract, contracts)[0].in_flight = 0, "in flight");
    REFUSED(AT(plan_contract, contracts)[0].max_bytes[0] = 1 << 30, "payload sizes");
    REFUSED(AT(plan_contract, contracts)[0].min_bytes[0] = 5000, "payload sizes");
    REFUSED(AT(plan_contract, contracts)[0].from_client[1] = 2, "message flags");
    REFUSED(AT(plan_contract, contracts)[0].next[0][0] = 2, "state that it does not have");
    REFUSED(AT(plan_channel, channels)[0].name[0] = '\0', "channel's name");
    REFUSED(AT(plan_channel, channels)[0].from = 2, "end of a channel");
    REFUSED(AT(plan_channel, channels)[0].to = 0, "same SIP");
    REFUSED(AT(plan_channel, channels)[0].depth = 12, "power of two");
    REFUSED(AT(plan_channel, channels)[0].depth = 512, "power of two");
    REFUSED(AT(plan_channel, channels)[0].depth = 0, "power of two");
    REFUSED(AT(plan_channel, channels)[0].transfer = 5, "plan_transfer");
    REFUSED(AT(plan_channel, channels)[0].transfer = PLAN_TRANSFER_AUTO, "resolved");
    REFUSED(AT(plan_channel, channels)[0].to = PLAN_NONE, "end of a channel");
    REFUSED(AT(plan_channel, channels)[0].transfer = PLAN_TRANSFER_MOVE, "between two heaps");
    REFUSED(AT(plan_channel, channels)[0].message_bytes = 0, "message bytes");
    REFUSED(AT(plan_channel, channels)[0].message_bytes = 4, "than its contract needs");
    REFUSED(AT(plan_channel, channels)[0].contract = 1, "channel's contract");
    REFUSED(AT(plan_channel, channels)[0].reserved = 1, "reserved");
    REFUSED((AT(plan_contract, contracts)[0].in_flight = 16), "not as deep");
    REFUSED(memcpy(AT(plan_channel, channels)[0].name, "two", 4), "channels have the same name");
    REFUSED(AT(plan_param, params)[0].name[0] = '\0', "param's name");
    REFUSED(AT(plan_param, params)[0].name[0] = 'y', "params have the same name");
#undef AT
    free(plan);
    free(sound);
    free(file);
}

/* A plan of the layout whose channel uses that transfer is refused with the text. */
static void transfer_refused(const char *layout, uint32_t transfer, const char *text) {
    struct plan_header *sound = build_well(layout, "ping-pong");
    struct plan_header *plan = malloc(sound->total_bytes);
    const char *why;

    cr_assert(plan);
    REFUSED(((struct plan_channel *)((char *)plan + sound->channels.offset))->transfer = transfer,
            text);
    free(plan);
    free(sound);
}

Test(plan, transfers_that_cannot_be) {
    char *large = write_file("large.yaml", "layout: large\n"
                                           "place: [{match: {role: '*'}, in: own, ring: 3, "
                                           "pages: 2M}]\n");

    transfer_refused("sip-page", PLAN_TRANSFER_REMAP, "inside one heap");
    transfer_refused("hip-r3", PLAN_TRANSFER_REMAP, "no heap, space and 4 KiB pages of its own");
    transfer_refused(large, PLAN_TRANSFER_REMAP, "no heap, space and 4 KiB pages of its own");
    transfer_refused(large, PLAN_TRANSFER_SHARED, "does not have pages of 4 KiB");
    transfer_refused("sip-phys", PLAN_TRANSFER_SHARED, "does not have pages of 4 KiB");
    free(large);
}
