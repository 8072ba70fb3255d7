/*
 * Reading layouts: the tables of their keys, and `extends`. The keys of mechanisms are made in
 * layout_mechanisms.c; what the keys mean together is checked in layout_check.c and layout_combine.c.
 */
#include "model.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static const struct word ring_words[] = {{"0", 0}, {"3", 3}, {NULL, 0}};
static const struct word space_words[] = {{"own", PLAN_SPACE_OWN},
                                          {"kernel", PLAN_SPACE_KERNEL},
                                          {"shared", PLAN_SPACE_KERNEL},
                                          {NULL, 0}};
static const struct word heap_words[] = {{"own", HEAP_OWN}, {"shared", HEAP_SHARED}, {NULL, 0}};
static const struct word pages_words[] = {{"4K", PLAN_PAGES_4K},
                                          {"2M", PLAN_PAGES_2M},
                                          {"1G", PLAN_PAGES_1G},
                                          {"largest", PLAN_PAGES_LARGEST},
                                          {NULL, 0}};
static const struct word safety_words[] = {{"unchecked", PLAN_SAFETY_UNCHECKED},
                                           {"checked", PLAN_SAFETY_CHECKED},
                                           {"masked", PLAN_SAFETY_MASKED},
                                           {NULL, 0}};
static const struct word transfer_words[] = {
    {"auto", PLAN_TRANSFER_AUTO},   {"move", PLAN_TRANSFER_MOVE},     {"copy", PLAN_TRANSFER_COPY},
    {"remap", PLAN_TRANSFER_REMAP}, {"shared", PLAN_TRANSFER_SHARED}, {NULL, 0}};
static const struct word wake_words[] = {{"queue", 0}, {"direct", PLAN_WAKE_DIRECT}, {NULL, 0}};
static const struct word preempt_words[] = {{"off", 0}, {"on", PLAN_PREEMPT}, {NULL, 0}};
static const struct word on_fault_words[] = {
    {"kill", PLAN_FAULT_KILL}, {"restart", PLAN_FAULT_RESTART}, {NULL, 0}};
static const struct word match_role_words[] = {{"application", 1u << PLAN_ROLE_APPLICATION},
                                               {"service", 1u << PLAN_ROLE_SERVICE},
                                               {"driver", 1u << PLAN_ROLE_DRIVER},
                                               {"*", LAYOUT_ALL_ROLES},
                                               {NULL, 0}};

/* ---- keys ---- */

static void read_extends(struct reader *r, const yaml_node_t *node, void *into);
static void read_domains(struct reader *r, const yaml_node_t *node, void *into);
static void read_kernel(struct reader *r, const yaml_node_t *node, void *into);
static void read_place(struct reader *r, const yaml_node_t *node, void *into);
static void read_match(struct reader *r, const yaml_node_t *node, void *into);
static void read_match_roles(struct reader *r, const yaml_node_t *node, void *into);
static void read_match_sips(struct reader *r, const yaml_node_t *node, void *into);

/* `extends` is first, so that the keys of the file itself come later and win. */
static const struct key layout_keys[] = {
    KEY_READ("extends", KEY_OPTIONAL, read_extends, "the layout whose keys this one starts from"),
    KEY_FIELD("layout", KEY_NAME, KEY_REQUIRED, struct layout, name, "the layout's name"),
    KEY_FIELD("about", KEY_TEXT, KEY_OPTIONAL, struct layout, about, "one line about it"),
    KEY_FIELD("pages", KEY_WORD, KEY_OPTIONAL, struct layout, pages,
              "page size of every domain's mappings", .words = pages_words),
    KEY_FIELD("safety", KEY_WORD, KEY_OPTIONAL, struct layout, safety,
              "which build of each SIP image runs", .words = safety_words),
    KEY_FIELD("transfer", KEY_WORD, KEY_OPTIONAL, struct layout, transfer,
              "how a message gets from its sender to its receiver", .words = transfer_words),
    KEY_FIELD("wake", KEY_WORD, KEY_OPTIONAL, struct layout, wake,
              "whether a send switches to a waiting receiver at once", .words = wake_words),
    KEY_FIELD("preempt", KEY_WORD, KEY_OPTIONAL, struct layout, preempt,
              "whether the timer takes the processor from a SIP", .words = preempt_words),
    KEY_FIELD("on-fault", KEY_WORD, KEY_OPTIONAL, struct layout, on_fault,
              "what follows when a SIP faults", .words = on_fault_words),
    KEY_READ("kernel", KEY_OPTIONAL, read_kernel, "attributes of the kernel's own domain"),
    KEY_READ("domains", KEY_OPTIONAL, read_domains, "the protection domains, by name"),
    KEY_READ("place", KEY_OPTIONAL, read_place,
             "which SIP goes into which domain; the first match wins"),
};
static const struct key kernel_keys[] = {
    KEY_FIELD("pages", KEY_WORD, KEY_OPTIONAL, struct kernel_attributes, pages,
              "page size of the kernel's root", .words = pages_words),
};
static const struct key domain_keys[] = {
    KEY_FIELD("ring", KEY_WORD, KEY_OPTIONAL, struct domain_attributes, ring,
              "the ring that its SIPs run in", .words = ring_words),
    KEY_FIELD("space", KEY_WORD, KEY_OPTIONAL, struct domain_attributes, space,
              "page tables of its own, or the kernel's", .words = space_words),
    KEY_FIELD("heap", KEY_WORD, KEY_OPTIONAL, struct domain_attributes, heap,
              "an exchange heap of its own, or the one that ring 0 shares", .words = heap_words),
    KEY_FIELD("pages", KEY_WORD, KEY_OPTIONAL, struct domain_attributes, pages,
              "page size of its mappings", .words = pages_words),
};
static const struct key rule_keys[] = {
    KEY_READ("match", KEY_REQUIRED, read_match,
             "the SIPs that the rule is about, {role: ...} or {sip: ...}"),
    KEY_FIELD("in", KEY_NAME, KEY_REQUIRED, struct layout_rule, in,
              "kernel, own or a domain's name"),
    KEY_FIELD("safety", KEY_WORD, KEY_OPTIONAL, struct layout_rule, safety,
              "which build of the image runs", .words = safety_words),
    KEY_FIELD("on-fault", KEY_WORD, KEY_OPTIONAL, struct layout_rule, on_fault,
              "what follows when it faults", .words = on_fault_words),
};
static const struct key match_keys[] = {
    KEY_READ("role", KEY_OPTIONAL, read_match_roles,
             "application, service, driver, a list of them, or \"*\""),
    KEY_READ("sip", KEY_OPTIONAL, read_match_sips, "a SIP's name, a list of them, or \"*\""),
};

const struct key_table domain_attribute_keys = KEY_TABLE(domain_keys, 0);
static const struct key_table match_table[] = {KEY_TABLE(match_keys, 0)};

/* ---- the parts ---- */

static void read_kernel(struct reader *r, const yaml_node_t *node, void *into) {
    struct layout *layout = into;
    const struct key_table tables[] = {
        KEY_TABLE(kernel_keys, 0),
        mechanism_keys(false, offsetof(struct kernel_attributes, mechanisms))};

    reader_mapping(r, node, "'kernel'", tables, 2, &layout->kernel);
}

static void read_domain(struct reader *r, const struct name *name, const yaml_node_t *value,
                        void *into) {
    const struct key_table tables[] = {
        domain_attribute_keys,
        mechanism_keys(false, offsetof(struct domain_attributes, mechanisms))};
    struct layout *layout = into;
    struct layout_domain *domain = NULL;

    if (strcmp(name->text, "kernel") == 0 || strcmp(name->text, "own") == 0) {
        diag_at(r->diags, name->at,
                "a domain cannot be named '%s', which 'in:' uses for %s; choose another name%s",
                name->text,
                name->text[0] == 'k' ? "the kernel's own domain" : "a fresh domain a SIP",
                name->text[0] == 'k' ? ", or use the key 'kernel' for its attributes" : "");
        return;
    }
    for (size_t i = 0; i < layout->domain_count; i++)
        if (strcmp(layout->domains[i].name.text, name->text) == 0)
            domain = &layout->domains[i];
    if (!domain) {
        if (layout->domain_count == PLAN_MAX_DOMAINS - 1) { /* one is the kernel's */
            diag_at(r->diags, name->at, "more than %u domains; the guest has room for no more",
                    PLAN_MAX_DOMAINS - 1);
            return;
        }
        domain = &layout->domains[layout->domain_count++];
    }
    domain->name = *name;
    reader_mapping(r, value, "a domain", tables, 2, &domain->attributes);
}

static void read_domains(struct reader *r, const yaml_node_t *node, void *into) {
    reader_names(r, node, "'domains'", read_domain, into);
}

static void read_role(struct reader *r, const yaml_node_t *item, void *into) {
    struct layout_rule *rule = into;
    struct setting role;

    if (reader_word(r, item, "'role'", match_role_words, "what a SIP is in its workload", &role) ==
        0)
        rule->roles |= (uint32_t)role.value;
}

static void read_match_roles(struct reader *r, const yaml_node_t *node, void *into) {
    struct layout_rule *rule = into;

    rule->roles = 0;
    reader_list(r, node, "'role'", true, read_role, rule);
}

static void read_sip(struct reader *r, const yaml_node_t *item, void *into) {
    struct layout_rule *rule = into;
    struct name name;

    if (item->type == YAML_SCALAR_NODE && strcmp((char *)item->data.scalar.value, "*") == 0) {
        rule->any_sip = true;
        return;
    }
    if (reader_name(r, item, "'sip'", &name) < 0)
        return;
    rule->sips = array_grow(rule->sips, rule->sip_count, sizeof(*rule->sips));
    rule->sips[rule->sip_count++] = name;
}

static void read_match_sips(struct reader *r, const yaml_node_t *node, void *into) {
    struct layout_rule *rule = into;

    rule->any_sip = false;
    reader_list(r, node, "'sip'", true, read_sip, rule);
}

static void read_match(struct reader *r, const yaml_node_t *node, void *into) {
    struct layout_rule *rule = into;

    rule->roles = LAYOUT_ALL_ROLES;
    rule->any_sip = true;
    reader_mapping(r, node, "'match'", match_table, 1, rule);
    if (node->type == YAML_MAPPING_NODE &&
        node->data.mapping.pairs.top == node->data.mapping.pairs.start)
        reader_error(r, node, "'match' is empty, expected role or sip; {role: \"*\"} matches all");
}

static void read_rule(struct reader *r, const yaml_node_t *item, void *into) {
    const struct key_table tables[] = {
        KEY_TABLE(rule_keys, 0), KEY_TABLE(domain_keys, offsetof(struct layout_rule, attributes)),
        mechanism_keys(false, offsetof(struct layout_rule, attributes.mechanisms))};
    struct layout *layout = into;
    struct layout_rule *rule;

    if (layout->rule_count == LAYOUT_MAX_RULES) {
        reader_error(r, item, "more than %d place rules; match by role or by a list of SIPs",
                     LAYOUT_MAX_RULES);
        return;
    }
    rule = &layout->rules[layout->rule_count++];
    rule->at = reader_mark(r, item);
    reader_mapping(r, item, "a place rule", tables, 3, rule);
}

static void clear_rules(struct layout *layout) {
    for (size_t i = 0; i < layout->rule_count; i++)
        free(layout->rules[i].sips);
    memset(layout->rules, 0, sizeof(layout->rules));
    layout->rule_count = 0;
}

static void read_place(struct reader *r, const yaml_node_t *node, void *into) {
    struct layout *layout = into;

    layout->placed = true;
    clear_rules(layout); /* a list of rules only makes sense whole: it replaces the parent's */
    reader_list(r, node, "'place'", false, read_rule, layout);
}

/* ---- files ---- */

/*
 * Reads the file over what *layout holds. `at` is the place that names the file, `child` the file
 * that extends it. Takes ownership of `path`.
 */
static int layout_read(const struct config_paths *paths, char *path, struct mark at,
                       const struct reader *child, struct layout *layout,
                       struct config_diags *diags) {
    const struct key_table tables[] = {KEY_TABLE(layout_keys, 0),
                                       mechanism_keys(true, offsetof(struct layout, mechanisms))};
    struct config_file *file = &layout->files[layout->file_count++];
    struct reader r = {
        .path = path, .text = &file->text, .paths = paths, .diags = diags, .child = child};
    int status = 0;

    file->path = path;
    if (reader_open(&r) < 0)
        return -EINVAL;
    for (const struct reader *above = child; above && status == 0; above = above->child) {
        if (above->device == r.device && above->inode == r.inode) {
            diag_at(diags, at,
                    "'extends' goes in a circle: it leads back to %.300s; one of the "
                    "layouts must stand alone",
                    above->path);
            status = -EINVAL;
        }
    }
    if (status == 0)
        reader_mapping(&r, reader_root(&r), "a layout", tables, 2, layout);
    reader_close(&r);
    return status;
}

static void read_extends(struct reader *r, const yaml_node_t *node, void *into) {
    struct layout *layout = into;
    struct mark at = reader_mark(r, node);
    const char *name;
    char *path;

    if (reader_text(r, node, "'extends'", &name) < 0) {
        layout->incomplete = true;
        return;
    }
    path = reader_find_file(r->paths, "layouts", name, at, r->diags);
    if (path && layout->file_count == LAYOUT_MAX_FILES) {
        diag_at(r->diags, at,
                "'extends' is more than %d files deep; extend a layout nearer to the "
                "first",
                LAYOUT_MAX_FILES);
        free(path);
        path = NULL;
    }
    if (!path || layout_read(r->paths, path, at, r, layout, r->diags) < 0)
        layout->incomplete = true;
}

int layout_load_at(const struct config_paths *paths, const char *name, struct mark at,
                   struct layout **out, struct config_diags *diags) {
    size_t before = diags->count;
    char *path = reader_find_file(paths, "layouts", name, at, diags);
    struct layout *layout;

    if (!path)
        return -EINVAL;
    layout = array_grow(NULL, 0, sizeof(*layout));
    if (layout_read(paths, path, at, NULL, layout, diags) == 0) {
        layout_check(layout, diags);
        if (!reader_is_path(name))
            reader_check_stem(name, &layout->name, "layout", diags);
    }
    if (diags->count > before) {
        layout_free(layout);
        return -EINVAL;
    }
    *out = layout;
    return 0;
}

int layout_load(const struct config_paths *paths, const char *name, struct layout **out,
                struct config_diags *diags) {
    int status = layout_load_at(paths, name, (struct mark){0}, out, diags);

    diag_tidy(diags);
    return status;
}

void layout_free(struct layout *layout) {
    if (!layout)
        return;
    clear_rules(layout);
    free(layout->about.text);
    for (size_t i = 0; i < layout->file_count; i++) {
        free(layout->files[i].path);
        free(layout->files[i].text);
    }
    free(layout);
}

const struct config_file *layout_files(const struct layout *layout, size_t *count) {
    *count = layout->file_count;
    return layout->files;
}

const char *layout_name(const struct layout *layout) { return layout->name.text; }

const char *layout_about(const struct layout *layout) {
    return layout->about.text ? layout->about.text : "";
}
