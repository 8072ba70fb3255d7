/* What the stages of the HTTP pipeline have in common: taking messages and passing them on. */
#include "stage.h"
#include <string.h>

sip_handle stage_next(sip_endpoint from, enum stage_message type) {
    struct sip_message message = sip_recv(from);
    if (message.error == ABI_ECLOSED)
        return 0;
    if (message.error || message.type != type)
        sip_fail("a stage of the pipeline got what it does not know");
    return message.handle;
}

static bool is_within(struct stage_part part, uint32_t bytes) {
    return part.at <= bytes && part.bytes <= bytes - part.at;
}

uint32_t stage_request_read(sip_handle message, struct stage_request *request,
                            char text[STAGE_TEXT_MOST + 1]) {
    uint32_t bytes = sip_message_bytes(message) - (uint32_t)sizeof *request;
    if (bytes > STAGE_TEXT_MOST) /* or it is shorter than the structure */
        sip_fail("a request is longer or shorter than any can be");
    sip_msg_read(message, 0, request, sizeof *request);
    sip_msg_read(message, sizeof *request, text, bytes);
    text[bytes] = 0;
    if (!is_within(request->path, bytes) || !is_within(request->etag, bytes) ||
        !is_within(request->body, bytes))
        sip_fail("a request names a part that it does not have");
    return bytes;
}

void stage_request_pass(sip_endpoint to, sip_handle message, const struct stage_request *request) {
    sip_msg_write(message, 0, request, sizeof *request);
    int64_t error = sip_pass_on(to, message, STAGE_REQUEST, sip_message_bytes(message));
    if (error && error != ABI_ECLOSED)
        sip_fail("a request could not be passed on");
}

void stage_respond(sip_endpoint to, sip_handle request, const struct stage_response *response,
                   const void *body, uint32_t bytes) {
    sip_handle message = sip_block_for(to, sizeof *response + bytes);
    if (!message)
        sip_fail("no memory for a response");
    sip_message_set_word(message, sip_message_word(request));
    sip_block_free(request);
    sip_msg_write(message, 0, response, sizeof *response);
    sip_msg_write(message, sizeof *response, body, bytes);
    int64_t error = sip_send(to, message, STAGE_RESPONSE, sizeof *response + bytes);
    if (error && error != ABI_ECLOSED)
        sip_fail("a response could not be sent");
}
