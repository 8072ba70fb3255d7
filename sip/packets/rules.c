/* The access list and the routes of a seed. */
#include "packet.h"

static uint32_t mask_of(uint32_t length) { return ~0u << (32 - length); }

/* Some of each length, the longer ones inside of shorter ones. */
static void draw_routes(struct route *route, uint64_t *state) {
    static const struct {
        uint32_t from, to; /* places of this length */
        uint8_t length;
    } kinds[] = {{0, 8, 8}, {8, 32, 16}, {32, ROUTES, 24}};
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t at = kinds[i].from; at < kinds[i].to; at++) {
            uint32_t bits = (uint32_t)(packet_draw(state) >> 32), outer = 0;
            if (i) {
                uint32_t count = kinds[i - 1].to - kinds[i - 1].from;
                const struct route *around = &route[kinds[i - 1].from + at % count];
                outer = mask_of(around->length);
                bits = (bits & ~outer) | around->prefix;
            } else {
                bits = (16 + at * 24) << 24; /* no two the same, and none is 10/8 */
            }
            route[at] = (struct route){bits & mask_of(kinds[i].length), kinds[i].length,
                                       (uint8_t)(packet_draw(state) % HOPS + 1)};
        }
}

void packet_rules(struct rules *rules, uint64_t seed) {
    uint64_t state = seed * 2 + 1;
    draw_routes(rules->route, &state);
    for (uint32_t i = 0; i < RULES; i++)
        rules->rule[i] = (struct rule){
            .source = 0x0a000000u | i << 20,
            .source_mask = mask_of(12),
            .destination = rules->route[i % 8].prefix,
            .destination_mask = i % 2 ? mask_of(8) : 0,
            .port_low = i % 4 < 2 ? 0 : MARK_PORTS,
            .port_high = i % 4 < 2 ? MARK_PORTS - 1 : UINT16_MAX,
            .pass = i % 3 == 0,
        };
}
