/*
 * What the files say, with the place of each value, for the files of this room alone: the readers
 * fill it, the checkers and the plan's builder read it.
 */
#ifndef BULKHEAD_MODEL_H
#define BULKHEAD_MODEL_H

#include "guest-kernel/mechanisms.h"
#include "reader.h"

/* ---- layouts ---- */

#define LAYOUT_MAX_RULES 64
#define LAYOUT_MAX_FILES 16 /* a layout and what it extends */

#define LAYOUT_ALL_ROLES                                                                           \
    (1u << PLAN_ROLE_APPLICATION | 1u << PLAN_ROLE_SERVICE | 1u << PLAN_ROLE_DRIVER)

enum heap_kind {
    HEAP_SHARED,
    HEAP_OWN
};

/* A setting for each key of the table of mechanisms, at the index of the first row that has the key. */
struct mechanism_settings {
    struct setting key[MECHANISM_COUNT];
};
struct domain_attributes { /* as written; what is unset gets its default from domain_resolve() */
    struct setting ring, space, heap, pages;
    struct mechanism_settings mechanisms;
};
/* Its keys but those of mechanisms, each a struct setting. */
extern const struct key_table domain_attribute_keys;
struct kernel_attributes {
    struct setting pages;
    struct mechanism_settings mechanisms;
};
struct layout_domain {
    struct name name;
    struct domain_attributes attributes;
};
enum rule_target {
    RULE_NAMED,
    RULE_KERNEL,
    RULE_OWN
};
struct layout_rule {
    struct mark at;
    uint32_t roles;    /* bit by enum plan_role */
    bool any_sip;      /* no SIP is named: the roles alone decide */
    struct name *sips; /* malloc'ed */
    size_t sip_count;
    struct name in;
    enum rule_target target;
    uint32_t domain; /* when RULE_NAMED: index into the layout's domains, PLAN_NONE: no such */
    struct domain_attributes attributes; /* when RULE_OWN */
    struct setting safety, on_fault;     /* unset: the layout's */
};
struct layout {
    struct config_file files[LAYOUT_MAX_FILES]; /* whose paths the marks point to */
    size_t file_count;
    struct name name;
    struct text about;
    struct setting pages, safety, transfer, wake, preempt, on_fault;
    struct mechanism_settings mechanisms;
    struct kernel_attributes kernel;
    struct layout_domain domains[PLAN_MAX_DOMAINS];
    size_t domain_count;
    struct layout_rule rules[LAYOUT_MAX_RULES];
    size_t rule_count;
    bool placed;     /* `place` was given, right or wrong */
    bool incomplete; /* a part could not be read: complaining about its absence would mislead */
};

struct domain_shape { /* a domain with nothing left open */
    uint32_t ring, space, pages;
    bool own_heap;
    uint64_t mechanisms; /* MECHANISM(...); of the kernel's own domain those of the machine too */
};
void domain_resolve(const struct layout *layout, const struct domain_attributes *attributes,
                    struct domain_shape *shape);
/* Page size of the kernel's own domain, and the setting it comes from (unset: the default). */
struct setting kernel_pages(const struct layout *layout);
void kernel_resolve(const struct layout *layout, struct domain_shape *shape);

/*
 * The keys of struct mechanism_settings. Those of the whole machine are for the layout alone; in the
 * other table, for a domain, they are there to be pointed out.
 */
struct key_table mechanism_keys(bool layout, size_t offset);
/* What decides about a mechanism: what `own` says, else the layout, else nothing (unset). */
struct setting layout_mechanism(const struct layout *layout, const struct mechanism_settings *own,
                                enum mechanism_id id) __attribute__((nonnull(1)));
/* The mechanisms of a domain whose other attributes are resolved. `own` may be NULL. */
uint64_t mechanisms_resolve(const struct layout *layout, const struct mechanism_settings *own,
                            const struct domain_shape *shape);
/* Checks what mechanisms want of each other and of the domains they are for. */
void layout_check_mechanisms(const struct layout *layout, struct config_diags *diags);

/* Checks what no single key shows: domains that cannot be, rules that lead nowhere. */
void layout_check(struct layout *layout, struct config_diags *diags);

/* Transfer kinds, the cheapest to set up first: `auto` takes the first that the ends allow. */
struct transfer_kind {
    const char *name;
    uint32_t value; /* enum plan_transfer */
    bool (*legal)(const struct plan_domain *from, const struct plan_domain *to);
    const char *needs; /* what makes it legal, for a message */
};
extern const struct transfer_kind transfer_kinds[];
extern const size_t transfer_kind_count;

/* ---- workloads ---- */

struct workload_sip {
    struct name name, image;
    struct setting role, autostart, budget_us, quota;
    struct setting device; /* one of enum plan_rights, or 0 */
    uint32_t rights;       /* enum plan_rights */
};
struct workload_channel {
    struct name name, contract, from, to;
    struct setting depth, bytes;
    struct name bytes_param;   /* the param that gives the bytes, instead of `bytes` */
    uint32_t from_sip, to_sip; /* indices; PLAN_NONE if there is no such SIP, or none is named */
};
struct workload_preset {
    struct name name;
    struct config_params params; /* that it changes */
};
#define WORKLOAD_MAX_PRESETS 16
struct workload {
    struct config_file file;
    struct name name;
    struct text about;
    struct workload_sip sips[PLAN_MAX_SIPS];
    size_t sip_count;
    struct workload_channel channels[PLAN_MAX_CHANNELS];
    size_t channel_count;
    struct config_params params;
    struct workload_preset presets[WORKLOAD_MAX_PRESETS];
    size_t preset_count;
    struct setting oracle;
};

#define CHANNEL_DEFAULT_BYTES 4096

/* The value of a param, or NULL. */
const int64_t *params_find(const struct config_params *params, const char *name);
/* Adds or replaces; keeps the order. Returns 0 or -ENOSPC. */
int params_set(struct config_params *params, const char *name, int64_t value);

/* Whether the channel names no ends: a kind of channel, which SIPs create at run time. */
bool channel_dynamic(const struct workload_channel *channel);
/* The largest payload with these values of the workload's params; checked, 0 with a diagnostic. */
uint32_t channel_bytes(const struct workload_channel *channel, const struct config_params *params,
                       struct config_diags *diags);

/* ---- experiments ---- */

struct axis_value {
    int64_t value;
    struct mark at;
};
struct param_axis {
    struct name name;
    struct axis_value *values; /* malloc'ed */
    size_t count;
};
struct experiment_workload {
    struct mark at;
    struct workload *workload;
    struct name preset; /* that the axes go over; unset: none */
    struct param_axis axes[PLAN_MAX_PARAMS];
    size_t axis_count;
};
struct experiment_layout {
    struct mark at;
    struct layout *layout;
};
struct condition_axis {
    struct name name;
    struct name *values; /* malloc'ed */
    size_t count;
};
#define CONDITION_MAX_AXES 16
struct condition { /* a cell matches when it has one of the values on every axis */
    struct mark at;
    bool only; /* keeps what matches; else drops it */
    struct condition_axis axes[CONDITION_MAX_AXES];
    size_t axis_count;
};
struct experiment {
    struct config_file file;
    struct name name;
    struct text about;
    struct experiment_settings settings;
    struct {
        struct setting repeats, seed, warmup, batch, samples, memory, preempt, timeout;
    } written;
    struct experiment_layout *layouts;
    size_t layout_count;
    struct experiment_workload *workloads;
    size_t workload_count;
    struct condition *conditions;
    size_t condition_count;
    struct experiment_cell *cells;
    size_t cell_count;
    size_t excluded;
    bool incomplete; /* a part did not load: its absence would make `where` look wrong */
};

/* Fills cells from layouts, workloads, axes and conditions; reports what cannot match. */
void experiment_expand(struct experiment *experiment, struct config_diags *diags);

#define EXPERIMENT_MAX_CELLS 10000

/* ---- loading from a file that names another ---- */

int layout_load_at(const struct config_paths *paths, const char *name, struct mark at,
                   struct layout **out, struct config_diags *diags);
int workload_load_at(const struct config_paths *paths, const char *name, struct mark at,
                     struct workload **out, struct config_diags *diags);

#endif
