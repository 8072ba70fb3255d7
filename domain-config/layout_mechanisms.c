/*
 * The keys of mechanisms, made from the table, and what a domain has in the end. Which of them go
 * together is in layout_combine.c.
 */
#include "mechanism_keys.h"
#include "model.h"

#define OFF_WORDS 2 /* "off" and "none" */

/* The words of all keys lie behind one another, each key's ended by a row of NULL. */
struct made_keys {
    struct word words[MECHANISM_COUNT * (OFF_WORDS + 2)];
    struct key of_layout[MECHANISM_COUNT], of_domain[MECHANISM_COUNT];
    size_t count;
};

static const struct word *make_words(struct word *next, uint32_t first) {
    const struct word *words = next;

    for (uint32_t i = first; i < MECHANISM_COUNT; i++)
        if (mechanism_same_key(i, first))
            *next++ = (struct word){mechanism_table[i].word, (int64_t)(1ull << i)};
    *next++ = (struct word){"off", 0};
    if (mechanism_table[first].kind != KIND_SWITCH)
        *next++ = (struct word){"none", 0};
    *next = (struct word){NULL, 0};
    return words;
}

static void make_keys(struct made_keys *made) {
    struct word *next = made->words;

    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        const struct mechanism_row *row = &mechanism_table[i];
        bool alone = mechanism_key_bits(i) == 1ull << i;
        struct key *key = &made->of_layout[made->count];

        if (mechanism_first(i) != i)
            continue;
        *key = (struct key){
            .name = row->key,
            .kind = row->kind == KIND_SET ? KEY_WORDS : KEY_WORD,
            .offset = i * sizeof(struct setting),
            .words = make_words(next, i),
            .meaning = alone ? row->does : "mechanisms that docs/mechanisms.md describes",
        };
        while (next->text)
            next++;
        next++;
        made->of_domain[made->count] = *key;
        if (row->scope == SCOPE_MACHINE)
            made->of_domain[made->count].belongs =
                "it is a setting of the whole machine: write it at the top of the layout";
        made->count++;
    }
}

struct key_table mechanism_keys(bool layout, size_t offset) {
    static struct made_keys made;

    if (!made.count)
        make_keys(&made);
    return (struct key_table){layout ? made.of_layout : made.of_domain, made.count, offset};
}

struct setting layout_mechanism(const struct layout *layout, const struct mechanism_settings *own,
                                enum mechanism_id id) {
    uint32_t key = mechanism_first(id);

    return own && own->key[key].at.file ? own->key[key] : layout->mechanisms.key[key];
}

/*
 * What a layout says for all domains is for those where it can act. What a domain itself asks for
 * stays, so that it is checked and not forgotten.
 */
static bool acts_on(const struct layout *layout, const struct domain_shape *shape, uint32_t row) {
    bool ring3 = shape->ring == 3;

    if (row == MECHANISM_KPTI)
        return ring3;
    if (row == MECHANISM_PKU)
        return ring3 && shape->space == PLAN_SPACE_KERNEL;
    if (mechanism_same_key(row, MECHANISM_IBPB) &&
        layout_mechanism(layout, NULL, MECHANISM_ON_RING3).value)
        return ring3;
    return true;
}

uint64_t mechanisms_resolve(const struct layout *layout, const struct mechanism_settings *own,
                            const struct domain_shape *shape) {
    uint64_t bits = 0;

    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        if (mechanism_table[i].scope != SCOPE_DOMAIN || mechanism_first(i) != i)
            continue;
        if (own && own->key[i].at.file)
            bits |= (uint64_t)own->key[i].value;
        else if (i == MECHANISM_PCID && shape->space == PLAN_SPACE_KERNEL) /* one root, one tag */
            bits |= (uint64_t)layout_mechanism(layout, &layout->kernel.mechanisms, i).value;
        else if (acts_on(layout, shape, i))
            bits |= (uint64_t)layout->mechanisms.key[i].value;
    }
    return bits;
}
