/*
 * What mechanisms a plan has, in words: those of each domain and of the machine, and what they do on
 * a switch from one domain to another.
 */
#include "mechanism_keys.h"
#include "plan_draft.h"

#include <stdarg.h>
#include <string.h>

/* ---- a set of mechanisms ---- */

struct line {
    char *text;
    size_t used, bytes;
};

static void line_add(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void line_add(struct line *line, const char *format, ...) {
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line->text + line->used, line->bytes - line->used, format, arguments);
    va_end(arguments);
    line->used += (size_t)length;
    if (line->used >= line->bytes)
        line->used = line->bytes - 1;
}

const char *mechanisms_text(uint64_t mechanisms, char text[MECHANISMS_TEXT_BYTES]) {
    struct line line = {text, 0, MECHANISMS_TEXT_BYTES};

    strcpy(text, "-");
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        uint64_t bits = mechanisms & mechanism_key_bits(i);
        bool several = bits & (bits - 1), first = true;

        if (mechanism_first(i) != i || !bits)
            continue;
        line_add(&line, "%s%s: %s", line.used ? ", " : "", mechanism_table[i].key,
                 several ? "[" : "");
        for (uint32_t j = i; j < MECHANISM_COUNT; j++) {
            if (!(bits & 1ull << j))
                continue;
            line_add(&line, "%s%s", first ? "" : ", ", mechanism_table[j].word);
            first = false;
        }
        line_add(&line, "%s", several ? "]" : "");
    }
    return text;
}

/* ---- switches ---- */

#define PAIRS_SHOWN 6 /* of those that meet the same */

struct meeting { /* of two domains */
    bool one_root;
    uint64_t either, both;
};

static struct meeting meeting_of(const struct plan_header *plan, uint32_t a, uint32_t b) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    struct meeting meeting = {.one_root = domains[a].space == PLAN_SPACE_KERNEL &&
                                          domains[b].space == PLAN_SPACE_KERNEL};

    meeting.either = (domains[a].mechanisms | domains[b].mechanisms) & ~mechanisms_of_machine;
    meeting.both = domains[a].mechanisms & domains[b].mechanisms;
    if (meeting.one_root)
        meeting.either &= ~MECHANISM(PCID);
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++)
        if (domains[0].mechanisms & mechanisms_of_machine & 1ull << i &&
            strstr(mechanism_table[i].where, "switch")) {
            meeting.either |= 1ull << i;
            meeting.both |= 1ull << i;
        }
    return meeting;
}

static bool meetings_equal(struct meeting a, struct meeting b) {
    return a.one_root == b.one_root && a.either == b.either &&
           (a.both & a.either) == (b.both & b.either);
}

/* The next pair with a first domain below the second; false after the last. */
static bool pair_next(const struct plan_header *plan, uint32_t *a, uint32_t *b) {
    if (++*a == *b) {
        *a = 0;
        ++*b;
    }
    return *b < plan->domains.count;
}

static bool met_before(const struct plan_header *plan, uint32_t a, uint32_t b) {
    struct meeting meeting = meeting_of(plan, a, b);
    uint32_t i = 0, j = 1;

    for (; i != a || j != b; pair_next(plan, &i, &j))
        if (meetings_equal(meeting_of(plan, i, j), meeting))
            return true;
    return false;
}

static void print_meeting(const struct plan_header *plan, uint32_t a, uint32_t b, FILE *to) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    struct meeting meeting = meeting_of(plan, a, b);
    uint32_t pairs = 0;

    fprintf(to, "switch between");
    do {
        if (meetings_equal(meeting_of(plan, a, b), meeting) && pairs++ < PAIRS_SHOWN)
            fprintf(to, "%s %s and %s", pairs > 1 ? "," : "", domains[a].name, domains[b].name);
    } while (pair_next(plan, &a, &b));
    if (pairs > PAIRS_SHOWN)
        fprintf(to, ", and %u pairs more", pairs - PAIRS_SHOWN);
    fprintf(to, "\n  %s\n",
            meeting.one_root ? "one root: no page tables are loaded"
                             : "load of CR3: other page tables");
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        const struct mechanism_row *row = &mechanism_table[i];

        if (meeting.either & 1ull << i)
            fprintf(to, "  %s: %s %s%s: %s\n", row->where, row->key, row->word,
                    meeting.both & 1ull << i ? "" : " in one of them", row->does);
    }
    fputc('\n', to);
}

void plan_explain_switches(const struct plan_header *plan, FILE *to) {
    uint32_t a = 0, b = 1;

    if (plan->domains.count < 2)
        return;
    do {
        if (!met_before(plan, a, b))
            print_meeting(plan, a, b, to);
    } while (pair_next(plan, &a, &b));
}
