/* See flows.h. Checksums are computed whole here, routes are looked for one after the other. */
#include "flows.h"
#include <string.h>

enum flaw {
    FLAWS_NONE = 4, /* so many flaws there are; other draws make none */
    FLAW_ETHERTYPE = 0,
    FLAW_LENGTH,
    FLAW_PROTOCOL,
    FLAW_CHECKSUM,
};
#define FLAW_ONE_IN 16u
#define ETHERTYPE_IPV6 0x86ddu
#define PROTOCOL_TCP 6u

struct header { /* of a packet, in this machine's byte order */
    uint16_t type, length;
    uint8_t service, ttl, protocol;
    uint32_t source, destination;
    uint16_t source_port, destination_port;
};
struct flow {
    struct header header;
    uint32_t flaw;
    uint32_t verdict, hop; /* as a note has them */
    bool known;            /* `arrives` is written */
    uint8_t packet[PACKET_BYTES], arrives[PACKET_BYTES];
};

static struct rules rules;
static struct flow flows[PACKET_FLOWS];
static uint32_t counts[HOPS + 1];
static uint32_t translated;

/* ---- bytes ---- */

static void put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}
static void put32(uint8_t *at, uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* RFC 1071 over whole 16-bit words, from `sum` on. */
static uint32_t checksum(const uint8_t *bytes, uint32_t count, uint32_t sum) {
    for (uint32_t i = 0; i < count; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* The headers, before the data that are there already. */
static void write_packet(uint8_t *packet, const struct header *header) {
    memset(packet, 0, PACKET_DATA);
    put16(packet + PACKET_ETHERTYPE, header->type);
    put16(packet + PACKET_VERSION, VERSION_AND_LENGTH << 8 | header->service);
    put16(packet + PACKET_LENGTH, header->length);
    put16(packet + PACKET_TTL, (uint32_t)header->ttl << 8 | header->protocol);
    put32(packet + PACKET_SOURCE, header->source);
    put32(packet + PACKET_DESTINATION, header->destination);
    put16(packet + PACKET_SOURCE_PORT, header->source_port);
    put16(packet + PACKET_DESTINATION_PORT, header->destination_port);
    put16(packet + PACKET_UDP_LENGTH, UDP_BYTES);
    put16(packet + PACKET_IP_CHECKSUM,
          checksum(packet + PACKET_VERSION, PACKET_SOURCE_PORT - PACKET_VERSION, 0));
    uint32_t pseudo = PROTOCOL_UDP + UDP_BYTES; /* and both addresses, which lie before the ports */
    uint32_t sum = checksum(packet + PACKET_SOURCE, PACKET_BYTES - PACKET_SOURCE, pseudo);
    put16(packet + PACKET_UDP_CHECKSUM, sum ? sum : 0xffff);
}

/* ---- what is sent ---- */

static void draw_flow(struct flow *flow, uint32_t number, uint64_t *state) {
    static const uint16_t ports[] = {53, 80, 443, 4789, 8080, 60000};
    uint32_t bits = (uint32_t)(packet_draw(state) >> 32);
    const struct route *route = &rules.route[bits % ROUTES];
    flow->flaw = (bits >> 8) % (FLAW_ONE_IN * FLAWS_NONE);
    flow->header = (struct header){
        .type = ETHERTYPE_IPV4,
        .length = IP_BYTES,
        .ttl = (uint8_t)(bits >> 16) % 64,
        .protocol = PROTOCOL_UDP,
        .source = 0x0a000000u | (uint32_t)(packet_draw(state) >> 40),
        .destination = (uint32_t)(packet_draw(state) >> 32),
        .source_port = (uint16_t)(2048 + number * 16 + (bits >> 24) % 16), /* no other flow's */
        .destination_port = ports[(bits >> 28) % (sizeof ports / sizeof *ports)],
    };
    if (number % 32) /* the others go anywhere, mostly to where no route leads */
        flow->header.destination = route->prefix | flow->header.destination >> route->length;
    if (flow->flaw == FLAW_ETHERTYPE)
        flow->header.type = ETHERTYPE_IPV6;
    if (flow->flaw == FLAW_LENGTH)
        flow->header.length--;
    if (flow->flaw == FLAW_PROTOCOL)
        flow->header.protocol = PROTOCOL_TCP;
    for (uint32_t at = PACKET_DATA; at < PACKET_BYTES; at++)
        flow->packet[at] = (uint8_t)(packet_draw(state) >> 56);
    write_packet(flow->packet, &flow->header);
    if (flow->flaw == FLAW_CHECKSUM)
        flow->packet[PACKET_IP_CHECKSUM] ^= 1;
}

void flows_start(uint64_t seed) {
    uint64_t state = seed * 2 + 1;
    packet_rules(&rules, seed);
    for (uint32_t i = 0; i < PACKET_FLOWS; i++)
        draw_flow(&flows[i], i, &state);
}

const uint8_t *flow_packet(uint32_t flow) { return flows[flow].packet; }

/* ---- what arrives ---- */

static bool may_pass(const struct header *header) {
    for (uint32_t i = 0; i < RULES; i++) {
        const struct rule *rule = &rules.rule[i];
        if (!((header->source ^ rule->source) & rule->source_mask) &&
            !((header->destination ^ rule->destination) & rule->destination_mask) &&
            header->destination_port >= rule->port_low &&
            header->destination_port <= rule->port_high)
            return rule->pass;
    }
    return true;
}

static uint32_t find_hop(uint32_t destination) {
    uint32_t hop = 0; /* longer prefixes come later */
    for (uint32_t i = 0; i < ROUTES; i++)
        if (!((destination ^ rules.route[i].prefix) >> (32 - rules.route[i].length)))
            hop = rules.route[i].hop;
    return hop;
}

static uint32_t dropped_by(enum packet_function function) { return (uint32_t)function + 1; }

/* Makes the header what it is when the packet arrives. */
static void follow(struct flow *flow, struct header *header) {
    if (flow->flaw < FLAWS_NONE)
        flow->verdict = dropped_by(PACKET_PARSE);
    else if (!may_pass(header))
        flow->verdict = dropped_by(PACKET_FILTER);
    else if (header->ttl <= 1)
        flow->verdict = dropped_by(PACKET_AGE);
    if (flow->verdict)
        return;
    header->ttl--;
    flow->hop = find_hop(header->destination);
    if (!flow->hop) {
        flow->verdict = dropped_by(PACKET_ROUTE);
        return;
    }
    header->source = NAT_ADDRESS;
    header->source_port = (uint16_t)(NAT_FIRST_PORT + translated++);
    header->service = header->destination_port < MARK_PORTS ? MARK_LOW : MARK_HIGH;
}

static void write_arrives(struct flow *flow) {
    struct header header = flow->header;
    flow->known = true;
    follow(flow, &header);
    memcpy(flow->arrives, flow->packet, PACKET_BYTES);
    if (flow->verdict && flow->verdict <= dropped_by(PACKET_AGE))
        return;
    write_packet(flow->arrives, &header);
    if (flow->verdict)
        return;
    put32(flow->arrives + PACKET_TO, MAC_HIGH);
    put16(flow->arrives + PACKET_TO + 4, flow->hop);
    put32(flow->arrives + PACKET_FROM, MAC_HIGH);
    put16(flow->arrives + PACKET_FROM + 4, 1u << 8 | flow->hop);
}

uint64_t flow_sum_add(uint64_t sum, uint32_t number) {
    struct flow *flow = &flows[number];
    if (!flow->known)
        write_arrives(flow);
    uint64_t count = flow->verdict ? 0 : ++counts[flow->hop];
    sum = packet_sum_add(sum, count << 32 | flow->hop << 16 | flow->verdict);
    for (uint32_t at = 0; at < PACKET_BYTES; at += 8) {
        uint64_t word;
        memcpy(&word, flow->arrives + at, sizeof word);
        sum = packet_sum_add(sum, word);
    }
    return sum;
}
