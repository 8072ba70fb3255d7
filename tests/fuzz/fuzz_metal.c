/*
 * Fuzzes the reader of a bare machine's log: any bytes give a sentence or boots whose result regions can
 * be read, never a crash. An input whose first byte is even is the log; of another each line becomes one
 * with number and checksum, so that what is behind them is reached.
 */
#include "domain-config/plan.h"
#include "vmm/metal.h"
#include "vmm/result_read.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void lines_write(const char *bytes, size_t count, FILE *to) {
    size_t total = 0, number = 0;
    for (size_t i = 0; i < count; i++)
        total += bytes[i] == '\n';
    for (size_t at = 0; number < total;) {
        const char *end = memchr(bytes + at, '\n', count - at);
        char *text = NULL;
        int length = (int)(end - (bytes + at));
        if (asprintf(&text, "@bulkhead 00000001 %zu/%zu %.*s", ++number, total, length,
                     bytes + at) < 0)
            abort();
        fprintf(to, "%s #%08x\n", text, plan_crc32(0, text, strlen(text)));
        free(text);
        at += (size_t)length + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    char path[64], *paths[] = {path};
    struct error error;
    struct metal_log log;
    FILE *to = fdopen(memfd_create("log", 0), "w");
    if (!to)
        abort();
    if (count && bytes[0] & 1)
        lines_write((const char *)bytes + 1, count - 1, to);
    else if (count)
        fwrite(bytes + 1, 1, count - 1, to);
    fflush(to);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(to));
    if (!metal_log_read(paths, 1, &log, &error)) {
        for (size_t i = 0; i < log.count; i++) {
            struct result result;
            char note[128];
            result_read(log.boot[i].region, log.boot[i].bytes, &result, &error);
            result_free(&result);
            metal_trust(&log.boot[i].machine, note, sizeof(note));
            json_decref(metal_host(&log.boot[i].machine, "host"));
        }
        metal_log_free(&log);
    } else if (!error.text[0]) {
        abort();
    }
    fclose(to);
    return 0;
}
