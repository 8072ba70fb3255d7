/*
 * Resolving a layout and a workload: who lives where, behind what, and how messages travel. Only what
 * depends on the pair is checked here; images and memory are in plan_images.c.
 */
#include "plan_draft.h"

#include "channel-dev/contract.h"

#include <stdlib.h>
#include <string.h>

/* ---- domains ---- */

static const struct layout_rule *find_rule(const struct layout *layout,
                                           const struct workload_sip *sip) {
    for (size_t i = 0; i < layout->rule_count; i++) {
        const struct layout_rule *rule = &layout->rules[i];
        bool named = rule->any_sip;

        for (size_t j = 0; j < rule->sip_count; j++)
            named = named || strcmp(rule->sips[j].text, sip->name.text) == 0;
        if (named && (rule->roles & 1u << sip->role.value))
            return rule;
    }
    return NULL;
}

static struct plan_domain *add_domain(struct draft *draft, const char *name,
                                      const struct domain_shape *shape) {
    struct plan_domain *domain = &draft->domains[draft->domain_count++];
    uint32_t heap = 0;

    for (uint32_t i = 0; shape->own_heap && i + 1 < draft->domain_count; i++)
        if (draft->domains[i].heap > heap)
            heap = draft->domains[i].heap;
    snprintf(domain->name, sizeof(domain->name), "%s", name);
    domain->ring = shape->ring;
    domain->space = shape->space;
    domain->pages = shape->pages;
    domain->heap = shape->own_heap ? heap + 1 : 0;
    domain->mechanisms = shape->mechanisms;
    return domain;
}

static uint32_t find_domain(const struct draft *draft, const char *name) {
    for (uint32_t i = 0; i < draft->domain_count; i++)
        if (strcmp(draft->domains[i].name, name) == 0)
            return i;
    return PLAN_NONE;
}

static uint32_t keys_used(const struct draft *draft) {
    uint32_t used = 0;

    for (uint32_t i = 0; i < draft->domain_count; i++)
        used += (draft->domains[i].mechanisms & MECHANISM(PKU)) != 0;
    return used;
}

/* The domain that the rule puts the SIP into, made when it is the first there; PLAN_NONE: an error. */
static uint32_t place_sip(struct draft *draft, const struct layout_rule *rule,
                          const struct workload_sip *sip, struct config_diags *diags) {
    const struct layout *layout = draft->layout;
    const struct domain_attributes *attributes = &rule->attributes;
    const char *name = sip->name.text;
    char place[MARK_TEXT_BYTES];
    struct domain_shape shape;
    uint32_t found;

    if (rule->target == RULE_KERNEL)
        return 0;
    if (rule->target == RULE_NAMED) {
        name = layout->domains[rule->domain].name.text;
        attributes = &layout->domains[rule->domain].attributes;
        found = find_domain(draft, name);
        if (found != PLAN_NONE)
            return found;
    }
    for (size_t i = 0; rule->target == RULE_OWN && i < layout->domain_count; i++) {
        if (strcmp(layout->domains[i].name.text, name) != 0)
            continue;
        diag_at(
            diags, sip->name.at,
            "SIP '%s' would get a domain of its own, but layout '%s' has a domain of that name at "
            "%s; rename one",
            name, layout_name(layout), mark_text(layout->domains[i].name.at, place));
        return PLAN_NONE;
    }
    if (draft->domain_count == PLAN_MAX_DOMAINS) {
        diag_at(
            diags, sip->name.at,
            "SIP '%s' would need domain %u in layout '%s', the guest has room for %u; place some "
            "SIPs together",
            name, PLAN_MAX_DOMAINS + 1, layout_name(layout), PLAN_MAX_DOMAINS);
        return PLAN_NONE;
    }
    domain_resolve(layout, attributes, &shape);
    if (shape.mechanisms & MECHANISM(PKU) && keys_used(draft) == PLAN_MAX_KEYS) {
        diag_at(
            diags, sip->name.at,
            "SIP '%s' would need protection key %u in layout '%s': a CPU has keys for %u domains, "
            "and one more for the rest; place some SIPs together",
            name, PLAN_MAX_KEYS + 1, layout_name(layout), PLAN_MAX_KEYS);
        return PLAN_NONE;
    }
    add_domain(draft, name, &shape)->per_sip = rule->target == RULE_OWN;
    return draft->domain_count - 1;
}

/* ---- SIPs ---- */

static uint32_t find_image(struct draft *draft, const struct name *name, uint32_t safety) {
    struct draft_image *image;

    for (uint32_t i = 0; i < draft->image_count; i++)
        if (strcmp(draft->images[i].entry.name, name->text) == 0 &&
            draft->images[i].entry.safety == safety)
            return i;
    image = &draft->images[draft->image_count]; /* at most one a SIP, so there is room */
    memcpy(image->entry.name, name->text, PLAN_NAME_BYTES);
    image->entry.safety = safety;
    image->at = name->at;
    return draft->image_count++;
}

static void resolve_sip(struct draft *draft, size_t index, struct config_diags *diags) {
    const struct layout *layout = draft->layout;
    const struct workload_sip *sip = &draft->workload->sips[index];
    const struct layout_rule *rule = find_rule(layout, sip);
    struct plan_sip *out = &draft->sips[index];
    struct setting safety, on_fault;

    if (!rule) {
        diag_at(
            diags, sip->name.at,
            "SIP '%s' (role %s) matches no place rule of layout '%s'; add {match: {role: \"*\"}, "
            "in: kernel} as the last rule of %s",
            sip->name.text, role_names[sip->role.value], layout_name(layout), layout->name.at.file);
        return;
    }
    safety = rule->safety.at.file ? rule->safety : layout->safety;
    on_fault = rule->on_fault.at.file ? rule->on_fault : layout->on_fault;
    memcpy(out->name, sip->name.text, PLAN_NAME_BYTES);
    out->image = find_image(draft, &sip->image, (uint32_t)safety.value);
    out->domain = place_sip(draft, rule, sip, diags);
    out->role = (uint32_t)sip->role.value;
    out->on_fault = (uint32_t)on_fault.value;
    out->rights = sip->rights | (uint32_t)sip->device.value;
    out->autostart = (uint32_t)sip->autostart.value;
    out->budget_us = (uint64_t)sip->budget_us.value;
    out->quota_bytes = (uint64_t)sip->quota.value;
}

/* ---- channels ---- */

static uint32_t find_contract(struct draft *draft, const struct workload_channel *channel,
                              struct config_diags *diags) {
    const struct plan_contract *contract;

    if (!channel->contract.at.file)
        return PLAN_NONE;
    contract = contract_find(channel->contract.text); /* known: the workload was checked */
    for (uint32_t i = 0; i < draft->contract_count; i++)
        if (draft->contracts[i] == contract)
            return i;
    if (draft->contract_count == PLAN_MAX_CONTRACTS) {
        diag_at(diags, channel->contract.at,
                "more than %u contracts; the guest has room for no more", PLAN_MAX_CONTRACTS);
        return PLAN_NONE;
    }
    draft->contracts[draft->contract_count] = contract;
    return draft->contract_count++;
}

static const struct plan_domain *domain_of(const struct draft *draft, uint32_t sip) {
    return &draft->domains[draft->sips[sip].domain];
}

/* The kind that the layout asks for, or NULL for auto. */
static const struct transfer_kind *transfer_asked(const struct layout *layout) {
    for (size_t i = 0; i < transfer_kind_count; i++)
        if (layout->transfer.at.file && layout->transfer.value == (int64_t)transfer_kinds[i].value)
            return &transfer_kinds[i];
    return NULL;
}

static uint32_t resolve_transfer(const struct draft *draft, const struct workload_channel *channel,
                                 struct config_diags *diags) {
    const struct plan_domain *from = domain_of(draft, channel->from_sip);
    const struct plan_domain *to = domain_of(draft, channel->to_sip);
    const struct transfer_kind *asked = transfer_asked(draft->layout);
    char choices[CHOICES_TEXT_BYTES], place[MARK_TEXT_BYTES];
    const char *names[4] = {NULL};
    size_t count = 0;

    for (size_t i = 0; i < transfer_kind_count; i++) {
        const struct transfer_kind *kind = &transfer_kinds[i];

        if (!kind->legal(from, to))
            continue;
        if (!asked || asked == kind)
            return kind->value;
        names[count++] = kind->name;
    }
    diag_at(
        diags, draft->layout->transfer.at,
        "'transfer' is %s, impossible for channel '%s' (%s): it needs %s, but '%s' is in domain "
        "'%s' with heap %u and '%s' in domain '%s' with heap %u; expected auto or %s",
        asked->name, channel->name.text, mark_text(channel->name.at, place), asked->needs,
        channel->from.text, from->name, from->heap, channel->to.text, to->name, to->heap,
        choices_text(names, count, choices));
    return PLAN_NONE;
}

/*
 * The ends of a dynamic channel are known only when it is created, so anything but auto must be legal
 * for any two SIPs.
 */
static uint32_t resolve_dynamic(const struct draft *draft, const struct workload_channel *channel,
                                struct config_diags *diags) {
    const struct transfer_kind *asked = transfer_asked(draft->layout);
    char place[MARK_TEXT_BYTES];

    if (!asked)
        return PLAN_TRANSFER_AUTO;
    for (uint32_t i = 0; i < draft->workload->sip_count; i++) {
        for (uint32_t j = 0; j < draft->workload->sip_count; j++) {
            struct plan_domain other = *domain_of(draft, j);

            if (asked->value == PLAN_TRANSFER_REMAP && domain_of(draft, i)->heap == other.heap &&
                domain_of(draft, i)->space == PLAN_SPACE_OWN)
                continue; /* between two ends in one heap blocks move, and nothing is remapped */
            if (i == j && other.per_sip && other.heap) /* SIPs from one template live apart */
                other.heap = PLAN_NONE;
            if (asked->legal(domain_of(draft, i), &other) &&
                asked->legal(domain_of(draft, i), domain_of(draft, j)))
                continue;
            diag_at(diags, draft->layout->transfer.at,
                    "'transfer' is %s, but channel '%s' (%s) is created at run time and its ends "
                    "may be '%s' and '%s', which lack %s; expected auto",
                    asked->name, channel->name.text, mark_text(channel->name.at, place),
                    draft->sips[i].name, draft->sips[j].name, asked->needs);
            return PLAN_NONE;
        }
    }
    return asked->value;
}

static void resolve_channel(struct draft *draft, size_t index, struct config_diags *diags) {
    const struct workload_channel *channel = &draft->workload->channels[index];
    struct plan_channel *out = &draft->channels[index];

    memcpy(out->name, channel->name.text, PLAN_NAME_BYTES);
    out->from = channel->from_sip;
    out->to = channel->to_sip;
    out->depth = (uint32_t)channel->depth.value;
    out->contract = find_contract(draft, channel, diags);
    out->message_bytes = channel_bytes(channel, &draft->params, diags);
    out->transfer = channel_dynamic(channel) ? resolve_dynamic(draft, channel, diags)
                                             : resolve_transfer(draft, channel, diags);
}

/* ---- the pair ---- */

static void set_param(struct draft *draft, const struct config_param *param,
                      struct config_diags *diags) {
    const char *names[PLAN_MAX_PARAMS];
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];
    size_t count = draft->params.count;

    if (params_find(&draft->params, param->name)) {
        params_set(&draft->params, param->name, param->value);
        return;
    }
    for (size_t i = 0; i < count; i++)
        names[i] = draft->params.item[i].name;
    diag_at(diags, draft->workload->name.at, "workload '%s' has no param '%s'; it has %s%s",
            workload_name(draft->workload), param->name,
            count ? choices_text(names, count, choices) : "none",
            nearest_text(param->name, names, count, nearest));
}

struct draft *draft_resolve(const struct layout *layout, const struct workload *workload,
                            const struct config_params *params, struct config_diags *diags) {
    struct domain_shape kernel;
    struct draft *draft = array_grow(NULL, 0, sizeof(*draft));
    size_t before = diags->count;

    draft->layout = layout;
    draft->workload = workload;
    draft->params = workload->params;
    for (size_t i = 0; params && i < params->count; i++)
        set_param(draft, &params->item[i], diags);
    kernel_resolve(layout, &kernel);
    add_domain(draft, "kernel", &kernel);
    for (size_t i = 0; i < workload->sip_count; i++)
        resolve_sip(draft, i, diags);
    if (diags->count == before) /* a channel of a SIP that is nowhere has no heaps to compare */
        for (size_t i = 0; i < workload->channel_count; i++)
            resolve_channel(draft, i, diags);
    if (diags->count > before) {
        draft_free(draft);
        return NULL;
    }
    return draft;
}

void draft_free(struct draft *draft) {
    if (!draft)
        return;
    for (uint32_t i = 0; i < draft->image_count; i++)
        free(draft->images[i].data);
    free(draft);
}
