/*
 * The bochs backend: the guest in Bochs, an interpreter that keeps to the manuals where QEMU's TCG is
 * lax and has CPU models with what TCG lacks. Its debugger brings back the result region at the end.
 * Everything that Bochs reads or writes is an unnamed file: nothing is left behind however a run ends.
 */
#include "backend.h"
#include "child.h"
#include "domain-config/config.h"
#include "guest-kernel/memlayout.h"
#include "guest-kernel/result.h"
#include "image.h"
#include "pvh.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "bochs"
#define MODEL_DEFAULT "tigerlake" /* of Bochs 2.7's models, the one with the most features */
#define MODELS_TIMEOUT_MS 10000
#define MODELS_MOST 64
#define ROM_FILE_BYTES 0x10000
#define MEMORY_MOST                                                                                \
    (2046ull << 20)       /* Bochs reads the image by one read(), which moves 2 GiB less */
#define SPARE_MEGABYTES 1 /* above the guest's memory; bochs_rom.S says what for */
#define MISSING                                                                                    \
    PROGRAM " is not in $PATH; install the Debian packages bochs and bochs-term "                  \
            "(apt-get install bochs bochs-term)"
/* What Bochs prints at the ends of a run. */
#define SAYS_STOPPED "request return to dbg prompt received"
#define SAYS_TRIPLE_FAULT "exception with no resolution"
#define SAYS_PANIC ">>PANIC<<"

extern const uint8_t bochs_rom[], bochs_rom_end[], bochs_rom_parameters[];

struct rom_parameters { /* at bochs_rom_parameters */
    uint32_t memory_bytes, entry, start_info;
};

struct files { /* descriptors of unnamed files */
    int rom, config, script;
    int by_offset, by_identity; /* the result region, read through either of two mappings */
};

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- the files ---- */

static int file_make(const char *name, struct error *error) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        error_set(error, -errno, "cannot make a file for Bochs: memfd_create: %s", strerror(errno));
    return fd;
}

static int text_write(int fd, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int text_write(int fd, struct error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int wrote = vdprintf(fd, format, args);
    va_end(args);
    if (wrote < 0)
        return error_set(error, -EIO, "cannot write a file for Bochs: %s", strerror(errno));
    return 0;
}

static int rom_write(int fd, uint32_t memory_bytes, uint32_t entry, struct error *error) {
    uint8_t rom[256];
    size_t bytes = (size_t)(bochs_rom_end - bochs_rom);
    struct rom_parameters parameters = {memory_bytes, entry, PVH_START_INFO_PA};
    memcpy(rom, bochs_rom, bytes);
    memcpy(rom + (bochs_rom_parameters - bochs_rom), &parameters, sizeof(parameters));
    if (pwrite(fd, rom, bytes, (off_t)(ROM_FILE_BYTES - bytes)) != (ssize_t)bytes)
        return error_set(error, -EIO, "cannot write the ROM for Bochs: %s", strerror(errno));
    return 0;
}

/*
 * The slowest clock that Bochs has lets a console byte leave after 87 instructions. Where the guest
 * ends in a triple fault Bochs goes on to the script all the same; other panics end it.
 */
static int config_write(const struct files *files, const struct guest_memory *memory,
                        const char *model, int console, struct error *error) {
    unsigned long long megabytes = (memory->bytes >> 20) + SPARE_MEGABYTES;
    return text_write(files->config, error,
                      "config_interface: textconfig\n"
                      "display_library: term\n"
                      "plugin_ctrl: iodebug=1, unmapped=0, biosdev=0, speaker=0, parallel=0, "
                      "gameport=0, extfpuirq=0\n"
                      "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy\n"
                      "cpu: model=%s, count=1, ips=1000000, reset_on_triple_fault=0, "
                      "ignore_bad_msrs=0\n"
                      "memory: guest=%llu, host=%llu\n"
                      "romimage: file=/proc/self/fd/%d\n"
                      "optramimage1: file=%s, address=0\n"
                      "com1: enabled=1, mode=file, dev=/proc/self/fd/%d\n"
                      "clock: sync=none, time0=1704067200\n"
                      "log: -\n"
                      "panic: action=fatal, cpu0=report\n"
                      "error: action=ignore\n"
                      "info: action=ignore\n"
                      "debug: action=ignore\n",
                      model, megabytes, megabytes, files->rom, memory->path, console);
}

/*
 * The debugger reads through the page tables of the moment. The kernel has all memory at PHYS_VA, and
 * a small guest has at least the first gigabyte where it is.
 */
static int script_write(const struct files *files, struct error *error) {
    return text_write(files->script, error,
                      "c\n"
                      "writemem \"/proc/self/fd/%d\" %#llx %u\n"
                      "writemem \"/proc/self/fd/%d\" %#llx %u\n"
                      "q\n",
                      files->by_offset, PHYS_VA + RESULT_PA, RESULT_BYTES, files->by_identity,
                      RESULT_PA, RESULT_BYTES);
}

static void files_close(const struct files *files) {
    const int all[] = {files->rom, files->config, files->script, files->by_offset,
                       files->by_identity};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] >= 0)
            close(all[i]);
}

static int files_open(struct files *files, struct error *error) {
    files->rom = file_make("bulkhead-rom", error);
    files->config = file_make("bulkhead-bochsrc", error);
    files->script = file_make("bulkhead-script", error);
    files->by_offset = file_make("bulkhead-result", error);
    files->by_identity = file_make("bulkhead-result", error);
    if (files->rom < 0 || files->config < 0 || files->script < 0 || files->by_offset < 0 ||
        files->by_identity < 0)
        return -EMFILE;
    return 0;
}

/* ---- one run ---- */

/* Takes what the debugger wrote; a guest without a working page table leaves nothing. */
static void result_take(const struct files *files, const struct guest_memory *memory) {
    uint8_t *to = guest_memory_at(memory, RESULT_PA, RESULT_BYTES);
    const int from[] = {files->by_offset, files->by_identity};
    struct stat about;
    for (size_t i = 0; to && i < sizeof(from) / sizeof(from[0]); i++)
        if (!fstat(from[i], &about) && about.st_size == RESULT_BYTES &&
            pread(from[i], to, RESULT_BYTES, 0) == (ssize_t)RESULT_BYTES)
            return;
}

/* The line that says what went wrong: the panic, or the last one with anything in it. */
static void complaint_find(const char *output, char *text, size_t bytes) {
    const char *at = strstr(output, SAYS_PANIC);
    if (at) {
        at += strlen(SAYS_PANIC);
    } else {
        const char *end = output + strlen(output);
        while (end > output && !isalnum((unsigned char)end[-1]))
            end--;
        for (at = end; at > output && at[-1] != '\n';)
            at--;
    }
    snprintf(text, bytes, "%.*s", (int)strcspn(at, "\n"), at + strspn(at, " "));
}

static int ending_read(const struct child_result *child, const struct boot *boot,
                       struct boot_result *result, struct error *error) {
    const char *output = child->output.text;
    char *how = result->how_ended, complaint[300];
    size_t room = sizeof(result->how_ended);
    if (child->cancelled || (boot->cancel && *boot->cancel))
        return error_set(error, -EINTR, "interrupted");
    complaint_find(output, complaint, sizeof(complaint));
    result->crashed = 1;
    if (child->timed_out) {
        snprintf(how, room, "timeout after %g s", boot->timeout_ms / 1000.0);
    } else if (WIFSIGNALED(child->wait_status)) {
        snprintf(how, room, "Bochs was ended by signal %d: %s", WTERMSIG(child->wait_status),
                 complaint);
    } else if (strstr(output, SAYS_TRIPLE_FAULT)) {
        snprintf(how, room, "triple fault");
    } else if (strstr(output, SAYS_STOPPED)) {
        snprintf(how, room, "exit port");
        result->crashed = 0;
    } else {
        return error_set(error, -EIO, "Bochs failed with status %d: %s",
                         WEXITSTATUS(child->wait_status), complaint);
    }
    return 0;
}

/* This process's environment, but TERM: Bochs wants to know a terminal, and draws into a pipe. */
static char **environment_make(void) {
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **own = calloc(count + 2, sizeof(*own));
    for (size_t i = 0; own && i < count; i++)
        if (strncmp(environ[i], "TERM=", 5))
            own[kept++] = environ[i];
    if (own)
        own[kept] = "TERM=linux";
    return own;
}

static int bochs_start(const struct boot *boot, const char *program, const struct files *files,
                       struct boot_result *result, struct error *error) {
    const char *model = boot->options.cpu_model ? boot->options.cpu_model : MODEL_DEFAULT;
    int console[2];
    if (pipe2(console, O_CLOEXEC) < 0)
        return error_set(error, -errno, "cannot make a pipe for the console: %s", strerror(errno));
    int status = config_write(files, &result->memory, model, console[1], error);
    if (!status)
        status = script_write(files, error);
    char **environment = status ? NULL : environment_make();
    if (!status && !environment)
        status = error_set(error, -ENOMEM, "out of memory for an environment");
    if (status) {
        close(console[0]);
        close(console[1]);
        return status;
    }
    char config[64], script[64];
    snprintf(config, sizeof(config), "/proc/self/fd/%d", files->config);
    snprintf(script, sizeof(script), "/proc/self/fd/%d", files->script);
    const char *const argv[] = {program, "-q", "-f", config, "-rc", script, NULL};
    const int inherit[] = {result->memory.fd, files->rom,       files->config,
                           files->script,     files->by_offset, files->by_identity};
    struct child child = {.argv = (char *const *)argv,
                          .environment = environment,
                          .inherit = inherit,
                          .inherits = sizeof(inherit) / sizeof(inherit[0]),
                          .console_read = console[0],
                          .console_write = console[1],
                          .verbose = boot->verbose,
                          .timeout_ms = boot->timeout_ms,
                          .timeout_signal =
                              SIGINT, /* the debugger stops and goes on to the script */
                          .cancel = boot->cancel};
    struct child_result ran;
    double start = seconds_now();
    status = child_run(&child, &ran, error);
    result->boot_seconds = seconds_now() - start;
    if (!status)
        status = ending_read(&ran, boot, result, error);
    if (!status)
        result_take(files, &result->memory);
    result->console = ran.console.text;
    free(ran.output.text);
    free(environment);
    return status;
}

static int bochs_run(const struct boot *boot, struct boot_result *result, struct error *error) {
    struct files files;
    uint32_t entry;
    *result = (struct boot_result){.memory.fd = -1};
    if (boot->memory_bytes > MEMORY_MOST || boot->memory_bytes % (1u << 20))
        return error_set(error, -EINVAL,
                         "guest memory of %llu bytes: bochs takes whole MiB, and at most %llu",
                         (unsigned long long)boot->memory_bytes, MEMORY_MOST >> 20);
    char *program = child_find(PROGRAM);
    if (!program)
        return error_set(error, -ENOENT, MISSING);
    int status = files_open(&files, error);
    if (!status)
        status = guest_memory_alloc(&result->memory, boot->memory_bytes, error);
    if (!status)
        status = image_load(&result->memory, boot->kernel_path, &entry, error);
    if (!status)
        status = pvh_start_info_write(&result->memory, boot->plan, boot->plan_bytes, error);
    if (!status)
        status = rom_write(files.rom, (uint32_t)boot->memory_bytes, entry, error);
    if (!status)
        status = bochs_start(boot, program, &files, result, error);
    files_close(&files);
    if (status)
        boot_result_free(result);
    free(program);
    return status;
}

/* ---- the verdict ---- */

/* Reads what `bochs --help cpu` prints: Bochs's name and version, and a CPU model a line. */
static void help_read(char *output, struct backend_info *info) {
    size_t length = 0;
    char *rest = NULL;
    for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        line += strspn(line, " ");
        if (!strncmp(line, "Bochs ", 6) && !info->version[0])
            snprintf(info->version, sizeof(info->version), "%s", line);
        else if (*line && !line[strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_")] &&
                 length < sizeof(info->cpu_models))
            length += (size_t)snprintf(info->cpu_models + length, sizeof(info->cpu_models) - length,
                                       "%s%s", length ? " " : "", line);
    }
}

static int models_find(const char *program, struct backend_info *info, struct error *error) {
    const char *const argv[] = {program, "--help", "cpu", NULL};
    struct child child = {.argv = (char *const *)argv,
                          .console_read = -1,
                          .console_write = -1,
                          .timeout_ms = MODELS_TIMEOUT_MS};
    struct child_result ran;
    int status = child_run(&child, &ran, error);
    if (!status)
        help_read(ran.output.text, info);
    if (!status && (!info->version[0] || !info->cpu_models[0]))
        status = error_set(error, -EIO, "%s --help cpu does not list CPU models", program);
    free(ran.console.text);
    free(ran.output.text);
    return status;
}

/* Returns 0 when Bochs has the model; else the error names those that it has. */
static int model_check(const char *model, const struct backend_info *info, struct error *error) {
    char models[sizeof(info->cpu_models)], *rest = NULL;
    const char *names[MODELS_MOST];
    size_t count = 0;
    memcpy(models, info->cpu_models, sizeof(models));
    for (char *name = strtok_r(models, " ", &rest); name && count < MODELS_MOST;
         name = strtok_r(NULL, " ", &rest)) {
        if (!strcmp(name, model))
            return 0;
        names[count++] = name;
    }
    const char *near = config_nearest(model, names, count);
    return error_set(error, -EINVAL,
                     "it has no CPU model %.64s%s%s%s `bulkhead doctor -v` lists them", model,
                     near ? "; did you mean " : ";", near ? near : "", near ? "?" : "");
}

extern const struct backend backend_bochs;

static void bochs_probe(const struct backend_options *options, struct backend_info *info) {
    *info =
        (struct backend_info){.unit = "instructions", .count_exact = 1, .trust = TRUST_EMULATED};
    struct error error = {""};
    const char *model = options->cpu_model ? options->cpu_model : MODEL_DEFAULT;
    char *program = child_find(PROGRAM);
    if (!program) {
        snprintf(info->why, sizeof(info->why), "%s", MISSING);
        return;
    }
    int status = models_find(program, info, &error);
    free(program);
    if (!status)
        status = model_check(model, info, &error);
    if (!status) {
        size_t length = strlen(info->version);
        snprintf(info->version + length, sizeof(info->version) - length, ", CPU model %s", model);
        status = probe_measure(&backend_bochs, options, &info->probe, &error);
        info->boots = !status;
    }
    for (int i = PROBE_LOOP; !status && i < PROBE_TESTS; i++)
        if (!info->probe.test[i].passed)
            status = error_set(&error, -EIO, "a probe guest failed: %s", info->probe.test[i].how);
    if (status)
        snprintf(info->why, sizeof(info->why), "%s", error.text);
    info->usable = !status;
}

const struct backend backend_bochs = {
    .name = "bochs",
    .about = "Bochs, strict and with PCID, CET and VMX models: exact instruction counts, not time",
    .probe = bochs_probe,
    .run = bochs_run,
};
