/* Self-tests of the composed routines: their bytes against what the plan says about each pair. */
#include "compose.h"
#include "events.h"
#include "kernel.h"
#include "selftest_parts.h"
#include "x86.h"

#define PIECES(X)                                                                                  \
    X(switch_entry)                                                                                \
    X(switch_save)                                                                                 \
    X(switch_root) X(switch_stack) X(switch_load) X(switch_lstar) X(ring3_note) X(call_entry)      \
        X(call_stack) X(call_number) X(call_function) X(call_back) X(call_tail) X(call_unknown)
#define X(name) extern const uint8_t piece_##name[], piece_##name##_end[];
PIECES(X)
#undef X
#define PIECE(name) ((struct fragment){piece_##name, piece_##name##_end})

FRAGMENT(key_load, "wrpkru");
FRAGMENT(state_save, "fxsave64 (%rax)");
FRAGMENT(state_load, "fxrstor64 (%rax)");

static uint64_t bytes_of(struct fragment fragment) {
    return (uint64_t)(fragment.end - fragment.start);
}

/* How often a fragment is in a piece of code. */
static uint32_t count(struct fragment in, struct fragment of) {
    uint32_t found = 0;
    for (const uint8_t *at = in.start; at + bytes_of(of) <= in.end; at++)
        found += !memcmp(at, of.start, bytes_of(of));
    return found;
}

/* From its first byte to the end of the piece that ends each of them. */
static struct fragment routine(const void *code) {
    const uint8_t *end = code;
    while (memcmp(end, piece_switch_load, bytes_of(PIECE(switch_load))))
        end++;
    return (struct fragment){code, end + bytes_of(PIECE(switch_load))};
}

/* The target of a branch whose 32-bit distance is at `field`. */
static const uint8_t *target(const uint8_t *field) {
    int32_t distance;
    memcpy(&distance, field, sizeof distance);
    return field + sizeof distance + distance;
}

/* ---- pairs ---- */

static bool on_switch_wanted(const struct compose_pair *pair, uint64_t bit) {
    uint64_t kernel = mechanisms_of(plan_at(kernel_plan, kernel_plan->domains));
    return !pair->same && (pair->from_has | pair->to_has) & bit & ~mechanisms_simulated &&
           !(kernel & MECHANISM(ON_RING3) && pair->to->ring != 3);
}

static const char *check_pair(const struct compose_pair *pair, const void *code) {
    static const struct mechanism *const actions[MECHANISM_COUNT] = {
#define X(id, ...) [MECHANISM_##id] = &mechanism_##id,
        MECHANISMS(X)
#undef X
    };
    struct fragment whole = routine(code);
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (actions[i]->on_switch)
            CHECK(count(whole, *actions[i]->on_switch) == on_switch_wanted(pair, 1ull << i));
    bool roots = !pair->same &&
                 (pair->from->space != PLAN_SPACE_KERNEL || pair->to->space != PLAN_SPACE_KERNEL);
    CHECK(count(whole, PIECE(switch_root)) == roots);
    CHECK(count(whole, key_load) == (!pair->same && pair->to->ring == 3 &&
                                     pair->to_has & MECHANISM(PKU) & ~mechanisms_simulated));
    bool eager = mechanisms_used & MECHANISM(FPU_EAGER) & ~mechanisms_simulated;
    CHECK(count(whole, state_save) == eager && count(whole, state_load) == eager);
    if (pair->same || pair->to->ring != 3)
        CHECK(count(whole, PIECE(switch_lstar)) == 0);
    return NULL;
}

/* ---- without mechanisms: the fixed pieces and the counts, and not a byte besides ---- */

static const uint8_t *cursor;

static bool next(struct fragment piece) {
    bool is = !memcmp(cursor, piece.start, bytes_of(piece));
    cursor += bytes_of(piece);
    return is;
}
static bool next_count(enum result_event event) {
    uint32_t address = (uint32_t)(uint64_t)&events[event], got;
    memcpy(&got, cursor + 4, sizeof got);
    bool is = cursor[0] == 0x48 && cursor[1] == 0xff && cursor[2] == 0x04 && cursor[3] == 0x25;
    cursor += 8;
    return is && got == address;
}

static const char *check_bare_pair(const struct compose_pair *pair, const void *code) {
    cursor = code;
    CHECK(next(PIECE(switch_entry)) && next(PIECE(switch_save)));
    if (!pair->same &&
        (pair->from->space != PLAN_SPACE_KERNEL || pair->to->space != PLAN_SPACE_KERNEL))
        CHECK(next_count(EVENT_TABLE_SWITCHES) && next_count(EVENT_TLB_FLUSHES) &&
              next(PIECE(switch_root)));
    CHECK(next(PIECE(switch_stack)) && next(PIECE(switch_load)));
    return NULL;
}

static const char *check_bare_call(uint64_t code) {
    cursor = (const uint8_t *)code;
    CHECK(next(PIECE(call_entry)) && next(PIECE(call_stack)) && next(PIECE(call_number)));
    const uint8_t *unknown = target(cursor + 2);
    CHECK(cursor[0] == 0x0f && cursor[1] == 0x83);
    cursor += 6;
    CHECK(next(PIECE(call_function)));
    const uint8_t *back = cursor;
    CHECK(next(PIECE(call_back)) && next(PIECE(call_tail)));
    CHECK(cursor == unknown && next(PIECE(call_unknown)));
    CHECK(cursor[0] == 0xe9 && target(cursor + 1) == back);
    return NULL;
}

static const char *check_either(const struct compose_pair *pair, const void *code) {
    const char *failure = check_pair(pair, code);
    return failure || mechanisms_used ? failure : check_bare_pair(pair, code);
}

/* One domain for each SIP of the rule: a comparison that leads to one of two routines. */
static const char *check_pair_per_sip(struct compose_pair *pair, const uint8_t *code) {
    while (code[0] != 0x0f || code[1] != 0x84)
        code++;
    const char *failure = check_either(pair, target(code + 2));
    CHECK(code[6] == 0xe9);
    pair->same = false;
    return failure ? failure : check_either(pair, target(code + 7));
}

const char *test_composed(void) {
    const struct plan_domain *list = plan_at(kernel_plan, kernel_plan->domains);
    uint32_t domains = kernel_plan->domains.count;
    const char *failure = NULL;
    for (uint32_t i = 0; !failure && i < domains * domains; i++) {
        const struct plan_domain *from = &list[i / domains], *to = &list[i % domains];
        struct compose_pair pair = {from, to, mechanisms_of(from), mechanisms_of(to), from == to};
        const void *code = (const void *)switch_table[i / domains][i % domains];
        failure = from == to && from->per_sip ? check_pair_per_sip(&pair, code)
                                              : check_either(&pair, code);
    }
    for (uint32_t i = 0; !failure && i < domains; i++)
        if (list[i].ring == 3 && !mechanisms_used)
            failure = check_bare_call(call_entry_table[i]);
    return failure;
}
