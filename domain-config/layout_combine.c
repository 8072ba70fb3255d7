/*
 * Which mechanisms go together, and with which domains: each rule is here once for layouts, with the
 * reason and the mend. plan_check.c has those that the guest's own safety rests on once more.
 */
#include "mechanism_keys.h"
#include "model.h"

struct subject { /* a domain, declared or made by a rule, or the kernel's own */
    const char *name;
    struct mark at;
    struct domain_shape shape;
    const struct domain_attributes *attributes; /* NULL: the kernel's own */
    const struct mechanism_settings *mechanisms;
    bool several; /* one for each SIP of a rule */
};
struct subjects {
    const struct layout *layout;
    struct subject item[1 + PLAN_MAX_DOMAINS + LAYOUT_MAX_RULES]; /* the kernel's own is first */
    size_t count;
    struct config_diags *diags;
};

static void collect(struct subjects *all) {
    const struct layout *layout = all->layout;
    struct subject *kernel = &all->item[all->count++];

    *kernel = (struct subject){.name = "kernel", .mechanisms = &layout->kernel.mechanisms};
    kernel_resolve(layout, &kernel->shape);
    for (size_t i = 0; i < layout->domain_count; i++) {
        const struct layout_domain *domain = &layout->domains[i];

        all->item[all->count++] = (struct subject){
            .name = domain->name.text, .at = domain->name.at, .attributes = &domain->attributes};
    }
    for (size_t i = 0; i < layout->rule_count; i++)
        if (layout->rules[i].target == RULE_OWN)
            all->item[all->count++] = (struct subject){.name = "own",
                                                       .at = layout->rules[i].at,
                                                       .attributes = &layout->rules[i].attributes,
                                                       .several = true};
    for (size_t i = 1; i < all->count; i++) {
        all->item[i].mechanisms = &all->item[i].attributes->mechanisms;
        domain_resolve(layout, all->item[i].attributes, &all->item[i].shape);
    }
}

static bool has(const struct subject *subject, enum mechanism_id id) {
    return subject->shape.mechanisms & 1ull << id;
}

static bool ring3(const struct subject *subject) { return subject->shape.ring == 3; }

static bool in_kernels_root(const struct subject *subject) {
    return subject->shape.space == PLAN_SPACE_KERNEL;
}

/* What the domain itself says about the key of a mechanism. */
static struct setting written(const struct subject *subject, enum mechanism_id id) {
    return subject->mechanisms->key[mechanism_first(id)];
}

/* What decides about a mechanism of the domain. */
static struct setting decisive(const struct subjects *all, const struct subject *subject,
                               enum mechanism_id id) {
    return layout_mechanism(all->layout, subject->mechanisms, id);
}

static struct setting of_machine(const struct subjects *all, enum mechanism_id id) {
    return layout_mechanism(all->layout, NULL, id);
}

/* ---- one root ---- */

static const char *pages_text(int64_t pages) {
    return pages == PLAN_PAGES_LARGEST ? "largest" : pages == PLAN_PAGES_1G ? "1G" : "2M";
}

/* A ring-3 domain of the kernel's root that the domain cannot be told apart from, or NULL. */
static const struct subject *neighbour(const struct subjects *all, const struct subject *subject) {
    for (size_t i = 1; i < all->count; i++)
        if (ring3(&all->item[i]) && in_kernels_root(&all->item[i]) &&
            (&all->item[i] != subject || subject->several))
            return &all->item[i];
    return NULL;
}

static void check_root(const struct subjects *all, const struct subject *subject) {
    const struct subject *other = neighbour(all, subject);
    struct setting pages = kernel_pages(all->layout);
    char place[MARK_TEXT_BYTES], second[MARK_TEXT_BYTES];

    if (!ring3(subject) || !in_kernels_root(subject))
        return;
    mark_text(subject->attributes->ring.at, place);
    if (!has(subject, MECHANISM_PKU) && other == subject)
        diag_at(
            all->diags, subject->attributes->space.at,
            "'space' is the kernel's for domain '%s', which is in ring 3 (%s) and made anew for "
            "each SIP: ring-3 domains in one root would see each other; write pku: on, or "
            "space: own, or ring: 0",
            subject->name, place);
    else if (!has(subject, MECHANISM_PKU) && other)
        diag_at(all->diags, subject->attributes->space.at,
                "'space' is the kernel's for domain '%s', which is in ring 3 (%s), and for '%s' "
                "(%s): ring-3 domains in one root would see each other; write pku: on for both, or "
                "space: own, or ring: 0",
                subject->name, place, other->name, mark_text(other->at, second));
    if (pages.value != PLAN_PAGES_4K && pages.value != PLAN_PAGES_2M)
        diag_at(
            all->diags, pages.at,
            "'pages' is %s for the kernel's root, which domain '%s' (%s) shares in ring 3: such "
            "pages map all memory at once and would open it to ring 3; write kernel: {pages: 4K} "
            "or 2M, or space: own",
            pages_text(pages.value), subject->name, mark_text(subject->at, second));
}

static void check_pku(const struct subjects *all, const struct subject *subject) {
    struct setting pku = written(subject, MECHANISM_PKU);

    if (!pku.value)
        return;
    if (!ring3(subject))
        diag_at(all->diags, pku.at,
                "'pku' is on for domain '%s', which is in ring 0: keys are for what ring 3 can "
                "reach; write ring: 3 and space: shared, or leave pku out",
                subject->name);
    else if (!in_kernels_root(subject))
        diag_at(all->diags, pku.at,
                "'pku' is on for domain '%s', which has a space of its own: keys tell apart what "
                "shares tables; write space: shared, or leave pku out",
                subject->name);
}

static void check_tag(const struct subjects *all, const struct subject *subject) {
    struct setting tag = written(subject, MECHANISM_PCID);
    struct setting root = decisive(all, &all->item[0], MECHANISM_PCID);
    char place[MARK_TEXT_BYTES];

    if (!tag.at.file || subject == &all->item[0] || !in_kernels_root(subject) ||
        tag.value == root.value)
        return;
    diag_at(all->diags, tag.at,
            "'tag' differs for domain '%s' and for the kernel (%s%s), whose root it shares: a tag "
            "belongs to a root; leave it out here, or write kernel: {tag: ...}, or space: own",
            subject->name, root.at.file ? "" : "none, the default",
            root.at.file ? mark_text(root.at, place) : "");
}

/* ---- KPTI ---- */

static void check_kpti_agrees(const struct subjects *all, const struct subject *subject) {
    const struct subject *first = NULL;
    struct setting kpti = written(subject, MECHANISM_KPTI);
    char place[MARK_TEXT_BYTES];

    if (!ring3(subject) || !in_kernels_root(subject))
        return;
    for (size_t i = 1; i < all->count && !first; i++)
        if (ring3(&all->item[i]) && in_kernels_root(&all->item[i]))
            first = &all->item[i];
    if (has(first, MECHANISM_KPTI) == has(subject, MECHANISM_KPTI))
        return;
    if (!kpti.at.file) /* then the first of them says it */
        kpti = written(first, MECHANISM_KPTI);
    diag_at(all->diags, kpti.at,
            "'kpti' differs for the domains '%s' (%s) and '%s', which share the kernel's root in "
            "ring 3: it belongs to a root; write the same for both, or space: own",
            first->name, mark_text(first->at, place), subject->name);
}

/* What KPTI wants of the rest, said once: for the first domain that has it. */
static void check_kpti_needs(const struct subjects *all) {
    struct setting pages = kernel_pages(all->layout), global = of_machine(all, MECHANISM_GLOBAL);
    const struct subject *subject = NULL;
    char place[MARK_TEXT_BYTES];

    for (size_t i = 0; i < all->count && !subject; i++)
        if (has(&all->item[i], MECHANISM_KPTI) && ring3(&all->item[i]))
            subject = &all->item[i];
    if (!subject)
        return;
    mark_text(decisive(all, subject, MECHANISM_KPTI).at, place);
    if (pages.value != PLAN_PAGES_4K)
        diag_at(all->diags, pages.at,
                "'pages' is %s for the kernel's root, but 'kpti' is on for domain '%s' (%s): the "
                "trampoline that ring 3 keeps is cut out of the kernel by pages of 4 KiB; write "
                "kernel: {pages: 4K}, or kpti: off",
                pages_text(pages.value), subject->name, place);
    if (global.value)
        diag_at(all->diags, global.at,
                "'global' is on, but so is 'kpti' for domain '%s' (%s): global entries of the "
                "kernel would stay in the TLB in ring 3, which is what KPTI prevents; write one of "
                "them off",
                subject->name, place);
}

static void check_kpti_ring(const struct subjects *all, const struct subject *subject) {
    struct setting kpti = written(subject, MECHANISM_KPTI);

    if (kpti.value && !ring3(subject))
        diag_at(all->diags, kpti.at,
                "'kpti' is on for domain '%s', which is in ring 0: it takes the kernel out of what "
                "ring 3 can see; write ring: 3, or leave kpti out",
                subject->name);
}

/* ---- switches ---- */

static void check_on_switch_to(const struct subjects *all) {
    struct setting to = of_machine(all, MECHANISM_ON_RING3);
    uint64_t actions = mechanism_key_bits(MECHANISM_IBPB);
    const struct subject *first = NULL;
    char place[MARK_TEXT_BYTES];

    if (!to.value)
        return;
    mark_text(to.at, place);
    for (size_t i = 0; i < all->count; i++) {
        const struct subject *subject = &all->item[i];
        struct setting list = written(subject, MECHANISM_IBPB);

        if (!ring3(subject)) {
            if (list.value)
                diag_at(all->diags, list.at,
                        "'on-switch' is set for domain '%s', which is in ring 0, but on-switch-to "
                        "(%s) has the actions wait for a ring-3 domain; leave it out here, or "
                        "write on-switch-to: off",
                        subject->name, place);
            continue;
        }
        first = first ? first : subject;
        if (((first->shape.mechanisms ^ subject->shape.mechanisms) & actions) == 0)
            continue;
        if (!list.at.file)
            list = written(first, MECHANISM_IBPB);
        diag_at(all->diags, list.at,
                "'on-switch' differs for the ring-3 domains '%s' and '%s', but on-switch-to (%s) "
                "has the actions wait until one of them is entered, whatever was left; write one "
                "list for all, or on-switch-to: off",
                first->name, subject->name, place);
    }
    if (!first)
        diag_at(all->diags, to.at,
                "'on-switch-to' is ring-3, but no domain is in ring 3, so that the actions would "
                "never be due; give a domain ring: 3, or write on-switch-to: off");
}

/* ---- images ---- */

static void check_images(const struct subjects *all) {
    struct setting retpoline = of_machine(all, MECHANISM_RETPOLINE);
    struct setting cet = of_machine(all, MECHANISM_SHSTK);
    char place[MARK_TEXT_BYTES];

    if (retpoline.value && cet.value)
        diag_at(
            all->diags, retpoline.at,
            "'retpoline' is on, but so is 'cet' (%s): a retpoline returns to where no call came "
            "from, which CET is there to stop, and compilers refuse to build both; write one of "
            "them off",
            mark_text(cet.at, place));
}

void layout_check_mechanisms(const struct layout *layout, struct config_diags *diags) {
    struct subjects all = {.layout = layout, .diags = diags};

    if (layout->incomplete)
        return;
    collect(&all);
    for (size_t i = 0; i < all.count; i++) {
        check_root(&all, &all.item[i]);
        check_pku(&all, &all.item[i]);
        check_tag(&all, &all.item[i]);
        check_kpti_ring(&all, &all.item[i]);
        check_kpti_agrees(&all, &all.item[i]);
    }
    check_kpti_needs(&all);
    check_on_switch_to(&all);
    check_images(&all);
}
