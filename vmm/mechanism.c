/* Words for masks of mechanisms and of CPU features. What they are is guest-kernel/mechanisms.h's. */
#include "mechanism.h"
#include <stdio.h>
#include <string.h>

const char *mechanism_name(enum mechanism_id id, char text[static MECHANISM_TEXT_BYTES]) {
    snprintf(text, MECHANISM_TEXT_BYTES, "%s", mechanism_table[id].file);
    for (char *at = text; (at = strchr(at, '_'));)
        *at = '-';
    return text;
}

const char *mechanism_setting(enum mechanism_id id, char text[static MECHANISM_TEXT_BYTES]) {
    snprintf(text, MECHANISM_TEXT_BYTES, "%s: %s", mechanism_table[id].key,
             mechanism_table[id].word);
    return text;
}

uint32_t mechanism_lacks(enum mechanism_id id, uint32_t features) {
    return mechanism_table[id].features & ~features;
}

const char *mechanism_features_text(uint32_t features, char *text, size_t bytes) {
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < CPU_FEATURE_COUNT && used < bytes; i++)
        if (features >> i & 1)
            used += (size_t)snprintf(text + used, bytes - used, "%s%s", used ? ", " : "",
                                     cpu_feature_table[i].name);
    return text;
}

const char *mechanism_set_text(uint64_t set, uint32_t features, char *text, size_t bytes) {
    char name[MECHANISM_TEXT_BYTES], lacks[128];
    size_t used = 0;
    text[0] = '\0';
    for (enum mechanism_id id = 0; id < MECHANISM_COUNT && used < bytes; id++) {
        if (!(set >> id & 1))
            continue;
        mechanism_features_text(mechanism_lacks(id, features), lacks, sizeof(lacks));
        used += (size_t)snprintf(text + used, bytes - used, lacks[0] ? "%s%s (needs %s)" : "%s%s",
                                 used ? ", " : "", mechanism_name(id, name), lacks);
    }
    return text;
}
