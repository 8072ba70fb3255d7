/*
 * Puts the routines together, once, while the kernel's text can still be written. Equal routines of
 * different pairs are one. What each mechanism adds is in mechanism/, the fixed parts are in pieces.S.
 */
#include "compose.h"
#include "events.h"
#include "kernel.h"
#include "thread.h"
#include "trap.h"
#include "x86.h"

#define ROUTINES 512

uint64_t mechanisms_used, mechanisms_simulated;
switch_routine *switch_table[PLAN_MAX_DOMAINS][PLAN_MAX_DOMAINS];
leave_routine *leave_table[PLAN_MAX_DOMAINS];
uint64_t call_entry_table[PLAN_MAX_DOMAINS], first_entry_table[PLAN_MAX_DOMAINS];
uint64_t trap_return;
void (*user_copy)(void *to, const void *from, uint64_t bytes);

static const struct mechanism *const mechanisms[MECHANISM_COUNT] = {
#define X(id, ...) [MECHANISM_##id] = &mechanism_##id,
    MECHANISMS(X)
#undef X
};
static uint32_t features; /* CPU_HAS(...) */
static uint64_t machine;  /* mechanisms of the machine, from the kernel's domain */

/* clang-format off */
#define PIECES(X) \
    X(switch_compare) X(switch_entry) X(switch_save) X(switch_root) X(switch_stack) \
    X(switch_load) X(leave_stack) X(leave_end) X(switch_lstar) X(ring3_compare) \
    X(ring3_note) X(call_entry) X(call_stack) X(call_number) X(call_function) X(call_back) \
    X(call_tail) X(call_unknown) X(first_entry) X(first_tail) X(trap_save) X(trap_call) \
    X(trap_load) X(trap_end) X(copy_entry) X(copy_bytes) X(copy_end)
/* clang-format on */
#define X(name) extern const uint8_t piece_##name[], piece_##name##_end[];
PIECES(X)
#undef X
#define PIECE(name) compose_code((struct fragment){piece_##name, piece_##name##_end})

extern uint8_t composed_code[], composed_code_end[]; /* entry.S */

/* ---- features and mechanisms ---- */

bool cpu_has(uint32_t wanted) { return (features & wanted) == wanted; }

static void features_read(void) {
    for (uint32_t i = 0; i < CPU_FEATURE_COUNT; i++)
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t leaf = cpu_feature_table[i].at[k].leaf, most[4], got[4];
            x86_cpuid(leaf & 0x80000000, 0, most);
            if (most[0] < leaf)
                continue;
            x86_cpuid(leaf, cpu_feature_table[i].at[k].subleaf, got);
            if (got[cpu_feature_table[i].at[k].reg] >> cpu_feature_table[i].at[k].bit & 1)
                features |= 1u << i;
        }
}

uint64_t mechanisms_of(const struct plan_domain *domain) { return domain->mechanisms | machine; }

static void mechanisms_read(const struct plan_header *plan) {
    const struct plan_domain *list = plan_at(plan, plan->domains);
    uint32_t lacking = 0;
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (mechanism_table[i].scope == SCOPE_MACHINE)
            machine |= list[0].mechanisms & 1ull << i;
    for (uint32_t i = 0; i < plan->domains.count; i++)
        mechanisms_used |= list[i].mechanisms;
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        if (!(mechanisms_used >> i & 1) || cpu_has(mechanism_table[i].features))
            continue;
        mechanisms_simulated |= 1ull << i;
        lacking |= mechanism_table[i].features & ~features;
    }
    kernel_result->cpu_features = features;
    if (!lacking)
        return;
    if (plan->flags & PLAN_SIMULATE) {
        kernel_result->simulated = mechanisms_simulated;
        return;
    }
    char names[160] = "";
    for (uint32_t i = 0; i < CPU_FEATURE_COUNT; i++)
        if (lacking >> i & 1)
            format_text(names + strlen(names), sizeof names - strlen(names), "%s%s",
                        names[0] ? ", " : "", cpu_feature_table[i].name);
    run_end(RESULT_UNAVAILABLE, "needs %s", names);
}

/* ---- code ---- */

static uint8_t *at = composed_code;

void compose_code(struct fragment fragment) {
    uint64_t bytes = (uint64_t)(fragment.end - fragment.start);
    ASSERT(bytes <= (uint64_t)(composed_code_end - at));
    memcpy(at, fragment.start, bytes);
    at += bytes;
}

void compose_unless_simulated(enum mechanism_id id, struct fragment fragment) {
    if (!(mechanisms_simulated >> id & 1))
        compose_code(fragment);
}

void compose_count(enum result_event event) {
    uint32_t address = (uint32_t)(uint64_t)&events[event];
    uint8_t code[8] = {0x48, 0xff, 0x04, 0x25}; /* incq address, sign-extended */
    memcpy(code + 4, &address, sizeof address);
    compose_code((struct fragment){code, code + sizeof code});
}

/* Points the 32 bits before `field_end` at a target. */
static void branch_to(uint8_t *field_end, const void *target) {
    int32_t distance = (int32_t)((const uint8_t *)target - field_end);
    memcpy(field_end - 4, &distance, sizeof distance);
}

/* A branch whose target is set later; returns the end of its field. */
static uint8_t *branch(uint8_t condition) {
    const uint8_t code[6] = {0x0f, condition, 0, 0, 0, 0};
    compose_code((struct fragment){code + (condition < 0x80 || condition > 0x8f), code + 6});
    return at;
}
#define BRANCH_JUMP 0xe9
#define BRANCH_CALL 0xe8
#define BRANCH_EQUAL 0x84     /* after 0x0f */
#define BRANCH_NOT_BELOW 0x83 /* likewise */

static uint8_t *routine_begin(enum result_routine_kind kind) {
    at = (uint8_t *)round_up((uint64_t)at, 16);
    struct result_map *map = &kernel_result->map;
    uint32_t offset = (uint32_t)(at - composed_code);
    if (map->routines && map->routine[map->routines - 1].offset == offset)
        map->routines--; /* that one was shared_code() */
    if (map->routines < RESULT_MAX_ROUTINES)
        map->routine[map->routines++] = (struct result_routine){offset, kind};
    return at;
}

static void at_point(enum compose_point point, const struct compose_pair *pair) {
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (mechanisms_used >> i & 1 && mechanisms[i]->compose)
            mechanisms[i]->compose(point, pair);
}

/* Routines made so far with what they were made for, so that equal ones are shared. */
static struct made {
    uint64_t from_has, to_has;
    uint32_t shape;
    const uint8_t *code;
} made[ROUTINES];
static uint32_t made_count;

static const uint8_t *made_find(const struct compose_pair *pair, uint32_t shape) {
    for (uint32_t i = 0; i < made_count; i++)
        if (made[i].from_has == pair->from_has && made[i].to_has == pair->to_has &&
            made[i].shape == shape)
            return made[i].code;
    return NULL;
}

static void made_note(const struct compose_pair *pair, uint32_t shape, const uint8_t *code) {
    if (made_count < ROUTINES)
        made[made_count++] = (struct made){pair->from_has, pair->to_has, shape, code};
}

/* ---- switches ---- */

static bool entries_differ;

static bool same_space(const struct compose_pair *pair) {
    return pair->same ||
           (pair->from->space == PLAN_SPACE_KERNEL && pair->to->space == PLAN_SPACE_KERNEL);
}

static void on_switch(const struct compose_pair *pair) {
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (mechanisms[i]->on_switch)
            wanted |= (pair->from_has | pair->to_has) & 1ull << i;
    bool ring3 = machine & MECHANISM(ON_RING3);
    uint8_t *over = NULL;
    if (!wanted || pair->same || (ring3 && pair->to->ring != 3))
        return;
    if (ring3) {
        PIECE(ring3_compare);
        over = branch(BRANCH_EQUAL);
        PIECE(ring3_note);
    }
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        if (!(wanted >> i & 1))
            continue;
        if (mechanisms[i]->event)
            compose_count(mechanisms[i]->event);
        compose_unless_simulated((enum mechanism_id)i, *mechanisms[i]->on_switch);
    }
    if (over)
        branch_to(over, at);
}

static void change_space(const struct compose_pair *pair) {
    if (same_space(pair))
        return;
    compose_count(EVENT_TABLE_SWITCHES);
    if (!(pair->to_has & MECHANISM(PCID)))
        compose_count(EVENT_TLB_FLUSHES);
    PIECE(switch_root);
}

static uint32_t pair_shape(const struct compose_pair *pair) {
    return pair->same | (uint32_t)same_space(pair) << 1 | pair->from->ring << 2 |
           pair->to->ring << 4;
}

static const uint8_t *compose_switch(const struct compose_pair *pair) {
    const uint8_t *found = made_find(pair, pair_shape(pair));
    if (found)
        return found;
    uint8_t *code = routine_begin(ROUTINE_SWITCH);
    PIECE(switch_entry);
    PIECE(switch_save);
    at_point(POINT_LEAVE, pair);
    change_space(pair);
    PIECE(switch_stack);
    at_point(POINT_ENTER, pair);
    on_switch(pair);
    if (entries_differ && pair->to->ring == 3 && !pair->same)
        PIECE(switch_lstar);
    PIECE(switch_load);
    made_note(pair, pair_shape(pair), code);
    return code;
}

/* Between SIPs from one domain of the plan that makes one for each: the same domain, or another. */
static const uint8_t *compose_switch_per_sip(const struct compose_pair *pair) {
    struct compose_pair one = *pair, other = *pair;
    one.same = true;
    other.same = false;
    const uint8_t *same = compose_switch(&one), *different = compose_switch(&other);
    uint8_t *code = routine_begin(ROUTINE_SWITCH);
    PIECE(switch_compare);
    branch_to(branch(BRANCH_EQUAL), same);
    branch_to(branch(BRANCH_JUMP), different);
    return code;
}

static const uint8_t *compose_leave(const struct compose_pair *pair) {
    uint32_t shape = pair_shape(pair) | 1u << 30;
    const uint8_t *found = made_find(pair, shape);
    if (found)
        return found;
    uint8_t *code = routine_begin(ROUTINE_LEAVE);
    PIECE(switch_entry);
    at_point(POINT_LEAVE, pair);
    change_space(pair);
    PIECE(leave_stack);
    at_point(POINT_ENTER, pair);
    on_switch(pair);
    PIECE(leave_end);
    branch_to(branch(BRANCH_CALL), thread_left);
    made_note(pair, shape, code);
    return code;
}

/* ---- ways into ring 3 and back ---- */

static const uint8_t *compose_call_entry(const struct compose_pair *pair) {
    uint8_t *code = routine_begin(ROUTINE_CALL);
    PIECE(call_entry);
    at_point(POINT_CALL_IN, pair);
    PIECE(call_stack);
    at_point(POINT_CALL_ON, pair);
    PIECE(call_number);
    uint8_t *unknown = branch(BRANCH_NOT_BELOW);
    PIECE(call_function);
    uint8_t *back = at;
    at_point(POINT_CALL_DONE, pair);
    PIECE(call_back);
    at_point(POINT_CALL_OUT, pair);
    PIECE(call_tail);
    branch_to(unknown, at);
    PIECE(call_unknown);
    branch_to(branch(BRANCH_JUMP), back);
    return code;
}

static const uint8_t *compose_first_entry(const struct compose_pair *pair) {
    uint8_t *code = routine_begin(ROUTINE_START);
    at_point(POINT_CALL_DONE, pair);
    PIECE(first_entry);
    at_point(POINT_CALL_OUT, pair);
    PIECE(first_tail);
    return code;
}

/* Domains whose mechanisms put the same code there share it: compares what was made just now. */
static uint64_t shared_code(const uint8_t *code, const uint64_t *table, uint32_t count) {
    uint64_t bytes = (uint64_t)(at - code);
    for (uint32_t i = 0; i < count; i++)
        if (table[i] && !memcmp((const void *)table[i], code, bytes)) {
            at = (uint8_t *)code;
            return table[i];
        }
    return (uint64_t)code;
}

static void compose_trap(const struct plan_domain *kernel) {
    struct compose_pair pair = {kernel, kernel, mechanisms_of(kernel), mechanisms_of(kernel), true};
    routine_begin(ROUTINE_TRAP);
    PIECE(trap_save);
    at_point(POINT_TRAP_IN, &pair);
    PIECE(trap_call);
    branch_to(branch(BRANCH_CALL), trap);
    trap_return = (uint64_t)at;
    PIECE(trap_load);
    at_point(POINT_TRAP_OUT, &pair);
    PIECE(trap_end);
    uint8_t *code = routine_begin(ROUTINE_COPY);
    PIECE(copy_entry);
    at_point(POINT_COPY_IN, &pair);
    PIECE(copy_bytes);
    at_point(POINT_COPY_OUT, &pair);
    PIECE(copy_end);
    user_copy = (void (*)(void *, const void *, uint64_t))code;
}

void compose_all(const struct plan_header *plan) {
    const struct plan_domain *list = plan_at(plan, plan->domains);
    features_read();
    mechanisms_read(plan);
    compose_trap(&list[0]); /* first: the stubs go to where the code begins */
    uint64_t entry = 0;
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        if (list[i].ring != 3)
            continue;
        uint64_t has = mechanisms_of(&list[i]);
        struct compose_pair pair = {&list[i], &list[i], has, has, true};
        call_entry_table[i] = shared_code(compose_call_entry(&pair), call_entry_table, i);
        first_entry_table[i] = shared_code(compose_first_entry(&pair), first_entry_table, i);
        entries_differ |= entry && entry != call_entry_table[i];
        entry = call_entry_table[i];
    }
    if (entry)
        x86_write_msr(MSR_LSTAR, entry); /* where they differ a switch sets it */
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        struct compose_pair pair = {&list[i], &list[0], mechanisms_of(&list[i]),
                                    mechanisms_of(&list[0]), i == 0};
        leave_table[i] = (leave_routine *)compose_leave(&pair);
        for (uint32_t k = 0; k < plan->domains.count; k++) {
            pair = (struct compose_pair){&list[i], &list[k], mechanisms_of(&list[i]),
                                         mechanisms_of(&list[k]), i == k};
            switch_table[i][k] =
                (switch_routine *)(i == k && list[i].per_sip ? compose_switch_per_sip(&pair)
                                                             : compose_switch(&pair));
        }
    }
}

void compose_enable(void) {
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if ((mechanisms_used & ~mechanisms_simulated) >> i & 1 && mechanisms[i]->enable)
            mechanisms[i]->enable();
}

bool compose_thread_made(struct thread *thread) {
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (mechanisms_used >> i & 1 && mechanisms[i]->thread_made &&
            !mechanisms[i]->thread_made(thread)) {
            while (i-- > 0)
                if (mechanisms_used >> i & 1 && mechanisms[i]->thread_gone)
                    mechanisms[i]->thread_gone(thread);
            return false;
        }
    return true;
}

void compose_thread_gone(struct thread *thread) {
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (mechanisms_used >> i & 1 && mechanisms[i]->thread_gone)
            mechanisms[i]->thread_gone(thread);
}

bool compose_trapped(uint64_t vector) {
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (mechanisms_used >> i & 1 && mechanisms[i]->trapped && mechanisms[i]->trapped(vector))
            return true;
    return false;
}
