/* The rows of mechanisms.h as data, for host and guest. */
#include "guest-kernel/mechanisms.h"

const struct cpu_feature_row cpu_feature_table[CPU_FEATURE_COUNT] = {
#define X(id, name, leaf, subleaf, reg, bit, leaf2, subleaf2, reg2, bit2)                          \
    [CPU_##id] = {name, {{leaf, subleaf, reg, bit}, {leaf2, subleaf2, reg2, bit2}}},
    CPU_FEATURES(X)
#undef X
};

const struct mechanism_row mechanism_table[MECHANISM_COUNT] = {
#define X(id, file, key, kind, word, scope, features, where, does, against, source)                \
    [MECHANISM_##id] = {#id, file, key, word, kind, scope, features, where, does, against, source},
    MECHANISMS(X)
#undef X
};
