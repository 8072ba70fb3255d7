/*
 * What a layout's keys mean together: a domain's defaults, domains that cannot be, rules that lead
 * nowhere. What mechanisms want is in layout_combine.c; pairs of a layout and a workload are checked
 * in plan_resolve.c.
 */
#include "model.h"

#include <stddef.h>
#include <string.h>

static bool move_legal(const struct plan_domain *from, const struct plan_domain *to) {
    return from->heap == to->heap;
}

static bool copy_legal(const struct plan_domain *from, const struct plan_domain *to) {
    (void)from, (void)to;
    return true;
}

/* Whether single pages can be taken out of the domain's heap, and be mapped nowhere else. */
static bool heap_of_pages(const struct plan_domain *domain) {
    return domain->space == PLAN_SPACE_OWN && domain->pages == PLAN_PAGES_4K && domain->heap;
}

static bool remap_legal(const struct plan_domain *from, const struct plan_domain *to) {
    return from->heap != to->heap && heap_of_pages(from) && heap_of_pages(to);
}

/* Whether two domains have one root and a page there cannot be for these two alone. */
static bool root_in_common(const struct plan_domain *from, const struct plan_domain *to) {
    return from->space == PLAN_SPACE_KERNEL && to->space == PLAN_SPACE_KERNEL &&
           from->heap != to->heap && (from->ring == 3 || to->ring == 3);
}

static bool shared_legal(const struct plan_domain *from, const struct plan_domain *to) {
    return from->pages == PLAN_PAGES_4K && to->pages == PLAN_PAGES_4K && !root_in_common(from, to);
}

const struct transfer_kind transfer_kinds[] = {
    {"move", PLAN_TRANSFER_MOVE, move_legal, "a heap that both ends use"},
    {"copy", PLAN_TRANSFER_COPY, copy_legal, "nothing"},
    {"remap", PLAN_TRANSFER_REMAP, remap_legal,
     "a domain for each end with space: own, heap: own and pages: 4K"},
    {"shared", PLAN_TRANSFER_SHARED, shared_legal,
     "pages: 4K in the domains of both ends, and not one root for a ring-3 domain and another"},
};
const size_t transfer_kind_count = sizeof(transfer_kinds) / sizeof(transfer_kinds[0]);

/* ---- a domain's shape ---- */

struct setting kernel_pages(const struct layout *layout) {
    if (layout->kernel.pages.at.file)
        return layout->kernel.pages;
    if (layout->pages.at.file)
        return layout->pages;
    return (struct setting){.value = PLAN_PAGES_4K};
}

static int64_t or_default(struct setting setting, int64_t value) {
    return setting.at.file ? setting.value : value;
}

void domain_resolve(const struct layout *layout, const struct domain_attributes *attributes,
                    struct domain_shape *shape) {
    int64_t pages = or_default(layout->pages, PLAN_PAGES_4K);

    shape->ring = (uint32_t)or_default(attributes->ring, 0);
    shape->space = (uint32_t)or_default(attributes->space, PLAN_SPACE_OWN);
    if (shape->space == PLAN_SPACE_KERNEL) /* one root, one page size */
        pages = kernel_pages(layout).value;
    shape->pages = (uint32_t)or_default(attributes->pages, pages);
    shape->own_heap =
        or_default(attributes->heap, shape->ring ? HEAP_OWN : HEAP_SHARED) == HEAP_OWN;
    shape->mechanisms = mechanisms_resolve(layout, &attributes->mechanisms, shape);
}

void kernel_resolve(const struct layout *layout, struct domain_shape *shape) {
    *shape = (struct domain_shape){.space = PLAN_SPACE_KERNEL,
                                   .pages = (uint32_t)kernel_pages(layout).value};
    shape->mechanisms = mechanisms_resolve(layout, &layout->kernel.mechanisms, shape);
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (mechanism_table[i].scope == SCOPE_MACHINE)
            shape->mechanisms |= (uint64_t)layout->mechanisms.key[i].value;
}

static void check_pages(const struct layout *layout, const struct domain_attributes *attributes,
                        const struct domain_shape *shape, const char *name, struct mark at,
                        struct config_diags *diags) {
    struct setting pages = attributes->pages.at.file ? attributes->pages : layout->pages;
    struct setting root = kernel_pages(layout);
    char place[MARK_TEXT_BYTES];

    if (shape->space == PLAN_SPACE_OWN) {
        if (shape->pages == PLAN_PAGES_LARGEST || shape->pages == PLAN_PAGES_1G)
            diag_at(
                diags, pages.at,
                "'pages' is %s for domain '%s' (%s), which has a space of its own: such pages "
                "map all memory at once and would leave nothing apart; give the domain 4K or 2M",
                shape->pages == PLAN_PAGES_1G ? "1G" : "largest", name, mark_text(at, place));
    } else if (attributes->pages.at.file && attributes->pages.value != root.value) {
        if (root.at.file)
            diag_at(diags, pages.at,
                    "domain '%s' shares the kernel's root but its 'pages' differ from the kernel's "
                    "at %s; leave them out here, or write space: own",
                    name, mark_text(root.at, place));
        else
            diag_at(diags, pages.at,
                    "domain '%s' shares the kernel's root but its 'pages' differ from the kernel's "
                    "4K, the default; write kernel: {pages: ...} instead, or space: own",
                    name);
    }
}

static void check_domain(const struct layout *layout, const struct domain_attributes *attributes,
                         const char *name, struct mark at, struct config_diags *diags) {
    char place[MARK_TEXT_BYTES];
    struct domain_shape shape;

    domain_resolve(layout, attributes, &shape);
    if (shape.ring == 3 && !shape.own_heap)
        diag_at(
            diags, attributes->heap.at,
            "'heap' is shared for domain '%s', which is in ring 3 (%s): the shared heap is mapped "
            "for ring 0 alone; write heap: own, or ring: 0",
            name, mark_text(attributes->ring.at, place));
    check_pages(layout, attributes, &shape, name, at, diags);
}

/* ---- rules ---- */

static void find_target(const struct layout *layout, struct layout_rule *rule,
                        struct config_diags *diags) {
    const char *names[PLAN_MAX_DOMAINS + 2] = {"kernel", "own"};
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];
    size_t count = 2;

    rule->domain = PLAN_NONE;
    rule->target = RULE_NAMED;
    if (!rule->in.at.file)
        return;
    if (strcmp(rule->in.text, "kernel") == 0)
        rule->target = RULE_KERNEL;
    else if (strcmp(rule->in.text, "own") == 0)
        rule->target = RULE_OWN;
    if (rule->target != RULE_NAMED)
        return;
    for (size_t i = 0; i < layout->domain_count; i++) {
        names[count++] = layout->domains[i].name.text;
        if (strcmp(layout->domains[i].name.text, rule->in.text) == 0)
            rule->domain = (uint32_t)i;
    }
    if (rule->domain == PLAN_NONE && !layout->incomplete)
        diag_at(diags, rule->in.at,
                "'in' names the domain '%s', which is not declared; expected %s%s", rule->in.text,
                choices_text(names, count, choices),
                nearest_text(rule->in.text, names, count, nearest));
}

/* Reports an attribute of a domain in a rule that makes none. */
static void check_foreign(const struct layout_rule *rule, const struct key *key, size_t offset,
                          struct config_diags *diags) {
    const struct setting *setting =
        (const void *)((const char *)&rule->attributes + offset + key->offset);

    if (!setting->at.file)
        return;
    if (rule->target == RULE_KERNEL && setting == &rule->attributes.ring && setting->value == 3)
        diag_at(diags, setting->at,
                "ring 3 cannot be given to the kernel's own domain, which runs in ring 0; write "
                "in: own, or name a domain that is in ring 3");
    else
        diag_at(diags, setting->at,
                "'%s' belongs to a domain and cannot be set where SIPs are placed in '%s'; write "
                "it %s, or use in: own",
                key->name, rule->in.text,
                rule->target == RULE_KERNEL ? "in 'kernel'" : "in the domain under 'domains'");
}

static void check_inline(const struct layout *layout, const struct layout_rule *rule,
                         struct config_diags *diags) {
    const struct key_table tables[] = {
        domain_attribute_keys,
        mechanism_keys(false, offsetof(struct domain_attributes, mechanisms))};

    if (rule->target == RULE_OWN) {
        check_domain(layout, &rule->attributes, "own", rule->at, diags);
        return;
    }
    if (!rule->in.at.file)
        return;
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            check_foreign(rule, &tables[t].keys[i], tables[t].offset, diags);
}

/* True if every SIP that `later` matches has been taken by `earlier`. */
static bool covers(const struct layout_rule *earlier, const struct layout_rule *later) {
    return earlier->any_sip && later->roles && (later->roles & ~earlier->roles) == 0;
}

void layout_check(struct layout *layout, struct config_diags *diags) {
    char place[MARK_TEXT_BYTES];

    for (size_t i = 0; i < layout->domain_count; i++)
        check_domain(layout, &layout->domains[i].attributes, layout->domains[i].name.text,
                     layout->domains[i].name.at, diags);
    if (layout->rule_count == 0 && !layout->placed && !layout->incomplete)
        diag_at(diags,
                layout->name.at.file ? layout->name.at : (struct mark){layout->files[0].path, 1, 1},
                "the layout places no SIP; add place: [{match: {role: \"*\"}, in: kernel}]");
    for (size_t i = 0; i < layout->rule_count; i++) {
        find_target(layout, &layout->rules[i], diags);
        check_inline(layout, &layout->rules[i], diags);
        for (size_t j = 0; j < i; j++) {
            if (!covers(&layout->rules[j], &layout->rules[i]))
                continue;
            diag_at(diags, layout->rules[i].at,
                    "this rule can never match: the first match wins, and the rule at %s takes the "
                    "same SIPs; put the narrower rule first",
                    mark_text(layout->rules[j].at, place));
            break;
        }
    }
    layout_check_mechanisms(layout, diags);
}
