/* Self-tests of the composed routines: their bytes against what the plan says about each pair. */
#include "compose.h"
#include "events.h"
#include "kernel.h"
#include "selftest_parts.h"
#include "x86.h"

/* Of pieces.S. */
extern const uint8_t piece_switch_entry[], piece_switch_entry_end[];
extern const uint8_t piece_switch_save[], piece_switch_save_end[];
extern const uint8_t piece_switch_root[], piece_switch_root_end[];
extern const uint8_t piece_switch_stack[], piece_switch_stack_end[];
extern const uint8_t piece_switch_load[], piece_switch_load_end[];
extern const uint8_t piece_switch_lstar[], piece_switch_lstar_end[];
extern const uint8_t piece_call_entry[], piece_call_entry_end[];
extern const uint8_t piece_call_stack[], piece_call_stack_end[];
extern const uint8_t piece_call_number[], piece_call_number_end[];
extern const uint8_t piece_call_function[], piece_call_function_end[];
extern const uint8_t piece_call_back[], piece_call_back_end[];
extern const uint8_t piece_call_tail[], piece_call_tail_end[];
extern const uint8_t piece_call_unknown[], piece_call_unknown_end[];
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

/* How often a routine adds to an event. */
static uint32_t counts(struct fragment in, enum result_event event) {
    uint32_t address = (uint32_t)(uint64_t)&events[event];
    uint8_t code[8] = {0x48, 0xff, 0x04, 0x25}; /* incq address */
    memcpy(code + 4, &address, sizeof address);
    return count(in, (struct fragment){code, code + sizeof code});
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
    return !pair->same && (pair->from_has | pair->to_has) & bit &&
           !(kernel & MECHANISM(ON_RING3) && pair->to->ring != 3);
}

static const char *check_pair(const struct compose_pair *pair, const void *code) {
    static const struct mechanism *const actions[MECHANISM_COUNT] = {
#define X(id, ...) [MECHANISM_##id] = &mechanism_##id,
        MECHANISMS(X)
#undef X
    };
    struct fragment whole = routine(code);
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        if (!actions[i]->on_switch)
            continue;
        bool wanted = on_switch_wanted(pair, 1ull << i);
        bool simulated = mechanisms_simulated >> i & 1;
        CHECK(count(whole, *actions[i]->on_switch) == (wanted && !simulated));
        CHECK(counts(whole, actions[i]->event) == wanted);
    }
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
    cursor += 8;
    return counts((struct fragment){cursor - 8, cursor}, event) == 1;
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
