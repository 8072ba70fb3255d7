/* Where the command finds its YAML files and guest images. */
#include "command.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INSTALLED "../share/bulkhead" /* relative to the folder of the executable */

/* The folder of installed data beside the executable, or "" where it is not installed. */
static void installed_find(char *dir, size_t bytes) {
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    snprintf(dir, bytes, "%s/" INSTALLED, self);
    if (!slash || access(dir, R_OK))
        dir[0] = '\0';
}

const struct config_paths *command_paths(void) {
    static char installed[PATH_MAX + 32], images[PATH_MAX + 40];
    static struct config_paths paths;
    if (paths.data_dir)
        return &paths;
    const char *data_env = getenv("BULKHEAD_DATA"), *images_env = getenv("BULKHEAD_IMAGES");
    installed_find(installed, sizeof(installed));
    snprintf(images, sizeof(images), "%s/images", installed);
    paths.image_dir = images_env && *images_env ? images_env
                      : installed[0]            ? images
                                                : BULKHEAD_IMAGE_DIR;
    paths.data_dir = data_env && *data_env ? data_env
                     : installed[0]        ? installed
                                           : BULKHEAD_SOURCE_DIR "/domain-config";
    return &paths;
}
