/*
 * The result region: whatever a guest writes there, the host reads inside it and says what is
 * wrong.
 */
#include <criterion/criterion.h>
#include "vmm/result_read.h"
#include "guest-kernel/mechanisms.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REGION (64u << 10)

static union {
    struct result_header header;
    uint8_t bytes[REGION];
} * region;
static struct result result;
static struct error error;

static void setup(void) {
    region = calloc(1, sizeof(*region));
    struct result_header *header = &region->header;
    header->magic = RESULT_MAGIC;
    header->version = RESULT_VERSION;
    header->state = RESULT_DONE;
    header->used = sizeof(*header) + 12 * sizeof(uint64_t) + 16;
    header->ops = 1;
    header->log_offset = sizeof(*header) + 12 * sizeof(uint64_t);
    header->log_bytes = 6;
    memcpy(region->bytes + header->log_offset, "ok\n\x1b[m", 6);
    struct result_op *op = &header->op[0];
    strcpy(op->name, "ping-pong");
    op->kind = RESULT_ROUND_TRIP;
    op->batch = 4;
    op->samples = 10;
    op->overheads = 2;
    op->operations = 40;
    op->offset = sizeof(*header);
    for (uint64_t i = 0; i < 12; i++)
        memcpy(region->bytes + op->offset + 8 * i, &i, 8);
}

static void teardown(void) {
    result_free(&result);
    free(region);
}

TestSuite(result_read, .init = setup, .fini = teardown);

static int read_region(void) {
    result_free(&result);
    return result_read(region, REGION, &result, &error);
}

Test(result_read, proper_one_is_copied) {
    cr_assert_eq(read_region(), 0, "%s", error.text);
    cr_expect_eq(result.header.ops, 1);
    cr_expect_eq(result.values[0][0], 0);
    cr_expect_eq(result.values[0][11], 11);
    cr_expect_str_eq(result.log, "ok\n?[m");
}

Test(result_read, empty_and_foreign_regions_are_told_apart) {
    region->header.magic = 0;
    cr_expect_eq(read_region(), -ENODATA);
    region->header.magic = 1;
    cr_expect_eq(read_region(), -EPROTO);
    region->header.magic = RESULT_MAGIC;
    region->header.version = 99;
    cr_expect_eq(read_region(), -EPROTO);
    cr_expect_not_null(strstr(error.text, "99"));
    cr_expect_eq(result_read(NULL, REGION, &result, &error), -EPROTO);
    cr_expect_eq(result_read(region, 100, &result, &error), -EPROTO);
}

#define EXPECT_REFUSED(change)                                                                     \
    do {                                                                                           \
        struct result_header kept = region->header;                                                \
        struct result_header *h = &region->header;                                                 \
        struct result_op *op = &h->op[0];                                                          \
        (void)op;                                                                                  \
        change;                                                                                    \
        cr_expect_eq(read_region(), -EPROTO, #change);                                             \
        region->header = kept;                                                                     \
    } while (0)

Test(result_read, every_field_out_of_range_is_refused) {
    EXPECT_REFUSED(h->state = 5);
    EXPECT_REFUSED(h->state = UINT32_MAX);
    EXPECT_REFUSED(h->used = 0);
    EXPECT_REFUSED(h->used = REGION + 1);
    EXPECT_REFUSED(h->used = UINT64_MAX);
    EXPECT_REFUSED(h->ops = RESULT_MAX_OPS + 1);
    EXPECT_REFUSED(h->ops = UINT32_MAX);
    EXPECT_REFUSED(h->sip_reports = RESULT_MAX_SIP_REPORTS + 1);
    EXPECT_REFUSED(h->tests_failed = 1);
    EXPECT_REFUSED(h->log_bytes = RESULT_LOG_BYTES + 1);
    EXPECT_REFUSED(h->log_bytes = 17);
    EXPECT_REFUSED(h->log_offset = UINT32_MAX);
    EXPECT_REFUSED(op->name[0] = '\0');
    EXPECT_REFUSED(memset(op->name, 'a', sizeof(op->name)));
    EXPECT_REFUSED(op->name[1] = '"');
    EXPECT_REFUSED(op->name[1] = '\n');
    EXPECT_REFUSED(op->kind = 3);
    EXPECT_REFUSED(op->batch = 0);
    EXPECT_REFUSED(op->operations = 0);
    EXPECT_REFUSED(op->samples = 0);
    EXPECT_REFUSED(op->samples = RESULT_MAX_SAMPLES + 1);
    EXPECT_REFUSED(op->samples = UINT32_MAX);
    EXPECT_REFUSED(op->overheads = UINT32_MAX);
    EXPECT_REFUSED(op->offset = 0);
    EXPECT_REFUSED(op->offset += 4);
    EXPECT_REFUSED(op->offset += 24);
    EXPECT_REFUSED(op->offset = UINT64_MAX - 7);
    EXPECT_REFUSED(op->offset = REGION);
    EXPECT_REFUSED(h->ops = 2);
    EXPECT_REFUSED((h->ops = 2, h->op[1] = h->op[0]));
}

Test(result_read, an_operation_without_samples_names_features) {
    struct result_op *op = &region->header.op[0];
    op->samples = op->overheads = 0;
    op->offset = UINT64_MAX; /* of nothing */
    op->oracle = CPU_HAS(PCID) | CPU_HAS(INVPCID);
    cr_assert_eq(read_region(), 0, "%s", error.text);
    EXPECT_REFUSED(op->overheads = 1);
    EXPECT_REFUSED(op->oracle = 0);
    EXPECT_REFUSED(op->oracle = 1ull << CPU_FEATURE_COUNT);
    EXPECT_REFUSED(op->oracle |= 1ull << 63);
    EXPECT_REFUSED(op->batch = 0);
}

Test(result_read, message_and_reports_are_made_printable_and_end) {
    struct result_header *header = &region->header;
    header->state = RESULT_FAILED;
    header->sip_reports = 1;
    memset(header->message, 'x', sizeof(header->message));
    header->message[0] = '\x1b';
    memset(header->sip[0].function, '\xff', sizeof(header->sip[0].function));
    cr_assert_eq(read_region(), 0);
    cr_expect_eq(strlen(result.header.message), sizeof(header->message) - 1);
    cr_expect_eq(result.header.message[0], '?');
    cr_expect_eq(strlen(result.header.sip[0].function), sizeof(header->sip[0].function) - 1);
    cr_expect_eq(result.header.ops, 0, "a run that failed has no figures");
}

/* Any corruption at all: it is refused or it is harmless, but nothing outside is read. */
Test(result_read, random_corruption_is_survived) {
    uint64_t random = 1;
    for (int round = 0; round < 20000; round++) {
        union {
            struct result_header header;
            uint8_t bytes[sizeof(struct result_header)];
        } kept = {.header = region->header};
        for (int i = 0; i < 4; i++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            region->bytes[8 + (random >> 33) % (sizeof(kept) - 8) % 600] = (uint8_t)(random >> 20);
        }
        int status = read_region();
        cr_assert(status == 0 || status == -EPROTO);
        region->header = kept.header;
    }
}
