/*
 * Guest memory: an unnamed file mapped shared, which another program reaches through an inherited
 * descriptor. Being unnamed, it goes away with the last process that holds it.
 */
#include "backend.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int guest_memory_alloc(struct guest_memory *memory, uint64_t bytes, struct error *error) {
    *memory = (struct guest_memory){.bytes = bytes, .fd = -1};
    memory->fd = memfd_create("bulkhead-guest", MFD_CLOEXEC);
    if (memory->fd < 0)
        return error_set(error, -errno, "cannot create guest memory: memfd_create: %s",
                         strerror(errno));
    if (ftruncate(memory->fd, (off_t)bytes) < 0) {
        int code = -errno;
        guest_memory_free(memory);
        return error_set(error, code, "cannot size guest memory to %llu MiB: %s",
                         (unsigned long long)bytes >> 20, strerror(-code));
    }
    void *base =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory->fd, 0);
    if (base == MAP_FAILED) {
        int code = -errno;
        guest_memory_free(memory);
        return error_set(error, code, "cannot map %llu MiB of guest memory: %s",
                         (unsigned long long)bytes >> 20, strerror(-code));
    }
    memory->base = base;
    snprintf(memory->path, sizeof(memory->path), "/proc/self/fd/%d", memory->fd);
    return 0;
}

void guest_memory_free(struct guest_memory *memory) {
    if (memory->base)
        munmap(memory->base, memory->bytes);
    if (memory->fd > 0) /* 0: a structure that was never filled */
        close(memory->fd);
    *memory = (struct guest_memory){.fd = -1};
}

void *guest_memory_at(const struct guest_memory *memory, uint64_t address, uint64_t bytes) {
    if (!memory->base || address > memory->bytes || bytes > memory->bytes - address)
        return NULL;
    return memory->base + address;
}
