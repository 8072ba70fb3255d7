/* The initial file system of the peer's guest: an archive ("newc", see cpio(5)) of one program. */
#include "peer.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGN 4

static int entry_write(FILE *to, const char *name, unsigned mode, unsigned long bytes) {
    const unsigned names = (unsigned)strlen(name) + 1;
    /* inode, mode, uid, gid, links, mtime, size, device, of a device, length of the name, check */
    int length = fprintf(to, "070701%08x%08x%08x%08x%08x%08x%08lx%08x%08x%08x%08x%08x%08x%s", 1,
                         mode, 0, 0, 1, 0, bytes, 0, 0, 0, 0, names, 0, name);
    if (length < 0)
        return -EIO;
    do
        fputc('\0', to);
    while (++length % ALIGN);
    return 0;
}

static int program_copy(FILE *to, int from) {
    char buffer[65536];
    size_t bytes = 0;
    ssize_t got;
    while ((got = read(from, buffer, sizeof(buffer))) > 0) {
        fwrite(buffer, 1, (size_t)got, to);
        bytes += (size_t)got;
    }
    for (; bytes % ALIGN; bytes++)
        fputc('\0', to);
    return got < 0 ? -errno : 0;
}

int peer_initramfs(const char *program, struct error *error) {
    struct stat about = {0};
    int archive = -1, status = 0;
    int from = open(program, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &about))
        status = error_set(error, -errno, "cannot read the peer program %s: %s", program,
                           strerror(errno));
    if (!status && (archive = memfd_create("bulkhead-initramfs", MFD_CLOEXEC)) < 0)
        status = error_set(error, -errno, "memfd_create: %s", strerror(errno));
    FILE *to = status ? NULL : fdopen(dup(archive), "w");
    if (to) {
        status = entry_write(to, "init", 0100755, (unsigned long)about.st_size);
        status = status ? status : program_copy(to, from);
        status = status ? status : entry_write(to, "TRAILER!!!", 0, 0);
        status |= ferror(to);
    }
    if (!to || fclose(to))
        status = status ? status : -EIO;
    if (from >= 0)
        close(from);
    if (status && archive >= 0) {
        close(archive);
        error_set(error, -EIO, "cannot make the guest's initial file system");
    }
    return status ? (status < 0 ? status : -EIO) : archive;
}
