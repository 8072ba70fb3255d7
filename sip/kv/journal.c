/* See journal.h. */
#include "journal.h"
#include "kv_block.h"
#include "log_contract.h"
#include "table.h"

static sip_endpoint journal;
static uint64_t records; /* written so far */
static uint64_t size;

static struct sip_message hear(void) {
    struct sip_message message = sip_recv(journal);
    if (message.error)
        sip_fail("the log has gone");
    return message;
}

/* False: the log is full. */
static bool append(uint64_t sequence, struct table_text key, struct table_text value) {
    uint32_t bytes = key.count + value.count;
    sip_handle block = kv_block(journal, 0, LOG_APPEND_MIN_BYTES + bytes);
    log_append_write_data(block, 0, key.bytes, key.count);
    log_append_write_data(block, key.count, value.bytes, value.count);
    if (log_send_append(journal, block, sequence, key.count, bytes))
        sip_fail("the log could not be asked");
    struct sip_message answer = hear();
    sip_block_free(answer.handle);
    return answer.type == LOG_DONE;
}

static uint64_t turn(uint32_t type) {
    if (sip_send(journal, kv_block(journal, 0, LOG_DONE_MAX_BYTES), type, 0))
        sip_fail("the log could not be asked");
    struct sip_message answer = hear();
    uint64_t used = log_done_get_used(answer.handle);
    sip_block_free(answer.handle);
    return used;
}

static void rewrite(void) {
    turn(LOG_REWRITE);
    if (!table_each(append) || turn(LOG_COMMIT) > size / 2)
        sip_fail("param 'log-bytes' is less than twice what the table takes");
}

uint64_t journal_next(void) { return records + 1; }

void journal_append(const void *key, uint32_t key_bytes, const void *value, uint32_t value_bytes) {
    struct table_text name = {key, key_bytes}, content = {value, value_bytes};
    if (!append(++records, name, content))
        rewrite(); /* with this one, as the table has it */
}

bool journal_replay(void) {
    static uint8_t data[TABLE_MAX_KEY + TABLE_MAX_VALUE];
    uint64_t position = 0;
    bool whole = true;
    for (;;) {
        if (log_send_read(journal, kv_block(journal, 0, LOG_READ_MAX_BYTES), position))
            sip_fail("the log could not be asked");
        struct sip_message answer = hear();
        if (answer.type != LOG_RECORD) {
            whole = answer.type == LOG_END;
            sip_block_free(answer.handle);
            break;
        }
        uint32_t bytes = log_record_get_data_bytes(answer.handle);
        uint32_t key_bytes = log_record_get_key_bytes(answer.handle);
        position = log_record_get_next(answer.handle);
        if (bytes > sizeof data || key_bytes > TABLE_MAX_KEY || key_bytes > bytes)
            sip_fail("the log has a record that was never written");
        log_record_read_data(answer.handle, 0, data, bytes);
        sip_block_free(answer.handle);
        if (!replayed_set(data, key_bytes, data + key_bytes, bytes - key_bytes))
            sip_fail("no memory to replay the log");
    }
    return replayed_end() && whole;
}

void journal_start(void) {
    journal = sip_channel("log");
    size = (uint64_t)sip_param("log-bytes", 4 << 20);
}
