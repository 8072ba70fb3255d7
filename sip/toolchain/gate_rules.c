/*
 * Reads the gate's list of functions that a module may import and must export. The format is in
 * gate.h; deciding about modules is gate.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gate.h"

static const char *skip_blanks(const char *at) {
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static bool take_word(const char **at, char *word, size_t bytes) {
    const char *start = skip_blanks(*at), *end = start;
    while (isalnum((unsigned char)*end) || *end == '_')
        end++;
    if (end == start || (size_t)(end - start) >= bytes)
        return false;
    memcpy(word, start, (size_t)(end - start));
    word[end - start] = '\0';
    *at = skip_blanks(end);
    return true;
}

static bool take_text(const char **at, const char *text) {
    const char *start = skip_blanks(*at);
    if (strncmp(start, text, strlen(text)) != 0)
        return false;
    *at = skip_blanks(start + strlen(text));
    return true;
}

static bool take_type(const char **at, uint8_t *type) {
    if (take_text(at, "i32"))
        *type = GATE_I32;
    else if (take_text(at, "i64"))
        *type = GATE_I64;
    else
        return false;
    return true;
}

static const char *read_rule(const char *at, struct gate_rule *rule) {
    char word[8];
    memset(rule, 0, sizeof(*rule));
    if (!take_word(&at, word, sizeof(word)) ||
        (strcmp(word, "import") != 0 && strcmp(word, "export") != 0))
        return "want `import` or `export` first";
    rule->is_export = word[0] == 'e';
    if (!take_word(&at, rule->name, sizeof(rule->name)))
        return "want a function's name";
    if (!take_text(&at, "("))
        return "want `(` and the parameters' types";
    while (!take_text(&at, ")")) {
        if (rule->signature.params == GATE_MAX_PARAMS)
            return "too many parameters";
        if (!take_type(&at, &rule->signature.param[rule->signature.params++]))
            return "want i32, i64 or `)`";
    }
    if (!take_text(&at, "->"))
        return "want `->` after the parameters";
    take_type(&at, &rule->signature.result);
    return *at == '\0' || *at == '\n' || *at == '#' ? NULL : "want nothing after the result";
}

int gate_rules_read(const char *text, struct gate_rules *rules, char *message, size_t bytes) {
    rules->count = 0;
    for (unsigned line = 1; *text; line++) {
        const char *at = skip_blanks(text);
        if (*at && *at != '\n' && *at != '#') {
            const char *why = "too many lines";
            if (rules->count < GATE_MAX_RULES)
                why = read_rule(at, &rules->rule[rules->count++]);
            if (why) {
                snprintf(message, bytes, "line %u: %s", line, why);
                return -EINVAL;
            }
        }
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return 0;
}
