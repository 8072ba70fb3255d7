/*
 * What source, stages and sink agree on: how packets lie in a message, the rules that they are treated
 * by, and how they are added up. All of it follows from the run's seed.
 */
#ifndef BULKHEAD_PACKET_H
#define BULKHEAD_PACKET_H

#include "sip/lib/sip.h"

#define PACKET_BYTES 64u /* Ethernet, IPv4, UDP and 22 bytes of data; no frame check sequence */
#define PACKET_MAX_BATCH 32u
#define PACKET_FLOWS 256u

/* In a message each packet follows a word of its own, as a descriptor follows a buffer in a driver. */
#define PACKET_NOTE_VERDICT 0u /* 16 bits: 0, or 1 + the function that dropped it */
#define PACKET_NOTE_HOP 2u     /* 16 bits: where to, from 1; 0: not known */
#define PACKET_NOTE_COUNT 4u   /* 32 bits: how many went there, this one included */
#define PACKET_NOTE_BYTES 8u
#define PACKET_SLOT_BYTES (PACKET_NOTE_BYTES + PACKET_BYTES)

/* Offsets in a packet: RFC 894, RFC 791 (3.1), RFC 768. Numbers are big-endian. */
#define PACKET_TO 0u /* Ethernet addresses */
#define PACKET_FROM 6u
#define PACKET_ETHERTYPE 12u
#define PACKET_VERSION 14u /* and header length; then the type of service */
#define PACKET_LENGTH 16u
#define PACKET_TTL 22u /* then the protocol */
#define PACKET_PROTOCOL 23u
#define PACKET_IP_CHECKSUM 24u
#define PACKET_SOURCE 26u
#define PACKET_DESTINATION 30u
#define PACKET_SOURCE_PORT 34u
#define PACKET_DESTINATION_PORT 36u
#define PACKET_UDP_LENGTH 38u
#define PACKET_UDP_CHECKSUM 40u
#define PACKET_DATA 42u

#define ETHERTYPE_IPV4 0x0800u
#define VERSION_AND_LENGTH 0x45u
#define PROTOCOL_UDP 17u
#define IP_BYTES (PACKET_BYTES - PACKET_VERSION)
#define UDP_BYTES (PACKET_BYTES - PACKET_SOURCE_PORT)

/* What is done to each packet, in this order, spread over the stages. */
enum packet_function {
    PACKET_PARSE,     /* Ethernet, IPv4 and UDP headers are whole and the header's sum is right */
    PACKET_FILTER,    /* an access list, the first rule that matches */
    PACKET_AGE,       /* TTL less one, checksum by RFC 1624 */
    PACKET_ROUTE,     /* the longest prefix that matches says where to */
    PACKET_TRANSLATE, /* NAT: another source address and port, both checksums by RFC 1624 */
    PACKET_MARK,      /* type of service by destination port */
    PACKET_ADDRESS,   /* Ethernet addresses of the next hop */
    PACKET_COUNT,     /* by next hop */
    PACKET_FUNCTIONS
};

#define RULES 16u
struct rule { /* matches and says whether it may pass */
    uint32_t source, source_mask, destination, destination_mask;
    uint16_t port_low, port_high;
    bool pass;
};

#define ROUTES 64u
#define HOPS 15u
struct route {
    uint32_t prefix;
    uint8_t length; /* 8, 16 or 24; short ones come first */
    uint8_t hop;    /* from 1 */
};

#define NAT_ADDRESS 0xcb007101u /* 203.0.113.1 */
#define NAT_FIRST_PORT 1024u    /* then in the order in which flows appear */
#define MARK_PORTS 1024u        /* below: the first of these */
#define MARK_LOW 0xb8u          /* expedited forwarding, RFC 3246 */
#define MARK_HIGH 0x28u         /* assured forwarding 11, RFC 2597 */
#define MAC_HIGH 0x02000000u    /* of 02:00:00:00:xx:hop; xx is 0 to the hop, 1 from here */

struct rules {
    struct rule rule[RULES];
    struct route route[ROUTES];
};
void packet_rules(struct rules *rules, uint64_t seed);

static inline uint64_t packet_draw(uint64_t *state) { /* xorshift64*, Vigna 2016 */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

/* FNV-1a, eight bytes a step, over all packets in their order and their notes. */
#define PACKET_SUM_START 0xcbf29ce484222325ull
static inline uint64_t packet_sum_add(uint64_t sum, uint64_t word) {
    return (sum ^ word) * 0x100000001b3ull;
}

/* A param from 1 to `most`; the run fails with `otherwise` where it is not. */
static inline uint32_t packet_param(const char *name, int64_t fallback, int64_t most,
                                    const char *otherwise) {
    int64_t value = sip_param(name, fallback);
    if (value < 1 || value > most)
        sip_fail(otherwise);
    return (uint32_t)value;
}

#endif
