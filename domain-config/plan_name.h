/*
 * What a name may be made of, in YAML files and in plans alike. Freestanding: the guest includes it.
 */
#ifndef BULKHEAD_PLAN_NAME_H
#define BULKHEAD_PLAN_NAME_H

static inline int plan_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}
#define PLAN_NAME_CHARS "letters, digits, '-', '_' and '.'"

#endif
