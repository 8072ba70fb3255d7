/*
 * The table of backends and what all of them share: errors, names, and freeing a result.
 * What a backend does is in the file of its name.
 */
#include "backend.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct backend backend_kvm, backend_qemu, backend_bochs;

const struct backend *const backend_all[] = {&backend_kvm, &backend_qemu, &backend_bochs, NULL};

int error_set(struct error *error, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

const struct backend *backend_find(const char *name) {
    for (size_t i = 0; backend_all[i]; i++)
        if (!strcmp(backend_all[i]->name, name))
            return backend_all[i];
    return NULL;
}

const char *backend_trust_name(enum backend_trust trust) {
    static const char *const names[] = {
        [TRUST_REAL] = "real", [TRUST_NESTED] = "nested", [TRUST_EMULATED] = "emulated"};
    return names[trust];
}

void boot_result_free(struct boot_result *result) {
    guest_memory_free(&result->memory);
    free(result->console);
    result->console = NULL;
}
