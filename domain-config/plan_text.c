/*
 * A plan for people: the resolved picture as aligned text, and as a Graphviz graph.
 */
#include "config.h"

#include "mechanism_keys.h"
#include "plan_draft.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const role_names[3] = {"application", "service", "driver"};
const char *const safety_names[3] = {"unchecked", "checked", "masked"};
static const char *const on_fault_names[] = {"kill", "restart"};

static const char *transfer_name(uint32_t transfer) {
    for (size_t i = 0; i < transfer_kind_count; i++)
        if (transfer_kinds[i].value == transfer)
            return transfer_kinds[i].name;
    return "auto";
}

static const char *pages_name(uint32_t pages) {
    switch (pages) {
    case PLAN_PAGES_4K:
        return "4K";
    case PLAN_PAGES_2M:
        return "2M";
    case PLAN_PAGES_1G:
        return "1G";
    default:
        return "largest";
    }
}

/* ---- aligned tables ---- */

#define TABLE_COLUMNS 10
#define CELL_BYTES 160

struct table {
    char (*cell)[TABLE_COLUMNS][CELL_BYTES];
    size_t rows, column; /* `column` of the row that is being filled */
};

static void table_row(struct table *table) {
    table->cell = array_grow(table->cell, table->rows, sizeof(*table->cell));
    table->rows++;
    table->column = 0;
}

static void table_cell(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void table_cell(struct table *table, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(table->cell[table->rows - 1][table->column++], CELL_BYTES, format, arguments);
    va_end(arguments);
}

/* A row of the words of `text`, which are apart by one space. */
static void table_head(struct table *table, const char *text) {
    table_row(table);
    while (*text) {
        size_t length = strcspn(text, " ");

        table_cell(table, "%.*s", (int)length, text);
        text += length + (text[length] == ' ');
    }
}

static void table_print(struct table *table, FILE *to) {
    int width[TABLE_COLUMNS] = {0};

    for (size_t row = 0; row < table->rows; row++)
        for (size_t column = 0; column < TABLE_COLUMNS; column++)
            if ((int)strlen(table->cell[row][column]) > width[column])
                width[column] = (int)strlen(table->cell[row][column]);
    for (size_t row = 0; row < table->rows; row++) {
        size_t last = TABLE_COLUMNS - 1;

        while (last > 0 && !table->cell[row][last][0])
            last--;
        for (size_t column = 0; column < last; column++)
            fprintf(to, "%-*s  ", width[column], table->cell[row][column]);
        fprintf(to, "%s\n", table->cell[row][last]);
    }
    fputc('\n', to);
    free(table->cell);
    *table = (struct table){0};
}

/* ---- text ---- */

static void explain_domains(const struct plan_header *plan, struct table *table) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const struct plan_sip *sips = plan_at(plan, plan->sips);

    table_head(table, "DOMAIN RING SPACE PAGES HEAP SIPS");
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        char members[CELL_BYTES] = "";
        size_t used = 0;

        for (uint32_t j = 0; j < plan->sips.count; j++)
            if (sips[j].domain == i && used + PLAN_NAME_BYTES + 5 < sizeof(members))
                used += (size_t)snprintf(members + used, sizeof(members) - used, "%s%s",
                                         used ? ", " : "", sips[j].name);
            else if (sips[j].domain == i && members[used - 1] != '.')
                used += (size_t)snprintf(members + used, sizeof(members) - used, ", ...");
        table_row(table);
        table_cell(table, "%s", domains[i].name);
        table_cell(table, "%u", domains[i].ring);
        table_cell(table, "%s", domains[i].space == PLAN_SPACE_OWN ? "own" : "kernel");
        table_cell(table, "%s", pages_name(domains[i].pages));
        table_cell(table, "%u (%s)", domains[i].heap, domains[i].heap ? "own" : "shared");
        table_cell(table, "%s", members[0] ? members : "-");
    }
}

/* Returns `text`: the rights, joined by commas, or "-". */
static const char *rights_text(uint32_t rights, char text[CELL_BYTES]) {
    static const char *const names[] = {"create",    "kill",       "may-fault",
                                        "calibrate", "virtio-blk", "interrupt"}; /* by bit */
    size_t used = 0;

    strcpy(text, "-");
    for (uint32_t bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++)
        if (rights & 1u << bit)
            used += (size_t)snprintf(text + used, CELL_BYTES - used, "%s%s", used ? "," : "",
                                     names[bit]);
    return text;
}

static const char *limit_text(uint64_t limit, const char *unit, char text[CELL_BYTES]) {
    snprintf(text, CELL_BYTES, limit ? "%" PRIu64 " %s" : "none", limit, unit);
    return text;
}

static void explain_sips(const struct plan_header *plan, struct table *table) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const struct plan_image *images = plan_at(plan, plan->images);
    const struct plan_sip *sips = plan_at(plan, plan->sips);

    table_head(table, "SIP DOMAIN ROLE IMAGE SAFETY ON-FAULT START RIGHTS BUDGET QUOTA");
    for (uint32_t i = 0; i < plan->sips.count; i++) {
        const struct plan_sip *sip = &sips[i];
        char rights[CELL_BYTES], limit[CELL_BYTES];

        table_row(table);
        table_cell(table, "%s", sip->name);
        table_cell(table, "%s", domains[sip->domain].name);
        table_cell(table, "%s", role_names[sip->role]);
        table_cell(table, "%s", images[sip->image].name);
        table_cell(table, "%s", safety_names[images[sip->image].safety]);
        table_cell(table, "%s", on_fault_names[sip->on_fault]);
        table_cell(table, "%s", sip->autostart ? "boot" : "created");
        table_cell(table, "%s", rights_text(sip->rights, rights));
        table_cell(table, "%s", limit_text(sip->budget_us, "us", limit));
        table_cell(table, "%s", limit_text(sip->quota_bytes, "B", limit));
    }
}

/* Why the transfer kind is what it is, as far as the plan shows. */
static void explain_transfer(const struct plan_header *plan, const struct plan_channel *channel,
                             struct table *table) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const struct plan_sip *sips = plan_at(plan, plan->sips);
    const char *name = transfer_name(channel->transfer);
    const struct plan_domain *from, *to;

    if (channel->from == PLAN_NONE) {
        table_cell(table, "%s: made at run time", name);
        return;
    }
    from = &domains[sips[channel->from].domain];
    to = &domains[sips[channel->to].domain];
    if (from->heap != to->heap)
        table_cell(table, "%s: heap %u of %s and heap %u of %s are apart", name, from->heap,
                   from->name, to->heap, to->name);
    else if (channel->transfer == PLAN_TRANSFER_MOVE)
        table_cell(table, "%s: both ends use heap %u", name, from->heap);
    else
        table_cell(table, "%s: the layout asks for it; both ends use heap %u", name, from->heap);
}

static const char *contract_name(const struct plan_header *plan,
                                 const struct plan_channel *channel) {
    const struct plan_contract *contracts = plan_at(plan, plan->contracts);

    return channel->contract == PLAN_NONE ? "-" : contracts[channel->contract].name;
}

static const char *end_name(const struct plan_header *plan, uint32_t sip) {
    const struct plan_sip *sips = plan_at(plan, plan->sips);

    return sip == PLAN_NONE ? "-" : sips[sip].name;
}

static void explain_channels(const struct plan_header *plan, struct table *table) {
    const struct plan_channel *channels = plan_at(plan, plan->channels);

    table_head(table, "CHANNEL FROM TO CONTRACT DEPTH BYTES TRANSFER");
    for (uint32_t i = 0; i < plan->channels.count; i++) {
        table_row(table);
        table_cell(table, "%s", channels[i].name);
        table_cell(table, "%s", end_name(plan, channels[i].from));
        table_cell(table, "%s", end_name(plan, channels[i].to));
        table_cell(table, "%s", contract_name(plan, &channels[i]));
        table_cell(table, "%u", channels[i].depth);
        table_cell(table, "%u", channels[i].message_bytes);
        explain_transfer(plan, &channels[i], table);
    }
}

static void explain_params(const struct plan_header *plan, struct table *table) {
    const struct plan_param *params = plan_at(plan, plan->params);

    table_head(table, "PARAM VALUE");
    for (uint32_t i = 0; i < plan->params.count; i++) {
        table_row(table);
        table_cell(table, "%s", params[i].name);
        table_cell(table, "%" PRId64, params[i].value);
    }
}

static void explain_machine(const struct plan_header *plan, struct table *table) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    char text[MECHANISMS_TEXT_BYTES];

    table_row(table);
    table_cell(table, "machine");
    table_cell(table, "%s", mechanisms_text(domains[0].mechanisms & mechanisms_of_machine, text));
    table_row(table);
    table_cell(table, "images");
    table_cell(table, "%s", *plan_image_variant(plan) ? plan_image_variant(plan) : "plain");
}

static void explain_mechanisms(const struct plan_header *plan, struct table *table) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    char text[MECHANISMS_TEXT_BYTES];

    table_head(table, "DOMAIN MECHANISMS");
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        table_row(table);
        table_cell(table, "%s", domains[i].name);
        table_cell(table, "%s",
                   mechanisms_text(domains[i].mechanisms & ~mechanisms_of_machine, text));
    }
}

void plan_explain(const struct plan_header *plan, FILE *to) {
    struct table table = {0};

    table_row(&table);
    table_cell(&table, "layout");
    table_cell(&table, "%s", plan->layout);
    table_row(&table);
    table_cell(&table, "workload");
    table_cell(&table, "%s", plan->workload);
    table_row(&table);
    table_cell(&table, "wake");
    table_cell(&table, "%s", plan->flags & PLAN_WAKE_DIRECT ? "direct" : "queue");
    table_row(&table);
    table_cell(&table, "preempt");
    table_cell(&table, "%s", plan->flags & PLAN_PREEMPT ? "on" : "off");
    explain_machine(plan, &table);
    table_print(&table, to);
    explain_domains(plan, &table);
    table_print(&table, to);
    explain_mechanisms(plan, &table);
    table_print(&table, to);
    plan_explain_switches(plan, to);
    explain_sips(plan, &table);
    table_print(&table, to);
    if (plan->channels.count) {
        explain_channels(plan, &table);
        table_print(&table, to);
    }
    if (plan->params.count) {
        explain_params(plan, &table);
        table_print(&table, to);
    }
}

/* ---- Graphviz ---- */

void plan_dot(const struct plan_header *plan, FILE *to) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const struct plan_channel *channels = plan_at(plan, plan->channels);
    const struct plan_image *images = plan_at(plan, plan->images);
    const struct plan_sip *sips = plan_at(plan, plan->sips);

    /* A checked plan's names need no escapes: letters, digits and "-_." only. */
    fprintf(to, "digraph \"%s in %s\" {\n", plan->workload, plan->layout);
    fprintf(to, "    label=\"%s in %s\";\n    rankdir=LR;\n    node [shape=box];\n", plan->workload,
            plan->layout);
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        char text[MECHANISMS_TEXT_BYTES];

        fprintf(to, "    subgraph \"cluster_%s\" {\n", domains[i].name);
        mechanisms_text(domains[i].mechanisms, text);
        fprintf(to, "        label=\"%s\\nring %u, %s space, pages %s, heap %u%s%s\";\n",
                domains[i].name, domains[i].ring,
                domains[i].space == PLAN_SPACE_OWN ? "own" : "kernel's",
                pages_name(domains[i].pages), domains[i].heap, domains[i].mechanisms ? "\\n" : "",
                domains[i].mechanisms ? text : "");
        if (i == 0)
            fprintf(to, "        \"(kernel)\" [shape=plaintext, label=\"kernel\"];\n");
        for (uint32_t j = 0; j < plan->sips.count; j++)
            if (sips[j].domain == i)
                fprintf(to, "        \"%s\" [label=\"%s\\n%s, %s\"];\n", sips[j].name, sips[j].name,
                        role_names[sips[j].role], safety_names[images[sips[j].image].safety]);
        fprintf(to, "    }\n");
    }
    for (uint32_t i = 0; i < plan->channels.count; i++) {
        const struct plan_channel *channel = &channels[i];

        if (channel->from == PLAN_NONE) /* it joins nothing yet */
            continue;
        fprintf(to, "    \"%s\" -> \"%s\" [dir=both, label=\"%s", sips[channel->from].name,
                sips[channel->to].name, channel->name);
        if (channel->contract != PLAN_NONE)
            fprintf(to, "\\n%s", contract_name(plan, channel));
        fprintf(to, "\\n%s, depth %u, %u bytes\"];\n", transfer_name(channel->transfer),
                channel->depth, channel->message_bytes);
    }
    fprintf(to, "}\n");
}
