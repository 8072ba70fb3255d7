/*
 * The log storage: two halves of memory, of which one counts. Records are appended to it; a rewrite
 * fills the other one, and its commit makes that the one that counts.
 */
#include "kv_block.h"
#include "log_contract.h"
#include "segment.h"

#define MOST_BYTES (6u << 20)
#define LEAST_BYTES (64u << 10)
#define EIO (-5)

static uint8_t memory[2][MOST_BYTES] __attribute__((aligned(4096)));
static struct segment half[2];
static uint32_t counts, writes; /* which half; they differ during a rewrite */
static sip_endpoint server;

static int64_t answer_done(sip_handle request) {
    return log_send_done(server, kv_block(server, request, LOG_DONE_MAX_BYTES), half[writes].used);
}

static int64_t append(sip_handle request) {
    uint32_t bytes = log_append_get_data_bytes(request);
    uint32_t key_bytes = log_append_get_key_bytes(request);
    struct segment_record *record = segment_room(&half[writes], bytes);
    if (!record || key_bytes > bytes)
        return log_send_full(server, request);
    log_append_read_data(request, 0, record->data, bytes);
    segment_append(&half[writes], record, log_append_get_sequence(request), key_bytes, bytes);
    return answer_done(request);
}

static int64_t turn(sip_handle request, bool commit) {
    if (commit) {
        counts = writes;
    } else {
        writes = !counts;
        half[writes].used = 0;
    }
    return answer_done(request);
}

static int64_t read(sip_handle request) {
    const struct segment_record *record;
    uint64_t next;
    enum segment_found found =
        segment_read(&half[counts], log_read_get_position(request), &record, &next);
    if (found == SEGMENT_END)
        return log_send_end(server, request);
    if (found == SEGMENT_DAMAGED ||
        record->data_bytes > LOG_RECORD_MAX_BYTES - LOG_RECORD_MIN_BYTES)
        return log_send_failed(server, request, EIO);
    sip_handle answer = kv_block(server, request, LOG_RECORD_MIN_BYTES + record->data_bytes);
    log_record_write_data(answer, 0, record->data, record->data_bytes);
    return log_send_record(server, answer, next, record->sequence, record->key_bytes,
                           record->data_bytes);
}

static int64_t answer(struct sip_message message) {
    switch (message.type) {
    case LOG_APPEND:
        return append(message.handle);
    case LOG_READ:
        return read(message.handle);
    default:
        return turn(message.handle, message.type == LOG_COMMIT);
    }
}

int sip_main(void) {
    int64_t bytes = sip_param("log-bytes", 4 << 20);
    if (bytes < LEAST_BYTES || bytes > MOST_BYTES)
        sip_fail("param 'log-bytes' must be from 64K to 6M");
    for (uint32_t i = 0; i < 2; i++)
        half[i] = (struct segment){memory[i], (uint32_t)bytes, 0};
    server = sip_channel("log");
    for (;;) {
        struct sip_message message = sip_recv(server);
        if (message.error == ABI_ECLOSED)
            return 0;
        if (message.error)
            sip_fail("the log could not receive");
        int64_t error = answer(message);
        if (error && error != ABI_ECLOSED)
            sip_fail("the log could not answer");
    }
}
