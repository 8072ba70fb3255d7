/*
 * Any bytes as a YAML file: `check` must neither crash nor hang, and must say why it refuses.
 * The first folder of the corpus that libFuzzer is given takes what it finds.
 */
#include "domain-config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct config_paths paths = {.data_dir = DATA_DIR, .image_dir = NULL};
    struct config_diags diags = {0};
    char path[64];
    int fd = memfd_create("input.yaml", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if ((config_check_file(&paths, path, &diags) < 0) != (diags.count > 0))
        abort();
    config_diags_free(&diags);
    close(fd);
    return 0;
}
