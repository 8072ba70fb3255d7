/* The disk of a run. What a guest sees of it is the device's matter. */
#include "virtio_disk.h"
#include "domain-config/plan.h"
#include "sip/drivers/disk_content.h"
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const struct plan_header *virtio_disk_plan(const struct boot *boot) {
    const struct plan_header *plan = boot->plan;
    if (boot->plan_bytes < sizeof(*plan) || plan->magic != PLAN_MAGIC)
        return NULL;
    const struct plan_sip *sip = plan_at(plan, plan->sips);
    for (uint32_t i = 0; i < plan->sips.count; i++)
        if (sip[i].rights & PLAN_DRIVES_DISK)
            return plan;
    return NULL;
}

int virtio_disk_file(const struct plan_header *plan, struct error *error) {
    int fd = memfd_create("bulkhead-disk", MFD_CLOEXEC);
    if (fd < 0)
        return error_set(error, -errno, "cannot hold the disk: memfd_create: %s", strerror(errno));
    uint64_t *word = MAP_FAILED;
    if (!ftruncate(fd, DISK_CONTENT_BYTES))
        word = mmap(NULL, DISK_CONTENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (word == MAP_FAILED) {
        int code = -errno;
        close(fd);
        return error_set(error, code, "cannot hold the disk: %s", strerror(-code));
    }
    for (uint64_t i = 0; i < DISK_CONTENT_BYTES / sizeof(*word); i++)
        word[i] = htole64(disk_content_word(plan->seed, i));
    munmap(word, DISK_CONTENT_BYTES);
    return fd;
}
