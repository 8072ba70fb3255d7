/*
 * Laying a resolved draft out as one binary plan. The format is plan.h's.
 */
#include "plan_draft.h"

#include "guest-kernel/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_US 1000 /* time slice where the timer preempts */

static uint64_t align_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

struct section_source { /* a table of the draft and where the header says it is */
    struct plan_section *section;
    const void *records;
    size_t bytes; /* of one record */
    size_t count;
};

static uint64_t place_section(const struct section_source *source, uint64_t at) {
    source->section->offset = (uint32_t)at;
    source->section->count = (uint32_t)source->count;
    return align_up(at + source->bytes * source->count, 16);
}

/* The header with everything but the sections and the checksum. */
static void fill_header(struct plan_header *plan, const struct draft *draft,
                        const struct plan_options *options) {
    const struct layout *layout = draft->layout;

    plan->magic = PLAN_MAGIC;
    plan->version = PLAN_VERSION;
    plan->flags = (uint32_t)layout->wake.value | (options->self_test ? PLAN_SELF_TEST : 0) |
                  (options->simulate ? PLAN_SIMULATE : 0);
    if (options->preempt == PREEMPT_ON ||
        (options->preempt == PREEMPT_AS_LAYOUT && layout->preempt.value))
        plan->flags |= PLAN_PREEMPT;
    plan->result_pa = RESULT_PA;
    plan->result_bytes = RESULT_BYTES;
    plan->warmup = options->warmup;
    plan->batch = options->batch;
    plan->samples = options->samples;
    plan->seed = options->seed;
    plan->slice_us = SLICE_US;
    memcpy(plan->layout, layout->name.text, PLAN_NAME_BYTES);
    memcpy(plan->workload, draft->workload->name.text, PLAN_NAME_BYTES);
}

/* Returns a malloc'ed plan, or NULL with a diagnostic when it is larger than a plan can be. */
static struct plan_header *write_plan(struct draft *draft, const struct plan_options *options,
                                      struct config_diags *diags) {
    struct plan_contract contracts[PLAN_MAX_CONTRACTS];
    struct plan_param params[PLAN_MAX_PARAMS];
    struct plan_image images[PLAN_MAX_IMAGES];
    struct plan_header header = {0}, *plan;
    const struct section_source sources[] = {
        {&header.domains, draft->domains, sizeof(draft->domains[0]), draft->domain_count},
        {&header.sips, draft->sips, sizeof(draft->sips[0]), draft->workload->sip_count},
        {&header.channels, draft->channels, sizeof(draft->channels[0]),
         draft->workload->channel_count},
        {&header.images, images, sizeof(images[0]), draft->image_count},
        {&header.params, params, sizeof(params[0]), draft->params.count},
        {&header.contracts, contracts, sizeof(contracts[0]), draft->contract_count},
    };
    const size_t source_count = sizeof(sources) / sizeof(sources[0]);
    uint64_t end = align_up(sizeof(header), 16);

    fill_header(&header, draft, options);
    for (uint32_t i = 0; i < draft->contract_count; i++)
        contracts[i] = *draft->contracts[i];
    for (size_t i = 0; i < draft->params.count; i++) {
        memcpy(params[i].name, draft->params.item[i].name, PLAN_NAME_BYTES);
        params[i].value = draft->params.item[i].value;
    }
    for (size_t i = 0; i < source_count; i++)
        end = place_section(&sources[i], end);
    end = align_up(end, PLAN_IMAGE_ALIGN);
    for (uint32_t i = 0; i < draft->image_count; i++) {
        images[i] = draft->images[i].entry;
        images[i].offset = (uint32_t)end;
        images[i].bytes = (uint32_t)draft->images[i].bytes;
        end = align_up(end + draft->images[i].bytes, PLAN_IMAGE_ALIGN);
        if (end > PLAN_MAX_BYTES) {
            diag_at(diags, draft->workload->name.at,
                    "the images of workload '%s' make a plan of more than %u MiB; use smaller ones",
                    workload_name(draft->workload), PLAN_MAX_BYTES >> 20);
            return NULL;
        }
    }
    header.total_bytes = (uint32_t)end;
    plan = calloc(1, end);
    if (!plan) {
        diag_at(diags, draft->workload->name.at, "out of memory for a plan of %llu bytes",
                (unsigned long long)end);
        return NULL;
    }
    *plan = header;
    for (size_t i = 0; i < source_count; i++)
        memcpy((char *)plan + sources[i].section->offset, sources[i].records,
               sources[i].bytes * sources[i].count);
    for (uint32_t i = 0; i < draft->image_count; i++)
        memcpy((char *)plan + images[i].offset, draft->images[i].data, draft->images[i].bytes);
    plan->checksum = plan_crc32(0, plan, plan->total_bytes);
    return plan;
}

static struct plan_header *build(const struct config_paths *paths, struct draft *draft,
                                 const struct plan_options *options, struct config_diags *diags) {
    size_t before = diags->count;
    struct plan_header *plan;
    const char *why;

    draft_load_images(draft, paths, diags);
    if (diags->count > before)
        return NULL;
    plan = write_plan(draft, options, diags);
    if (!plan)
        return NULL;
    draft_check_memory(draft, plan->total_bytes, options->memory_bytes, diags);
    if (plan_check(plan, plan->total_bytes, &why) < 0)
        diag_at(diags, draft->workload->name.at, "workload '%s' in layout '%s' cannot run: %s",
                workload_name(draft->workload), layout_name(draft->layout), why);
    if (diags->count == before)
        return plan;
    free(plan);
    return NULL;
}

int plan_build(const struct config_paths *paths, const struct layout *layout,
               const struct workload *workload, const struct config_params *params,
               const struct plan_options *options, struct plan_header **out,
               struct config_diags *diags) {
    struct draft *draft = draft_resolve(layout, workload, params, diags);
    struct plan_header *plan = draft ? build(paths, draft, options, diags) : NULL;

    draft_free(draft);
    diag_tidy(diags);
    if (!plan)
        return -EINVAL;
    *out = plan;
    return 0;
}
