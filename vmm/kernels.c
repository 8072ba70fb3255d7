/* Copies of the guest kernels. Which variant a plan needs is the configuration's business. */
#include "kernels.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* A descriptor of a copy of the file, or a negative errno and a sentence. */
static int file_copy(const char *path, struct error *error) {
    struct stat about;
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &about) < 0) {
        int code = -errno;
        if (from >= 0)
            close(from);
        return error_set(error, code,
                         "there is no guest kernel %.400s; build the project, or set "
                         "BULKHEAD_IMAGES to where its images are",
                         path);
    }
    int held = memfd_create("bulkhead-kernel", MFD_CLOEXEC);
    off_t left = about.st_size;
    int code = held < 0 ? errno : 0;
    while (!code && left > 0) {
        ssize_t moved = sendfile(held, from, NULL, (size_t)left);
        code = moved < 0 ? errno : moved == 0 ? EIO : 0; /* 0: it became shorter */
        left -= moved;
    }
    close(from);
    if (!code)
        return held;
    if (held >= 0)
        close(held);
    return error_set(error, -code, "cannot read %.400s: %s", path, strerror(code));
}

const char *kernels_path(const struct kernels *kernels, const struct plan_header *plan) {
    const char *variant = plan_image_variant(plan);
    for (size_t i = 0; i < kernels->count; i++)
        if (!strcmp(kernels->item[i].variant, variant))
            return kernels->item[i].path;
    return NULL;
}

const char *kernels_hold(struct kernels *kernels, const struct config_paths *paths,
                         const struct plan_header *plan, struct error *error) {
    const char *held = kernels_path(kernels, plan);
    char path[PATH_MAX];
    if (held)
        return held;
    if (kernels->count == KERNELS_MOST) {
        error_set(error, -ENOSPC, "more than %d variants of the guest kernel", KERNELS_MOST);
        return NULL;
    }
    snprintf(path, sizeof(path), "%s/%skernel.elf", paths->image_dir, plan_image_variant(plan));
    int fd = file_copy(path, error);
    if (fd < 0)
        return NULL;
    size_t at = kernels->count++;
    kernels->item[at].variant = plan_image_variant(plan);
    kernels->item[at].fd = fd;
    snprintf(kernels->item[at].path, sizeof(kernels->item[at].path), "/proc/%d/fd/%d",
             (int)getpid(), fd);
    return kernels->item[at].path;
}

void kernels_close(struct kernels *kernels) {
    for (size_t i = 0; i < kernels->count; i++)
        close(kernels->item[i].fd);
    kernels->count = 0;
}
