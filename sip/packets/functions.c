/*
 * What network functions do to a packet, in place and field by field. Each returns whether the packet
 * may go on; one that may not stays in its batch, marked, and is left alone from there.
 */
#include "functions.h"

#define NODES (1u + ROUTES)
#define TRANSLATIONS 512u /* a power of two; no more flows than half of it */

struct node { /* of the routes: one byte of an address */
    uint8_t hop[256];
    uint8_t child[256];
};
struct translation {
    uint32_t address;
    uint16_t port, to; /* 0: none here */
};

static struct rules rules;
static struct node nodes[NODES];
static uint32_t node_count = 1;
static struct translation translations[TRANSLATIONS];
static uint16_t translation_count;
static uint32_t counts[HOPS + 1];

/* ---- fields; `at` is where the packet begins in the message ---- */

static uint32_t get16(sip_handle batch, uint32_t at) {
    return __builtin_bswap16(sip_msg_ld16(batch, at));
}
static void put16(sip_handle batch, uint32_t at, uint32_t value) {
    sip_msg_st16(batch, at, __builtin_bswap16((uint16_t)value));
}
static uint32_t get32(sip_handle batch, uint32_t at) {
    return __builtin_bswap32(sip_msg_ld32(batch, at));
}
static void put32(sip_handle batch, uint32_t at, uint32_t value) {
    sip_msg_st32(batch, at, __builtin_bswap32(value));
}

static uint32_t fold(uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'), here for one or more 16-bit words in one sum. */
static uint32_t checksum_update(uint32_t checksum, uint32_t from, uint32_t to) {
    return ~fold((~checksum & 0xffff) + (~from & 0xffff) + to) & 0xffff;
}

/* Replaces a field of the IP header and keeps its checksum right. */
static void replace16(sip_handle batch, uint32_t at, uint32_t field, uint32_t value) {
    uint32_t sum = get16(batch, at + PACKET_IP_CHECKSUM);
    put16(batch, at + PACKET_IP_CHECKSUM, checksum_update(sum, get16(batch, at + field), value));
    put16(batch, at + field, value);
}

/* ---- the functions ---- */

static bool parse(sip_handle batch, uint32_t at) {
    uint32_t sum = 0;
    if (get16(batch, at + PACKET_ETHERTYPE) != ETHERTYPE_IPV4 ||
        sip_msg_ld8(batch, at + PACKET_VERSION) != VERSION_AND_LENGTH ||
        get16(batch, at + PACKET_LENGTH) != IP_BYTES ||
        sip_msg_ld8(batch, at + PACKET_PROTOCOL) != PROTOCOL_UDP)
        return false;
    for (uint32_t field = PACKET_VERSION; field < PACKET_SOURCE_PORT; field += 2)
        sum += get16(batch, at + field);
    return fold(sum) == 0xffff && get16(batch, at + PACKET_UDP_LENGTH) == UDP_BYTES;
}

static bool filter(sip_handle batch, uint32_t at) {
    uint32_t source = get32(batch, at + PACKET_SOURCE);
    uint32_t destination = get32(batch, at + PACKET_DESTINATION);
    uint32_t port = get16(batch, at + PACKET_DESTINATION_PORT);
    for (const struct rule *rule = rules.rule; rule < rules.rule + RULES; rule++)
        if ((source & rule->source_mask) == rule->source &&
            (destination & rule->destination_mask) ==
                (rule->destination & rule->destination_mask) &&
            port >= rule->port_low && port <= rule->port_high)
            return rule->pass;
    return true;
}

static bool age(sip_handle batch, uint32_t at) {
    uint32_t word = get16(batch, at + PACKET_TTL);
    if (word >> 8 <= 1)
        return false;
    replace16(batch, at, PACKET_TTL, word - 0x100);
    return true;
}

static bool route(sip_handle batch, uint32_t at) {
    uint32_t destination = get32(batch, at + PACKET_DESTINATION), hop = 0, node = 0;
    for (uint32_t level = 0; level < 3; level++, destination <<= 8) {
        uint32_t byte = destination >> 24;
        if (nodes[node].hop[byte])
            hop = nodes[node].hop[byte];
        node = nodes[node].child[byte];
        if (!node)
            break;
    }
    sip_msg_st16(batch, at - PACKET_NOTE_BYTES + PACKET_NOTE_HOP, (uint16_t)hop);
    return hop != 0;
}

/* The port that a flow is given, the same each time; 0: there are too many flows. */
static uint32_t translation_find(uint32_t address, uint32_t port) {
    uint32_t place = (address ^ port * 0x9e3779b1u) * 0x85ebca6bu >> 23;
    for (;; place = (place + 1) % TRANSLATIONS) {
        struct translation *translation = &translations[place];
        if (translation->to && translation->address == address && translation->port == port)
            return translation->to;
        if (translation->to)
            continue;
        if (translation_count == TRANSLATIONS / 2)
            return 0;
        *translation = (struct translation){address, (uint16_t)port,
                                            (uint16_t)(NAT_FIRST_PORT + translation_count++)};
        return translation->to;
    }
}

static bool translate(sip_handle batch, uint32_t at) {
    uint32_t address = get32(batch, at + PACKET_SOURCE);
    uint32_t port = get16(batch, at + PACKET_SOURCE_PORT);
    uint32_t sum = get16(batch, at + PACKET_UDP_CHECKSUM), to = translation_find(address, port);
    if (!to)
        return false;
    sum = checksum_update(sum, address >> 16, NAT_ADDRESS >> 16);
    sum = checksum_update(sum, address & 0xffff, NAT_ADDRESS & 0xffff);
    sum = checksum_update(sum, port, to);
    put16(batch, at + PACKET_UDP_CHECKSUM, sum ? sum : 0xffff); /* RFC 768: 0 means none */
    put16(batch, at + PACKET_SOURCE_PORT, to);
    replace16(batch, at, PACKET_SOURCE, NAT_ADDRESS >> 16);
    replace16(batch, at, PACKET_SOURCE + 2, NAT_ADDRESS & 0xffff);
    return true;
}

static bool mark(sip_handle batch, uint32_t at) {
    bool low = get16(batch, at + PACKET_DESTINATION_PORT) < MARK_PORTS;
    replace16(batch, at, PACKET_VERSION, VERSION_AND_LENGTH << 8 | (low ? MARK_LOW : MARK_HIGH));
    return true;
}

static bool address(sip_handle batch, uint32_t at) {
    uint32_t hop = sip_msg_ld16(batch, at - PACKET_NOTE_BYTES + PACKET_NOTE_HOP);
    put32(batch, at + PACKET_TO, MAC_HIGH);
    put16(batch, at + PACKET_TO + 4, hop);
    put32(batch, at + PACKET_FROM, MAC_HIGH);
    put16(batch, at + PACKET_FROM + 4, 1u << 8 | hop);
    return true;
}

static bool count(sip_handle batch, uint32_t at) {
    uint32_t hop = sip_msg_ld16(batch, at - PACKET_NOTE_BYTES + PACKET_NOTE_HOP);
    if (hop > HOPS)
        return false;
    sip_msg_st32(batch, at - PACKET_NOTE_BYTES + PACKET_NOTE_COUNT, ++counts[hop]);
    return true;
}

typedef bool function(sip_handle batch, uint32_t at);
static function *const functions[PACKET_FUNCTIONS] = {
    [PACKET_PARSE] = parse,     [PACKET_FILTER] = filter,       [PACKET_AGE] = age,
    [PACKET_ROUTE] = route,     [PACKET_TRANSLATE] = translate, [PACKET_MARK] = mark,
    [PACKET_ADDRESS] = address, [PACKET_COUNT] = count,
};

void functions_apply(sip_handle batch, uint32_t packets, uint32_t first, uint32_t end) {
    for (uint32_t which = first; which < end; which++)
        for (uint32_t note = 0; packets * PACKET_SLOT_BYTES > note; note += PACKET_SLOT_BYTES)
            if (!sip_msg_ld16(batch, note + PACKET_NOTE_VERDICT) &&
                !functions[which](batch, note + PACKET_NOTE_BYTES))
                sip_msg_st16(batch, note + PACKET_NOTE_VERDICT, (uint16_t)(which + 1));
}

/* ---- tables ---- */

/* Prefixes end at whole bytes, and longer ones come later. */
static void node_add(const struct route *route) {
    uint32_t node = 0, address = route->prefix;
    for (uint32_t length = 8; length < route->length; length += 8, address <<= 8) {
        uint8_t *child = &nodes[node].child[address >> 24];
        if (!*child)
            *child = (uint8_t)node_count++;
        node = *child;
    }
    nodes[node].hop[address >> 24] = route->hop;
}

void functions_start(uint64_t seed) {
    packet_rules(&rules, seed);
    for (uint32_t i = 0; i < ROUTES; i++)
        node_add(&rules.route[i]);
}
