/*
 * The qemu backend: the guest under QEMU's TCG with -icount, where the clock counts instructions
 * and the same input gives the same samples. It loads the kernel and the plan by QEMU's own PVH
 * loader; ports are QEMU's devices, so that the doorbell goes unseen.
 */
#include "backend.h"
#include "child.h"
#include "virtio_disk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "qemu-system-x86_64"
#define VERSION_TIMEOUT_MS 10000
#define MISSING                                                                                    \
    PROGRAM " is not in $PATH; install the Debian package qemu-system-x86 "                        \
            "(apt-get install qemu-system-x86)"

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* An unnamed file with the plan in it, which QEMU reads as its -initrd. */
static int plan_file(const struct boot *boot, struct error *error) {
    int fd = memfd_create("bulkhead-plan", MFD_CLOEXEC);
    if (fd < 0)
        return error_set(error, -errno, "cannot hold the plan: memfd_create: %s", strerror(errno));
    const char *from = boot->plan;
    for (uint32_t done = 0; done < boot->plan_bytes;) {
        ssize_t wrote = write(fd, from + done, boot->plan_bytes - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            int code = -errno;
            close(fd);
            return error_set(error, code, "cannot hold the plan: %s", strerror(-code));
        }
        done += (uint32_t)wrote;
    }
    return fd;
}

/*
 * Tells from QEMU's status how the guest ended. Returns a negative errno when QEMU itself failed.
 */
static int ending_read(const struct child_result *child, const struct boot *boot,
                       struct boot_result *result, struct error *error) {
    int status = child->wait_status;
    char *how = result->how_ended;
    size_t room = sizeof(result->how_ended);
    char *newline = strchr(child->output.text, '\n');
    int text = newline ? (int)(newline - child->output.text) : (int)child->output.length;
    if (child->cancelled)
        return error_set(error, -EINTR, "interrupted");
    result->crashed = 1;
    if (child->timed_out) {
        snprintf(how, room, "timeout after %g s", boot->timeout_ms / 1000.0);
    } else if (WIFSIGNALED(status)) {
        snprintf(how, room, "QEMU was ended by signal %d: %.*s", WTERMSIG(status), text,
                 child->output.text);
    } else if (WEXITSTATUS(status) == 0) {
        snprintf(how, room, "triple fault");
    } else if (!(WEXITSTATUS(status) & 1) || (WEXITSTATUS(status) == 1 && text) ||
               WEXITSTATUS(status) == 127) {
        return error_set(error, -EIO, "QEMU failed with status %d: %.*s", WEXITSTATUS(status), text,
                         child->output.text);
    } else {
        snprintf(how, room, "exit port with value %d", WEXITSTATUS(status) >> 1);
        result->crashed = 0;
    }
    return 0;
}

/* The disk that a plan may want, on the first transport of the machine: where plan.h has it. */
static const char *const disk_arguments[] = {
    "-blockdev", NULL, /* names the file */
    "-global",   "virtio-mmio.force-legacy=false",
    "-device",   ("virtio-blk-device,drive=disk,bus=virtio-mmio-bus.0,serial=" VIRTIO_DISK_ID),
};

static int qemu_start(const struct boot *boot, const char *program, int plan, int disk,
                      struct boot_result *result, struct error *error) {
    int console[2];
    if (pipe2(console, O_CLOEXEC) < 0)
        return error_set(error, -errno, "cannot make a pipe for the console: %s", strerror(errno));
    char memory[32], backing[160], serial[64], initrd[64], drive[96];
    unsigned long long megabytes = boot->memory_bytes >> 20;
    snprintf(memory, sizeof(memory), "%lluM", megabytes);
    snprintf(backing, sizeof(backing), "memory-backend-file,id=ram,size=%lluM,share=on,mem-path=%s",
             megabytes, result->memory.path);
    snprintf(serial, sizeof(serial), "file:/proc/self/fd/%d", console[1]);
    snprintf(initrd, sizeof(initrd), "/proc/self/fd/%d", plan);
    snprintf(drive, sizeof(drive),
             "driver=file,node-name=disk,locking=off,filename=/proc/self/fd/%d", disk);
    const char *argv[64] = {program,
                            "-accel",
                            "tcg",
                            "-cpu",
                            "max",
                            "-m",
                            memory,
                            "-M",
                            "microvm,acpi=off,memory-backend=ram",
                            "-object",
                            backing,
                            "-nodefaults",
                            "-no-user-config",
                            "-display",
                            "none",
                            "-vga",
                            "none",
                            "-net",
                            "none",
                            "-no-reboot",
                            "-serial",
                            serial,
                            "-device",
                            "isa-debug-exit,iobase=0xf4,iosize=4",
                            "-icount",
                            "shift=0,sleep=off",
                            "-rtc",
                            "base=2024-01-01T00:00:00,clock=vm",
                            "-seed",
                            "1",
                            "-kernel",
                            boot->kernel_path,
                            "-initrd",
                            initrd};
    size_t arguments = 0;
    while (argv[arguments])
        arguments++;
    for (size_t i = 0; disk >= 0 && i < sizeof(disk_arguments) / sizeof(disk_arguments[0]); i++)
        argv[arguments++] = disk_arguments[i] ? disk_arguments[i] : drive;
    for (size_t i = 0; boot->arguments && boot->arguments[i]; i++)
        argv[arguments++] = boot->arguments[i];
    int inherit[8] = {result->memory.fd, plan};
    size_t inherits = 2;
    if (disk >= 0)
        inherit[inherits++] = disk;
    for (size_t i = 0; i < boot->inherits; i++)
        inherit[inherits++] = boot->inherit[i];
    struct child child = {.argv = (char *const *)argv,
                          .inherit = inherit,
                          .inherits = inherits,
                          .console_read = console[0],
                          .console_write = console[1],
                          .verbose = boot->verbose,
                          .timeout_ms = boot->timeout_ms,
                          .cancel = boot->cancel};
    struct child_result ran;
    double start = seconds_now();
    int status = child_run(&child, &ran, error);
    result->boot_seconds = seconds_now() - start;
    if (!status)
        status = ending_read(&ran, boot, result, error);
    result->console = ran.console.text;
    free(ran.output.text);
    return status;
}

static int qemu_run(const struct boot *boot, struct boot_result *result, struct error *error) {
    *result = (struct boot_result){.memory.fd = -1};
    if (access(boot->kernel_path, R_OK) < 0)
        return error_set(error, -errno, "cannot open the guest kernel %s: %s", boot->kernel_path,
                         strerror(errno));
    char *program = child_find(PROGRAM);
    if (!program)
        return error_set(error, -ENOENT, MISSING);
    int status = guest_memory_alloc(&result->memory, boot->memory_bytes, error);
    int plan = status ? status : plan_file(boot, error), disk = -1;
    const struct plan_header *wants = virtio_disk_plan(boot);
    if (plan >= 0 && wants)
        status = disk = virtio_disk_file(wants, error);
    if (plan < 0)
        status = plan;
    else if (status >= 0)
        status = qemu_start(boot, program, plan, disk, result, error);
    if (plan >= 0)
        close(plan);
    if (disk >= 0)
        close(disk);
    if (status)
        boot_result_free(result);
    free(program);
    return status;
}

static int version_find(const char *program, struct backend_info *info, struct error *error) {
    const char *const argv[] = {program, "--version", NULL};
    struct child child = {.argv = (char *const *)argv,
                          .console_read = -1,
                          .console_write = -1,
                          .timeout_ms = VERSION_TIMEOUT_MS};
    struct child_result ran;
    int status = child_run(&child, &ran, error);
    if (!status && (!WIFEXITED(ran.wait_status) || WEXITSTATUS(ran.wait_status)))
        status = error_set(error, -EIO, "%s --version failed: %.200s", program, ran.output.text);
    if (!status)
        snprintf(info->version, sizeof(info->version), "%.*s", (int)strcspn(ran.output.text, "\n"),
                 ran.output.text);
    free(ran.console.text);
    free(ran.output.text);
    return status;
}

extern const struct backend backend_qemu;

static void qemu_probe(const struct backend_options *options, struct backend_info *info) {
    *info =
        (struct backend_info){.unit = "instructions", .count_exact = 1, .trust = TRUST_EMULATED};
    struct error error = {""};
    char *program = child_find(PROGRAM);
    if (!program) {
        snprintf(info->why, sizeof(info->why), "%s", MISSING);
        return;
    }
    int status = version_find(program, info, &error);
    free(program);
    if (!status)
        status = probe_measure(&backend_qemu, options, &info->probe, &error);
    info->boots = !status;
    for (int i = PROBE_LOOP; !status && i < PROBE_TESTS; i++)
        if (!info->probe.test[i].passed)
            status = error_set(&error, -EIO, "a probe guest failed: %s", info->probe.test[i].how);
    if (status)
        snprintf(info->why, sizeof(info->why), "%s", error.text);
    info->usable = !status;
}

const struct backend backend_qemu = {
    .name = "qemu",
    .about = "QEMU TCG with -icount: exact and repeatable instruction counts, not time",
    .probe = qemu_probe,
    .run = qemu_run,
};
