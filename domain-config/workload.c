/*
 * Reading workloads: SIPs, channels and params. What depends on a layout is checked in plan_resolve.c.
 */
#include "model.h"

#include "channel-dev/contract.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- words and keys ---- */

static const struct word role_words[] = {{"application", PLAN_ROLE_APPLICATION},
                                         {"service", PLAN_ROLE_SERVICE},
                                         {"driver", PLAN_ROLE_DRIVER},
                                         {NULL, 0}};
static const struct word yes_words[] = {
    {"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {NULL, 0}};
static const struct word right_words[] = {{"create", PLAN_RIGHT_CREATE},
                                          {"kill", PLAN_RIGHT_KILL},
                                          {"may-fault", PLAN_MAY_FAULT},
                                          {"calibrate", PLAN_RIGHT_CALIBRATE},
                                          {NULL, 0}};
static const struct word device_words[] = {
    {"virtio-blk", PLAN_DRIVES_DISK}, {"interrupt", PLAN_DRIVES_INTERRUPT}, {NULL, 0}};
static const struct word oracle_words[] = {{"none", 0}, {"checksum", 1}, {NULL, 0}};

static void read_params(struct reader *r, const yaml_node_t *node, void *into);
static void read_presets(struct reader *r, const yaml_node_t *node, void *into);
static void read_sips(struct reader *r, const yaml_node_t *node, void *into);
static void read_channels(struct reader *r, const yaml_node_t *node, void *into);
static void read_rights(struct reader *r, const yaml_node_t *node, void *into);
static void read_bytes(struct reader *r, const yaml_node_t *node, void *into);

static const struct key workload_keys[] = {
    KEY_FIELD("workload", KEY_NAME, KEY_REQUIRED, struct workload, name, "the workload's name"),
    KEY_FIELD("about", KEY_TEXT, KEY_OPTIONAL, struct workload, about, "one line about it"),
    KEY_READ("params", KEY_OPTIONAL, read_params,
             "integers that the SIPs can ask for, with their defaults"),
    KEY_READ("presets", KEY_OPTIONAL, read_presets, /* after the params that they change */
             "sets of values for the params, by name"),
    KEY_READ("sips", KEY_REQUIRED, read_sips, "the SIPs, by name"),
    KEY_READ("channels", KEY_OPTIONAL, read_channels, "the channels between them, by name"),
    KEY_FIELD("oracle", KEY_WORD, KEY_OPTIONAL, struct workload, oracle,
              "whether every layout must produce the same answer", .words = oracle_words),
};
static const struct key sip_keys[] = {
    KEY_FIELD("image", KEY_NAME, KEY_REQUIRED, struct workload_sip, image, "the name of its image"),
    KEY_FIELD("role", KEY_WORD, KEY_REQUIRED, struct workload_sip, role, "what layouts place it by",
              .words = role_words),
    KEY_FIELD("autostart", KEY_WORD, KEY_OPTIONAL, struct workload_sip, autostart,
              "whether it starts at boot or is created by another SIP", .words = yes_words),
    KEY_FIELD("budget-us", KEY_INTEGER, KEY_OPTIONAL, struct workload_sip, budget_us,
              "longest run in microseconds between kernel calls", .low = 0, .high = 3600000000),
    KEY_FIELD("quota", KEY_INTEGER, KEY_OPTIONAL, struct workload_sip, quota,
              "bytes of memory that it may own", .low = 0, .high = 3ll << 30),
    KEY_FIELD("device", KEY_WORD, KEY_OPTIONAL, struct workload_sip, device, "what it alone drives",
              .words = device_words),
    KEY_READ("rights", KEY_OPTIONAL, read_rights,
             "what it may do: create, kill, may-fault, calibrate"),
};
static const struct key channel_keys[] = {
    KEY_FIELD("contract", KEY_NAME, KEY_OPTIONAL, struct workload_channel, contract,
              "the protocol that the messages follow"),
    KEY_FIELD("from", KEY_NAME, KEY_OPTIONAL, struct workload_channel, from, "the client's SIP"),
    KEY_FIELD("to", KEY_NAME, KEY_OPTIONAL, struct workload_channel, to, "the server's SIP"),
    KEY_FIELD("depth", KEY_INTEGER, KEY_REQUIRED, struct workload_channel, depth,
              "messages in flight in one direction, a power of two", .low = 1,
              .high = PLAN_MAX_DEPTH),
    KEY_READ("bytes", KEY_OPTIONAL, read_bytes,
             "the largest payload, a number or the name of a param"),
};

static const struct key_table workload_table[] = {KEY_TABLE(workload_keys, 0)};
static const struct key_table sip_table[] = {KEY_TABLE(sip_keys, 0)};
static const struct key_table channel_table[] = {KEY_TABLE(channel_keys, 0)};

/* ---- params ---- */

const int64_t *params_find(const struct config_params *params, const char *name) {
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->item[i].name, name) == 0)
            return &params->item[i].value;
    return NULL;
}

int params_set(struct config_params *params, const char *name, int64_t value) {
    size_t i = 0;

    while (i < params->count && strcmp(params->item[i].name, name) < 0)
        i++;
    if (i == params->count || strcmp(params->item[i].name, name) != 0) {
        if (params->count == PLAN_MAX_PARAMS)
            return -ENOSPC;
        memmove(&params->item[i + 1], &params->item[i],
                (params->count - i) * sizeof(params->item[0]));
        memset(&params->item[i], 0, sizeof(params->item[i]));
        snprintf(params->item[i].name, CONFIG_NAME_BYTES, "%s", name);
        params->count++;
    }
    params->item[i].value = value;
    return 0;
}

void params_put(struct config_params *params, const struct config_params *over) {
    for (size_t i = 0; i < over->count; i++)
        if (params_find(params, over->item[i].name))
            params_set(params, over->item[i].name, over->item[i].value);
}

static void read_param(struct reader *r, const struct name *name, const yaml_node_t *value,
                       void *into) {
    struct setting setting;

    if (strcmp(name->text, "preset") == 0)
        diag_at(r->diags, name->at,
                "a param cannot be named 'preset', which chooses one; choose another name");
    else if (reader_integer(r, value, "a param", INT64_MIN, INT64_MAX, &setting) == 0 &&
             params_set(into, name->text, setting.value) < 0)
        diag_at(r->diags, name->at, "more than %u params; the guest has room for no more",
                PLAN_MAX_PARAMS);
}

static void read_params(struct reader *r, const yaml_node_t *node, void *into) {
    struct workload *workload = into;

    reader_names(r, node, "'params'", read_param, &workload->params);
}

/* ---- presets ---- */

struct preset_reading {
    const struct workload *workload;
    struct workload_preset *preset;
};

static void read_preset_param(struct reader *r, const struct name *name, const yaml_node_t *value,
                              void *into) {
    const struct preset_reading *reading = into;
    const struct config_params *params = &reading->workload->params;
    const char *names[PLAN_MAX_PARAMS];
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];
    struct setting setting;

    for (size_t i = 0; i < params->count; i++)
        names[i] = params->item[i].name;
    if (!params_find(params, name->text))
        diag_at(r->diags, name->at, "preset '%s' sets '%s', which is no param; expected %s%s",
                reading->preset->name.text, name->text,
                params->count ? choices_text(names, params->count, choices) : "params to be there",
                nearest_text(name->text, names, params->count, nearest));
    else if (reader_integer(r, value, "a param", INT64_MIN, INT64_MAX, &setting) == 0)
        params_set(&reading->preset->params, name->text, setting.value);
}

static void read_preset(struct reader *r, const struct name *name, const yaml_node_t *value,
                        void *into) {
    struct workload *workload = into;
    struct preset_reading reading = {workload, &workload->presets[workload->preset_count]};

    if (strcmp(name->text, PRESET_DEFAULT) == 0) {
        diag_at(r->diags, name->at,
                "preset '" PRESET_DEFAULT "' is what 'params' says; leave it out");
        return;
    }
    if (workload->preset_count == WORKLOAD_MAX_PRESETS) {
        diag_at(r->diags, name->at, "more than %d presets", WORKLOAD_MAX_PRESETS);
        return;
    }
    workload->preset_count++;
    reading.preset->name = *name;
    reader_names(r, value, "a preset", read_preset_param, &reading);
}

static void read_presets(struct reader *r, const yaml_node_t *node, void *into) {
    reader_names(r, node, "'presets'", read_preset, into);
}

/* ---- SIPs ---- */

static void read_right(struct reader *r, const yaml_node_t *item, void *into) {
    struct workload_sip *sip = into;
    struct setting right;

    if (reader_word(r, item, "'rights'", right_words, "what a SIP may do", &right) == 0)
        sip->rights |= (uint32_t)right.value;
}

static void read_rights(struct reader *r, const yaml_node_t *node, void *into) {
    reader_list(r, node, "'rights'", true, read_right, into);
}

static void read_sip(struct reader *r, const struct name *name, const yaml_node_t *value,
                     void *into) {
    struct workload *workload = into;
    struct workload_sip *sip;

    if (strcmp(name->text, "kernel") == 0 || strcmp(name->text, "own") == 0) {
        diag_at(r->diags, name->at,
                "a SIP cannot be named '%s', which layouts use for a domain; choose another name",
                name->text);
        return;
    }
    if (workload->sip_count == PLAN_MAX_SIPS) {
        diag_at(r->diags, name->at, "more than %u SIPs; the guest has room for no more",
                PLAN_MAX_SIPS);
        return;
    }
    sip = &workload->sips[workload->sip_count++];
    sip->name = *name;
    sip->autostart.value = 1;
    reader_mapping(r, value, "a SIP", sip_table, 1, sip);
}

static void read_sips(struct reader *r, const yaml_node_t *node, void *into) {
    reader_names(r, node, "'sips'", read_sip, into);
    if (node->type == YAML_MAPPING_NODE &&
        node->data.mapping.pairs.top == node->data.mapping.pairs.start)
        reader_error(r, node, "'sips' is empty, expected name: {image: ..., role: ...}");
}

/* ---- channels ---- */

static void read_bytes(struct reader *r, const yaml_node_t *node, void *into) {
    struct workload_channel *channel = into;
    const char *text = node->type == YAML_SCALAR_NODE ? (char *)node->data.scalar.value : "";

    if (isalpha((unsigned char)text[0]))
        reader_name(r, node, "'bytes'", &channel->bytes_param);
    else
        reader_integer(r, node, "'bytes'", 1, PLAN_MAX_MESSAGE_BYTES, &channel->bytes);
}

static void read_channel(struct reader *r, const struct name *name, const yaml_node_t *value,
                         void *into) {
    struct workload *workload = into;
    struct workload_channel *channel;
    size_t before = r->diags->count;

    if (workload->channel_count == PLAN_MAX_CHANNELS) {
        diag_at(r->diags, name->at, "more than %u channels; the guest has room for no more",
                PLAN_MAX_CHANNELS);
        return;
    }
    channel = &workload->channels[workload->channel_count++];
    channel->name = *name;
    channel->bytes.value = CHANNEL_DEFAULT_BYTES;
    reader_mapping(r, value, "a channel", channel_table, 1, channel);
    if (r->diags->count == before && !channel->from.at.file != !channel->to.at.file)
        reader_error(
            r, value,
            "a channel lacks the key '%s'; name both ends, or neither for a kind of channel "
            "that SIPs create at run time",
            channel->from.at.file ? "to" : "from");
}

static void read_channels(struct reader *r, const yaml_node_t *node, void *into) {
    reader_names(r, node, "'channels'", read_channel, into);
}

static uint32_t find_end(const struct workload *workload, const struct name *end, const char *key,
                         struct config_diags *diags) {
    const char *names[PLAN_MAX_SIPS];
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];

    if (!end->at.file || workload->sip_count == 0)
        return PLAN_NONE; /* reported already */
    for (size_t i = 0; i < workload->sip_count; i++) {
        names[i] = workload->sips[i].name.text;
        if (strcmp(names[i], end->text) == 0)
            return (uint32_t)i;
    }
    diag_at(diags, end->at, "'%s' names the SIP '%s', which is not declared; expected %s%s", key,
            end->text, choices_text(names, workload->sip_count, choices),
            nearest_text(end->text, names, workload->sip_count, nearest));
    return PLAN_NONE;
}

static void check_contract(const struct workload_channel *channel, struct config_diags *diags) {
    const char *names[PLAN_MAX_CONTRACTS];
    char nearest[NEAREST_TEXT_BYTES], choices[CHOICES_TEXT_BYTES];
    const struct plan_contract *contract;
    unsigned count = 0;

    if (!channel->contract.at.file)
        return;
    contract = contract_find(channel->contract.text);
    if (!contract) {
        for (; count < PLAN_MAX_CONTRACTS && contract_at(count); count++)
            names[count] = contract_at(count)->name;
        diag_at(diags, channel->contract.at, "there is no contract '%s'; this build has %s%s",
                channel->contract.text, count ? choices_text(names, count, choices) : "none",
                nearest_text(channel->contract.text, names, count, nearest));
    } else if (channel->depth.at.file && channel->depth.value < contract->in_flight) {
        diag_at(diags, channel->depth.at,
                "'depth' is %lld, but contract '%s' can have %u messages in flight and a send must "
                "never block; expected a power of two of at least that",
                (long long)channel->depth.value, contract->name, contract->in_flight);
    }
}

bool channel_dynamic(const struct workload_channel *channel) {
    return !channel->from.at.file && !channel->to.at.file;
}

/* A channel has room for a message of one cache line, whatever the workload says. */
#define CHANNEL_LEAST_BYTES 64

uint32_t channel_bytes(const struct workload_channel *channel, const struct config_params *params,
                       struct config_diags *diags) {
    const struct plan_contract *contract =
        channel->contract.at.file ? contract_find(channel->contract.text) : NULL;
    const char *param = channel->bytes_param.text;
    int64_t bytes = param[0] ? *params_find(params, param) : channel->bytes.value;
    struct mark at = channel->bytes.at.file ? channel->bytes.at : channel->name.at;

    if (param[0])
        at = channel->bytes_param.at;
    if (bytes < 1 || bytes > PLAN_MAX_MESSAGE_BYTES) { /* a number was checked when it was read */
        diag_at(diags, at, "'bytes' is %lld, the value of param '%s', expected 1 to %u",
                (long long)bytes, param, PLAN_MAX_MESSAGE_BYTES);
        return 0;
    }
    /* A message's fixed fields always fit; the part that varies is bounded by `bytes`. */
    if (bytes < CHANNEL_LEAST_BYTES)
        bytes = CHANNEL_LEAST_BYTES;
    bool given = channel->bytes.at.file || param[0];
    if (contract && !given)
        bytes = 1;
    for (uint32_t i = 0; contract && i < contract->types; i++) {
        uint32_t need = given ? contract->min_bytes[i] : contract->max_bytes[i];
        if (bytes < need)
            bytes = need;
    }
    return (uint32_t)bytes;
}

static void check_channel(struct workload *workload, struct workload_channel *channel,
                          struct config_diags *diags) {
    const char *names[PLAN_MAX_PARAMS];
    char nearest[NEAREST_TEXT_BYTES], place[MARK_TEXT_BYTES];
    int64_t depth = channel->depth.value, above = 1;

    channel->from_sip = find_end(workload, &channel->from, "from", diags);
    channel->to_sip = find_end(workload, &channel->to, "to", diags);
    if (channel->from_sip != PLAN_NONE && channel->from_sip == channel->to_sip)
        diag_at(diags, channel->to.at,
                "'to' is '%s', and so is 'from' at %s; a channel joins two different SIPs",
                channel->to.text, mark_text(channel->from.at, place));
    if (channel->depth.at.file && (depth & (depth - 1))) {
        while (above < depth)
            above *= 2;
        diag_at(
            diags, channel->depth.at,
            "'depth' is %lld, expected a power of two from 1 to %u, since ring indices wrap by a "
            "mask; the nearest are %lld and %lld",
            (long long)depth, PLAN_MAX_DEPTH, (long long)above / 2, (long long)above);
    }
    check_contract(channel, diags);
    if (channel->bytes_param.at.file &&
        !params_find(&workload->params, channel->bytes_param.text)) {
        for (size_t i = 0; i < workload->params.count; i++)
            names[i] = workload->params.item[i].name;
        diag_at(diags, channel->bytes_param.at,
                "'bytes' is '%s', expected a number or the name of a param%s",
                channel->bytes_param.text,
                nearest_text(channel->bytes_param.text, names, workload->params.count, nearest));
    } else {
        channel_bytes(channel, &workload->params, diags);
    }
}

/* ---- the file ---- */

/* One device, which its SIP has from boot on. */
static void check_devices(const struct workload *workload, struct config_diags *diags) {
    const struct workload_sip *first = NULL;
    char place[MARK_TEXT_BYTES];

    for (size_t i = 0; i < workload->sip_count; i++) {
        const struct workload_sip *sip = &workload->sips[i];

        if (!sip->device.value)
            continue;
        if (!sip->autostart.value)
            diag_at(diags, sip->device.at,
                    "SIP '%s' has a device but does not start at boot; leave 'autostart' out",
                    sip->name.text);
        if (first)
            diag_at(diags, sip->device.at,
                    "a second SIP with a device; '%s' has one at %s, and there can be no more",
                    first->name.text, mark_text(first->device.at, place));
        first = first ? first : sip;
    }
}

static void check_workload(struct workload *workload, struct config_diags *diags) {
    bool starts = workload->sip_count == 0; /* then the missing SIPs are reported already */

    for (size_t i = 0; i < workload->sip_count; i++)
        starts = starts || workload->sips[i].autostart.value;
    check_devices(workload, diags);
    if (!starts)
        diag_at(
            diags, workload->sips[0].autostart.at,
            "no SIP starts at boot, so nothing would run; leave 'autostart' out of at least one");
    for (size_t i = 0; i < workload->channel_count; i++)
        check_channel(workload, &workload->channels[i], diags);
}

int workload_load_at(const struct config_paths *paths, const char *name, struct mark at,
                     struct workload **out, struct config_diags *diags) {
    struct reader r = {.paths = paths, .diags = diags};
    size_t before = diags->count;
    char *path = reader_find_file(paths, "workloads", name, at, diags);
    struct workload *workload;

    if (!path)
        return -EINVAL;
    workload = array_grow(NULL, 0, sizeof(*workload));
    r.path = workload->file.path = path;
    r.text = &workload->file.text;
    if (reader_open(&r) == 0) {
        reader_mapping(&r, reader_root(&r), "a workload", workload_table, 1, workload);
        reader_close(&r);
        check_workload(workload, diags);
        if (!reader_is_path(name))
            reader_check_stem(name, &workload->name, "workload", diags);
    }
    if (diags->count > before) {
        workload_free(workload);
        return -EINVAL;
    }
    *out = workload;
    return 0;
}

int workload_load(const struct config_paths *paths, const char *name, struct workload **out,
                  struct config_diags *diags) {
    int status = workload_load_at(paths, name, (struct mark){0}, out, diags);

    diag_tidy(diags);
    return status;
}

void workload_free(struct workload *workload) {
    if (!workload)
        return;
    free(workload->about.text);
    free(workload->file.path);
    free(workload->file.text);
    free(workload);
}

const char *workload_name(const struct workload *workload) { return workload->name.text; }

const char *workload_about(const struct workload *workload) {
    return workload->about.text ? workload->about.text : "";
}

const struct config_params *workload_params(const struct workload *workload) {
    return &workload->params;
}

const char *workload_preset_at(const struct workload *workload, size_t index) {
    if (index == 0)
        return PRESET_DEFAULT;
    return index <= workload->preset_count ? workload->presets[index - 1].name.text : NULL;
}

const struct config_params *workload_preset(const struct workload *workload, const char *name) {
    static const struct config_params nothing;

    if (strcmp(name, PRESET_DEFAULT) == 0)
        return &nothing;
    for (size_t i = 0; i < workload->preset_count; i++)
        if (strcmp(workload->presets[i].name.text, name) == 0)
            return &workload->presets[i].params;
    return NULL;
}

int workload_oracle(const struct workload *workload) { return workload->oracle.value != 0; }

const struct config_file *workload_file(const struct workload *workload) { return &workload->file; }
