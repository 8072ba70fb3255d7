/*
 * Makes the image with grub-mkrescue: a folder with what GRUB is to load, and the tool's own work on
 * it. It boots from a CD and from a USB stick, by BIOS, and by UEFI where GRUB's part for that is there.
 */
#include "iso.h"
#include "child.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "grub-mkrescue"
#define GRUB_BIOS "/usr/lib/grub/i386-pc/multiboot2.mod"
#define TIMEOUT_MS 120000
#define FOLDER_BYTES 4000

/* On UEFI the screen is not one of text, which is all that the kernel can use. */
#define CONFIG                                                                                     \
    "if [ \"$grub_platform\" = efi ]; then\n"                                                      \
    "    echo 'Bulkhead is running. On UEFI it has no screen: all of its output goes to the "      \
    "first'\n"                                                                                     \
    "    echo 'serial port (0x3f8), at 115200 baud.'\n"                                            \
    "fi\n"                                                                                         \
    "multiboot2 /boot/kernel.elf memory=%llu\n"                                                    \
    "module2 /boot/plan.bin plan\n"                                                                \
    "boot\n"

/* GRUB's modules; it looks for those of partition tables in any case. */
static const char install[] =
    "--install-modules=multiboot2 normal echo test part_acorn part_amiga part_apple part_bsd "
    "part_dfly part_dvh part_gpt part_msdos part_plan part_sun part_sunpc";

struct folder { /* what grub-mkrescue is to put into the image */
    char path[FOLDER_BYTES];
};

/* What is made in the folder, each after what it is in. */
static const char *const parts[] = {"/boot", "/boot/grub", "/boot/kernel.elf", "/boot/plan.bin",
                                    "/boot/grub/grub.cfg"};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static void folder_remove(const struct folder *folder) {
    char path[PATH_MAX];
    for (size_t i = PARTS; i-- > 0;) {
        snprintf(path, sizeof(path), "%s%s", folder->path, parts[i]);
        if (unlink(path))
            rmdir(path);
    }
    rmdir(folder->path);
}

static int part_open(const struct folder *folder, const char *part, struct error *error) {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s%s", folder->path, part);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(error, -errno, "cannot write %s: %s", path, strerror(errno));
    return fd;
}

static int part_write(const struct folder *folder, const char *part, const void *data, size_t bytes,
                      struct error *error) {
    int fd = part_open(folder, part, error);
    if (fd < 0)
        return fd;
    for (size_t done = 0; done < bytes;) {
        ssize_t wrote = write(fd, (const char *)data + done, bytes - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            int code = errno ? -errno : -EIO;
            close(fd);
            return error_set(error, code, "cannot write %s%s: %s", folder->path, part,
                             strerror(-code));
        }
        done += (size_t)wrote;
    }
    close(fd);
    return 0;
}

static int part_copy(const struct folder *folder, const char *part, const char *from_path,
                     struct error *error) {
    struct stat about;
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &about)) {
        int code = -errno;
        if (from >= 0)
            close(from);
        return error_set(error, code, "cannot read %s: %s", from_path, strerror(-code));
    }
    int to = part_open(folder, part, error), status = to < 0 ? to : 0;
    for (off_t left = about.st_size; !status && left > 0;) {
        ssize_t moved = sendfile(to, from, NULL, (size_t)left);
        if (moved <= 0)
            status = error_set(error, moved ? -errno : -EIO, "cannot copy %s to %s%s", from_path,
                               folder->path, part);
        left -= moved;
    }
    close(from);
    if (to >= 0)
        close(to);
    return status;
}

static int folder_fill(const struct folder *folder, const struct iso *iso, struct error *error) {
    char path[PATH_MAX], config[1024];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s%s", folder->path, parts[i]);
        if (mkdir(path, 0777))
            return error_set(error, -errno, "cannot make the folder %s: %s", path, strerror(errno));
    }
    snprintf(config, sizeof(config), CONFIG, (unsigned long long)iso->memory_bytes);
    int status = part_copy(folder, parts[2], iso->kernel_path, error);
    if (!status)
        status = part_write(folder, parts[3], iso->module, iso->module_bytes, error);
    return status ? status : part_write(folder, parts[4], config, strlen(config), error);
}

/* All that grub-mkrescue needs, so that a message names the package and not the tool's own trouble. */
static char *tools_find(struct error *error) {
    static const struct {
        const char *program, *package;
    } tools[] = {{PROGRAM, "grub-common"}, {"xorriso", "xorriso"}, {"mformat", "mtools"}};
    char *first = NULL;
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
        char *path = child_find(tools[i].program);
        if (!path) {
            error_set(error, -ENOPKG,
                      "%s is not in $PATH; install the Debian package %s (apt-get install %s)",
                      tools[i].program, tools[i].package, tools[i].package);
            free(first);
            return NULL;
        }
        if (i)
            free(path);
        else
            first = path;
    }
    if (access(GRUB_BIOS, R_OK)) {
        error_set(error, -ENOPKG,
                  "there is no %s; install the Debian package grub-pc-bin (apt-get install "
                  "grub-pc-bin)",
                  GRUB_BIOS);
        free(first);
        return NULL;
    }
    return first;
}

/* The first line that tells of an error, or the last one that tells anything. */
static const char *complaint(char *output) {
    const char *last = "it says nothing";
    char *rest = NULL;
    for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strstr(line, "error:") || strstr(line, ": FAILURE :") || strstr(line, ": FATAL :"))
            return line;
        if (isalnum((unsigned char)line[strspn(line, " ")]))
            last = line;
    }
    return last;
}

static int tool_run(const char *program, const struct folder *folder, const char *to,
                    const volatile int *cancel, struct error *error) {
    const char *const argv[] = {
        program, "-o", to, "--fonts=", "--locales=", "--themes=", install, folder->path, NULL};
    struct child child = {.argv = (char *const *)argv,
                          .console_read = -1,
                          .console_write = -1,
                          .timeout_ms = TIMEOUT_MS,
                          .cancel = cancel};
    struct child_result ran;
    int status = child_run(&child, &ran, error);
    if (!status && ran.cancelled)
        status = error_set(error, -EINTR, "interrupted");
    else if (!status &&
             (ran.timed_out || !WIFEXITED(ran.wait_status) || WEXITSTATUS(ran.wait_status)))
        status = error_set(error, -EIO, PROGRAM " %s: %s",
                           ran.timed_out ? "took too long" : "failed", complaint(ran.output.text));
    free(ran.console.text);
    free(ran.output.text);
    return status;
}

/*
 * Whether the image can go there, before the work. A device is not written to: that is for a tool whose
 * user has looked twice.
 */
static int target_check(const char *path, const char *part, struct error *error) {
    struct stat about;
    if (!stat(path, &about) && !S_ISREG(about.st_mode))
        return error_set(error, -EINVAL,
                         "%s is not a regular file; make the image in one and copy it with dd",
                         path);
    int fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(error, -errno, "cannot write %s: %s", part, strerror(errno));
    close(fd);
    unlink(part);
    return 0;
}

int iso_make(const struct iso *iso, const char *path, struct error *error) {
    const char *temporary = getenv("TMPDIR");
    struct folder folder;
    char part[PATH_MAX];
    if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >= sizeof(part))
        return error_set(error, -ENAMETOOLONG, "%.200s...: the name is too long", path);
    int status = target_check(path, part, error);
    if (status)
        return status;
    char *program = tools_find(error);
    if (!program)
        return -ENOPKG;
    snprintf(folder.path, sizeof(folder.path), "%s/bulkhead-iso-XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(folder.path))
        status =
            error_set(error, -errno, "cannot make a folder %s: %s", folder.path, strerror(errno));
    if (!status) {
        status = folder_fill(&folder, iso, error);
        if (!status)
            status = tool_run(program, &folder, part, iso->cancel, error);
        folder_remove(&folder);
        if (!status && rename(part, path))
            status = error_set(error, -errno, "cannot write %s: %s", path, strerror(errno));
        if (status)
            unlink(part);
    }
    free(program);
    return status;
}
