/*
 * The key-value server: GET, SET, DBSIZE and PING of Redis, and two of its DEBUG commands: DIGEST tells
 * the sum of the whole table, LOADAOF replays the log and compares. A SET is answered when it is in the
 * table and in the log. Whoever was served last is looked at last.
 */
#include "journal.h"
#include "kv_block.h"
#include "kv_contract.h"
#include "resp.h"
#include "table.h"

#include <string.h>

#define CLIENTS 4u

_Static_assert(RESP_MAX_BULK == TABLE_MAX_VALUE, "every value can be told");

static sip_endpoint clients[CLIENTS];
static uint32_t count;
static char text[KV_REQUEST_MAX_BYTES]; /* of the request */

static char *answer_get(char *to, struct resp_text key) {
    uint32_t bytes;
    const uint8_t *value = table_get(key.text, key.bytes, &bytes);
    return value ? resp_write_bulk(to, value, bytes) : resp_write_null(to);
}

static char *answer_set(char *to, struct resp_text key, struct resp_text value) {
    if (key.bytes > TABLE_MAX_KEY)
        return resp_write_error(to, "ERR the key is too long");
    if (!table_set(key.text, key.bytes, value.text, value.bytes, journal_next()))
        return resp_write_error(to, "OOM no memory for another key");
    journal_append(key.text, key.bytes, value.text, value.bytes);
    return resp_write_status(to, "OK");
}

static char *answer_debug(char *to, struct resp_text what) {
    if (resp_is(what, "DIGEST")) {
        char digits[17] = "";
        uint64_t digest = table_digest();
        for (uint32_t i = 0; i < 16; i++, digest <<= 4)
            digits[i] = "0123456789abcdef"[digest >> 60];
        return resp_write_status(to, digits);
    }
    if (resp_is(what, "LOADAOF"))
        return journal_replay()
                   ? resp_write_status(to, "OK")
                   : resp_write_error(to, "ERR the log does not lead to what is in the table");
    return resp_write_error(to, "ERR unknown subcommand");
}

/* Where the reply ends that is written at `to`. */
static char *answer(char *to, const struct resp_command *command) {
    const struct resp_text *part = command->part;
    if (command->count == 2 && resp_is(part[0], "GET"))
        return answer_get(to, part[1]);
    if (command->count == 3 && resp_is(part[0], "SET"))
        return answer_set(to, part[1], part[2]);
    if (command->count == 1 && resp_is(part[0], "DBSIZE"))
        return resp_write_number(to, table_count());
    if (command->count == 1 && resp_is(part[0], "PING"))
        return resp_write_status(to, "PONG");
    if (command->count == 2 && resp_is(part[0], "DEBUG"))
        return answer_debug(to, part[1]);
    return resp_write_error(to, "ERR unknown command or wrong number of arguments");
}

static void serve(sip_endpoint client, sip_handle request) {
    static char reply[KV_REPLY_MAX_BYTES];
    struct resp_command command;
    uint32_t bytes = kv_request_get_resp_bytes(request);
    kv_request_read_resp(request, 0, text, bytes);
    char *end = resp_read_command(text, bytes, &command)
                    ? answer(reply, &command)
                    : resp_write_error(reply, "ERR Protocol error");
    bytes = (uint32_t)(end - reply);
    request = kv_block(client, request, bytes);
    kv_reply_write_resp(request, 0, reply, bytes);
    if (kv_send_reply(client, request, bytes))
        sip_block_free(request); /* the client has gone meanwhile */
}

static void put_last(uint32_t served, bool stays) {
    sip_endpoint client = clients[served];
    memmove(&clients[served], &clients[served + 1], (count - served - 1) * sizeof *clients);
    if (stays)
        clients[count - 1] = client;
    else
        count--;
}

int sip_main(void) {
    char name[] = "client1";
    for (count = 0; count < CLIENTS; count++, name[6]++)
        clients[count] = sip_channel(name);
    journal_start();
    while (count) {
        int64_t ready = sip_wait_any(clients, count);
        if (ready < 0)
            sip_fail("the server cannot wait");
        struct sip_message message = sip_recv(clients[ready]);
        if (!message.error)
            serve(clients[ready], message.handle);
        else if (message.error == ABI_ECLOSED)
            sip_close(clients[ready]);
        else
            sip_fail("the server could not receive");
        put_last((uint32_t)ready, !message.error);
    }
    return 0;
}
