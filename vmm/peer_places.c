/*
 * Where the peer runs: as a process on this host, or as the first process of a Linux guest under QEMU,
 * emulated with the clock of the qemu backend, or on KVM.
 */
#include "child.h"
#include "peer.h"
#include "peer/linux/cells.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "qemu-system-x86_64"
#define GUEST_MEMORY "256M"
#define GUEST_FOLDER "/files"
#define HOST_FOLDER "/dev/shm/bulkhead-peer-XXXXXX"
#define MAX_ARGUMENTS 64

struct arguments {
    const char *item[MAX_ARGUMENTS];
    size_t count;
};

static void add(struct arguments *arguments, const char *option, const char *value) {
    arguments->item[arguments->count++] = option;
    if (value)
        arguments->item[arguments->count++] = value;
    arguments->item[arguments->count] = NULL;
}

static char *join(const char *const *items) {
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    for (size_t i = 0; to && items[i]; i++)
        fprintf(to, strchr(items[i], ' ') ? "%s\"%s\"" : "%s%s", i ? " " : "", items[i]);
    if (to)
        fclose(to);
    return text;
}

/* The last line that says something. */
static void last_line(const struct child_text *text, char *line, size_t bytes) {
    const char *end = text->text + text->length;
    while (end > text->text && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    const char *start = end;
    while (start > text->text && start[-1] != '\n')
        start--;
    snprintf(line, bytes, "%.*s", (int)(end - start), start);
}

/* Runs the program and tells how it ended. */
static int execute(const struct peer *peer, struct child *child, struct peer_ran *ran,
                   struct error *error) {
    struct child_result result;
    char said[128], console[128];
    child->verbose = peer->verbose;
    child->timeout_ms = peer->timeout_s * 1000;
    child->cancel = peer->cancel;
    ran->command = join((const char *const *)child->argv);
    int status = child_run(child, &result, error);
    if (!status && result.cancelled)
        status = error_set(error, -EINTR, "interrupted");
    if (!status) {
        last_line(&result.output, said, sizeof(said));
        last_line(&result.console, console, sizeof(console));
        if (result.timed_out)
            snprintf(ran->how, sizeof(ran->how), "timeout after %u s", peer->timeout_s);
        else if (WIFSIGNALED(result.wait_status))
            snprintf(ran->how, sizeof(ran->how), "signal %d", WTERMSIG(result.wait_status));
        else
            snprintf(ran->how, sizeof(ran->how), "status %d%s%s%s%s",
                     WEXITSTATUS(result.wait_status), said[0] ? ": " : "", said,
                     console[0] ? "; its last line: " : "", console);
    }
    free(result.console.text);
    free(result.output.text);
    return status;
}

/* ---- this host ---- */

static void native_probe(const struct peer *peer, struct backend_info *info) {
    struct utsname name;
    (void)peer;
    *info = (struct backend_info){.usable = 1,
                                  .boots = 1,
                                  .unit = peer_native.unit,
                                  .trust = probe_host_is_virtual() ? TRUST_NESTED : TRUST_REAL};
    snprintf(info->version, sizeof(info->version), "Linux %s",
             uname(&name) ? "unknown" : name.release);
}

static void folder_remove(const char *path) {
    DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int native_run(const struct peer *peer, int output, struct peer_ran *ran,
                      struct error *error) {
    char file[32], folder[] = HOST_FOLDER, number[4][24];
    if (!mkdtemp(folder))
        return error_set(error, -errno, "cannot make a folder in /dev/shm: %s", strerror(errno));
    snprintf(file, sizeof(file), "/proc/self/fd/%d", output);
    const unsigned long long value[] = {peer->warmup, peer->batch, peer->samples, peer->seed};
    for (size_t i = 0; i < 4; i++)
        snprintf(number[i], sizeof(number[i]), "%llu", value[i]);
    const char *const argv[] = {peer->program, file,      folder,    number[0],
                                number[1],     number[2], number[3], NULL};
    struct child child = {.argv = (char *const *)argv,
                          .inherit = &output,
                          .inherits = 1,
                          .console_read = -1,
                          .console_write = -1};
    int status = execute(peer, &child, ran, error);
    folder_remove(folder);
    return status;
}

const struct peer_place peer_native = {
    .layout = "linux-native",
    .backend = "native",
    .unit = "cycles",
    .boots = 5,
    .probe = native_probe,
    .run = native_run,
};

/* ---- a guest under QEMU ---- */

static void backend_ask(const char *name, struct backend_info *info) {
    const struct backend_options options = {.kvm_device = "/dev/kvm"};
    backend_find(name)->probe(&options, info);
}

static void guest_probe(const struct peer *peer, struct backend_info *info) {
    (void)peer;
    backend_ask("qemu", info);
}

static void kvm_probe(const struct peer *peer, struct backend_info *info) {
    (void)peer;
    backend_ask("kvm", info);
    char *program = child_find(QEMU);
    if (info->usable && !program) {
        info->usable = 0;
        snprintf(info->why, sizeof(info->why),
                 QEMU " is not in $PATH; install the Debian package qemu-system-x86");
    }
    free(program);
}

/* What makes the clock and the machine of a place. */
static void add_engine(const struct peer *peer, struct arguments *arguments, const char *seed) {
    if (peer->place == &peer_kvm) {
        add(arguments, "-accel", "kvm");
        add(arguments, "-cpu", "host");
        return;
    }
    add(arguments, "-accel", "tcg");
    /*
     * With these two bits Linux copies by bytes, each of which the clock counts; without, by eight, as
     * our kernel does.
     */
    add(arguments, "-cpu", "max,-erms,-fsrm");
    add(arguments, "-icount", "shift=0,sleep=off");
    add(arguments, "-rtc", "base=2024-01-01T00:00:00,clock=vm");
    add(arguments, "-seed", seed);
}

static int guest_start(const struct peer *peer, const char *program, int initramfs, int output,
                       struct peer_ran *ran, struct error *error) {
    struct arguments arguments = {0};
    int console[2];
    char append[256], initrd[32], serial[48], text[64], port[48], end[48], seed[24];
    if (pipe2(console, O_CLOEXEC) < 0)
        return error_set(error, -errno, "cannot make a pipe for the console: %s", strerror(errno));
    snprintf(append, sizeof(append),
             "console=ttyS0 quiet panic=-1 mitigations=%s -- port " GUEST_FOLDER " %u %u %u %llu",
             peer->mitigations, peer->warmup, peer->batch, peer->samples,
             (unsigned long long)peer->seed);
    snprintf(initrd, sizeof(initrd), "/proc/self/fd/%d", initramfs);
    snprintf(serial, sizeof(serial), "file:/proc/self/fd/%d", console[1]);
    snprintf(text, sizeof(text), "file,id=text,path=/proc/self/fd/%d", output);
    snprintf(port, sizeof(port), "isa-debugcon,iobase=%#x,chardev=text", PEER_PORT_TEXT);
    snprintf(end, sizeof(end), "isa-debug-exit,iobase=%#x,iosize=4", PEER_PORT_EXIT);
    snprintf(seed, sizeof(seed), "%u", (unsigned)peer->seed);
    add(&arguments, program, NULL);
    add_engine(peer, &arguments, seed);
    add(&arguments, "-m", GUEST_MEMORY);
    add(&arguments, "-M", "microvm,acpi=off");
    add(&arguments, "-nodefaults", "-no-user-config");
    add(&arguments, "-display", "none");
    add(&arguments, "-vga", "none");
    add(&arguments, "-net", "none");
    add(&arguments, "-no-reboot", NULL);
    add(&arguments, "-serial", serial);
    add(&arguments, "-chardev", text);
    add(&arguments, "-device", port);
    add(&arguments, "-device", end);
    add(&arguments, "-kernel", peer->kernel);
    add(&arguments, "-initrd", initrd);
    add(&arguments, "-append", append);
    const int inherit[] = {initramfs, output};
    struct child child = {.argv = (char *const *)arguments.item,
                          .inherit = inherit,
                          .inherits = 2,
                          .console_read = console[0],
                          .console_write = console[1]};
    return execute(peer, &child, ran, error);
}

static int guest_run(const struct peer *peer, int output, struct peer_ran *ran,
                     struct error *error) {
    char *program = child_find(QEMU);
    if (!program)
        return error_set(error, -ENOENT, QEMU " is not in $PATH");
    int initramfs = peer_initramfs(peer->program, error);
    int status =
        initramfs < 0 ? initramfs : guest_start(peer, program, initramfs, output, ran, error);
    if (initramfs >= 0)
        close(initramfs);
    free(program);
    return status;
}

const struct peer_place peer_guest = {
    .layout = "linux-guest",
    .backend = "qemu",
    .unit = "instructions",
    .boots = 2,
    .is_guest = 1,
    .probe = guest_probe,
    .run = guest_run,
};

const struct peer_place peer_kvm = {
    .layout = "linux-kvm",
    .backend = "kvm",
    .unit = "cycles",
    .boots = 5,
    .is_guest = 1,
    .probe = kvm_probe,
    .run = guest_run,
};
