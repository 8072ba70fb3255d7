/*
 * What travels through the HTTP pipeline: a request is its text behind a structure that the parser
 * fills in and the router adds to; a response is a body behind one that the compressor turns into a
 * head. The word of a message is the client's own number of the request.
 */
#ifndef BULKHEAD_HTTP_STAGE_H
#define BULKHEAD_HTTP_STAGE_H

#include "sip.h"

enum stage_message { /* types; the last is text as it would go over the wire */
    STAGE_REQUEST = 1,
    STAGE_RESPONSE,
    STAGE_ANSWER,
};

enum stage_method {
    STAGE_GET,
    STAGE_POST,
    STAGE_OTHER
};

enum stage_type {
    STAGE_HTML,
    STAGE_STYLE,
    STAGE_IMAGE,
    STAGE_TYPES
};

struct stage_part { /* of a request's text */
    uint16_t at, bytes;
};

struct stage_request { /* at the start of the payload; the text follows */
    uint16_t status;   /* 0, or what the router found wrong */
    uint8_t method;    /* enum stage_method */
    uint8_t gzip;      /* the client takes it */
    struct stage_part path, etag, body;
};

struct stage_response { /* at the start of the payload; the body follows */
    uint64_t etag;      /* 0: none */
    uint16_t status;
    uint8_t type;      /* enum stage_type */
    uint8_t gzip;      /* the client takes it */
    uint8_t cacheable; /* the same entity tag means the same body, again and again */
    uint8_t unused[3];
};

#define STAGE_TEXT_MOST 2048u  /* of a request */
#define STAGE_BODY_MOST 12288u /* of a response, not compressed */
#define STAGE_HEAD_MOST 512u   /* of an answer */
#define STAGE_MESSAGE_MOST (STAGE_HEAD_MOST + STAGE_BODY_MOST)
#define STAGE_WINDOW_MOST 32u /* the depth of all channels */

/* The next message of that type; nothing when the sender has gone. Fails the run on any other. */
sip_handle stage_next(sip_endpoint from, enum stage_message type);
/* The structure of a request, and its text with a 0 behind. Fails the run if it names what is not there. */
uint32_t stage_request_read(sip_handle message, struct stage_request *request,
                            char text[STAGE_TEXT_MOST + 1]);
/* Passes a request on whose structure has changed. */
void stage_request_pass(sip_endpoint to, sip_handle message, const struct stage_request *request);
/* Answers a request with a response, and frees the request. */
void stage_respond(sip_endpoint to, sip_handle request, const struct stage_response *response,
                   const void *body, uint32_t bytes);

#endif
