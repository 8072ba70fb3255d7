/*
 * Command of the gate: `gate [--float] RULES MODULE.wasm [CONSTANTS.h]`. --float lets the module use
 * floating point. Writes, for a module that passes, the sizes that the prelude compiles into its
 * checks. Exit status: 0 passed, 1 refused, 2 usage.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"

/* Reads a whole file of at most `most` bytes and a NUL; NULL after a message. Caller frees. */
static char *read_file(const char *path, size_t most, size_t *length) {
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(most + 2);
    if (!file || !bytes) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        goto fail;
    }
    *length = fread(bytes, 1, most + 1, file);
    if (ferror(file)) {
        fprintf(stderr, "%s: cannot be read: %s\n", path, strerror(errno));
        goto fail;
    }
    if (*length > most) {
        fprintf(stderr, "%s: more than %zu bytes: split the SIP\n", path, most);
        goto fail;
    }
    bytes[*length] = '\0';
    fclose(file);
    return bytes;
fail:
    if (file)
        fclose(file);
    free(bytes);
    return NULL;
}

static int write_constants(const char *path, const struct gate_result *result) {
    uint32_t slots = 1;
    while (slots < result->table_entries)
        slots *= 2;
    FILE *file = fopen(path, "w");
    if (!file) {
        fprintf(stderr, "%s: cannot be written: %s\n", path, strerror(errno));
        return 1;
    }
    fprintf(file,
            "/* Written by the gate: sizes of the module that passed it. */\n"
            "#define SIP_MEMORY_BYTES %llu\n"
            "#define SIP_TABLE_ENTRIES %u\n"
            "#define SIP_TABLE_SLOTS %u /* the power of two that holds them */\n"
            "#define SIP_HAS_IMPORTS %d\n",
            (unsigned long long)result->memory_pages * GATE_PAGE_BYTES, result->table_entries,
            slots, result->imports != 0);
    if (fclose(file) == 0)
        return 0;
    fprintf(stderr, "%s: cannot be written: %s\n", path, strerror(errno));
    return 1;
}

int main(int argc, char **argv) {
    static struct gate_rules rules;
    if (argc > 1 && strcmp(argv[1], "--float") == 0) {
        rules.floats = true;
        argc--;
        argv++;
    }
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: gate [--float] RULES MODULE.wasm [CONSTANTS.h]\n");
        return 2;
    }
    struct gate_result result;
    size_t length;
    int status = 1;
    char *module = NULL, *text = read_file(argv[1], 1 << 16, &length);
    if (!text)
        return 1;
    if (gate_rules_read(text, &rules, result.message, sizeof(result.message)) != 0) {
        fprintf(stderr, "%s: %s\n", argv[1], result.message);
        goto out;
    }
    module = read_file(argv[2], GATE_MAX_BYTES, &length);
    if (!module)
        goto out;
    if (gate_check((const uint8_t *)module, length, &rules, &result) != 0) {
        fprintf(stderr, "%s: %s\n", argv[2], result.message);
        goto out;
    }
    status = argc == 4 ? write_constants(argv[3], &result) : 0;
out:
    free(module);
    free(text);
    return status;
}
