/*
 * Copies the result region, then checks the copy: the guest may have written anything, on purpose
 * or by a crash. What the figures mean is for cell.c.
 */
#include "result_read.h"
#include "guest-kernel/mechanisms.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Ends the string and makes it printable, so that it can go into messages and records. */
static void text_clean(char *text, size_t bytes) {
    text[bytes - 1] = '\0';
    for (; *text; text++)
        if (!isprint((unsigned char)*text))
            *text = '?';
}

/* A name ends inside its field and holds letters, digits and a few signs. */
static int name_is_good(const char *name, size_t bytes) {
    size_t length = strnlen(name, bytes);
    if (length == 0 || length == bytes)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.:/", name[i]))
            return 0;
    return 1;
}

static int op_read(const uint8_t *region, struct result *result, unsigned index,
                   struct error *error) {
    const struct result_header *header = &result->header;
    const struct result_op *op = &header->op[index];
    if (!name_is_good(op->name, sizeof(op->name)))
        return error_set(error, -EPROTO, "garbage result: operation %u has no proper name", index);
    for (unsigned i = 0; i < index; i++)
        if (!strcmp(header->op[i].name, op->name))
            return error_set(error, -EPROTO, "garbage result: operation %s appears twice",
                             op->name);
    if ((op->kind & ~RESULT_OUTSIDE) > RESULT_ROUND_TRIP || op->batch == 0 || op->operations == 0)
        return error_set(error, -EPROTO,
                         "garbage result: %s has kind %u, batch %u and %llu operations", op->name,
                         op->kind, op->batch, (unsigned long long)op->operations);
    if (op->samples == 0 && op->overheads == 0 && op->oracle &&
        op->oracle >> CPU_FEATURE_COUNT == 0)
        return 0; /* the CPU lacks what it needs */
    if (op->samples == 0 || op->samples > RESULT_MAX_SAMPLES || op->overheads > RESULT_MAX_SAMPLES)
        return error_set(error, -EPROTO, "garbage result: %s has %u samples and %u overheads",
                         op->name, op->samples, op->overheads);
    uint64_t room = ((uint64_t)op->samples + op->overheads) * sizeof(uint64_t);
    if (op->offset % sizeof(uint64_t) || op->offset < sizeof(*header) ||
        op->offset > header->used || room > header->used - op->offset)
        return error_set(error, -EPROTO,
                         "garbage result: the samples of %s, %llu bytes at %#llx, are outside",
                         op->name, (unsigned long long)room, (unsigned long long)op->offset);
    result->values[index] = malloc(room);
    if (!result->values[index])
        return error_set(error, -ENOMEM, "out of memory for samples");
    memcpy(result->values[index], region + op->offset, room);
    return 0;
}

static int log_read(const uint8_t *region, struct result *result, struct error *error) {
    const struct result_header *header = &result->header;
    if (header->log_bytes > RESULT_LOG_BYTES || header->log_offset > header->used ||
        header->log_bytes > header->used - header->log_offset)
        return error_set(error, -EPROTO, "garbage result: a log of %u bytes at %#x is outside",
                         header->log_bytes, header->log_offset);
    result->log = malloc(header->log_bytes + 1u);
    if (!result->log)
        return error_set(error, -ENOMEM, "out of memory for the guest's log");
    memcpy(result->log, region + header->log_offset, header->log_bytes);
    result->log[header->log_bytes] = '\0';
    for (char *at = result->log; at < result->log + header->log_bytes; at++)
        if (!isprint((unsigned char)*at) && *at != '\n' && *at != '\t')
            *at = '?';
    return 0;
}

int result_read(const void *region, uint64_t bytes, struct result *result, struct error *error) {
    struct result_header *header = &result->header;
    *result = (struct result){0};
    if (!region || bytes < sizeof(*header))
        return error_set(error, -EPROTO, "the result region does not fit into guest memory");
    memcpy(header, region, sizeof(*header));
    if (header->magic == 0)
        return error_set(error, -ENODATA, "the guest wrote no result");
    if (header->magic != RESULT_MAGIC)
        return error_set(error, -EPROTO, "garbage result: magic %#llx instead of %#llx",
                         (unsigned long long)header->magic, RESULT_MAGIC);
    if (header->version != RESULT_VERSION)
        return error_set(error, -EPROTO,
                         "the result has version %u and this program reads %u; build both again",
                         header->version, RESULT_VERSION);
    text_clean(header->message, sizeof(header->message));
    if (header->state > RESULT_UNAVAILABLE)
        return error_set(error, -EPROTO, "garbage result: state %u", header->state);
    if (header->used < sizeof(*header) || header->used > bytes)
        return error_set(error, -EPROTO, "garbage result: %llu bytes used of %llu",
                         (unsigned long long)header->used, (unsigned long long)bytes);
    if (header->ops > RESULT_MAX_OPS || header->sip_reports > RESULT_MAX_SIP_REPORTS)
        return error_set(error, -EPROTO, "garbage result: %u operations and %u SIP reports",
                         header->ops, header->sip_reports);
    if (header->tests_failed > header->tests_run)
        return error_set(error, -EPROTO, "garbage result: %u of %u self-tests failed",
                         header->tests_failed, header->tests_run);
    if (header->simulated >> MECHANISM_COUNT)
        return error_set(error, -EPROTO, "garbage result: mechanisms %#llx were simulated",
                         (unsigned long long)header->simulated);
    for (unsigned i = 0; i < header->sip_reports; i++) {
        text_clean(header->sip[i].sip, sizeof(header->sip[i].sip));
        text_clean(header->sip[i].kind, sizeof(header->sip[i].kind));
        text_clean(header->sip[i].function, sizeof(header->sip[i].function));
    }
    if (header->state != RESULT_DONE)
        header->ops = 0;
    int status = log_read(region, result, error);
    for (unsigned i = 0; !status && i < header->ops; i++)
        status = op_read(region, result, i, error);
    return status;
}

void result_free(struct result *result) {
    for (size_t i = 0; i < RESULT_MAX_OPS; i++)
        free(result->values[i]);
    free(result->log);
    *result = (struct result){0};
}
