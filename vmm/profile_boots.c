/*
 * Boots QEMU in this thread; another one talks to its debugger stub, or reads its log. The timers that
 * tick by themselves are taken away: a guest that is stopped and has none does not lose time.
 */
#include "profile_boots.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOG_PIPE_BYTES (1 << 20)
#define PROGRESS_SECONDS 0.5
#define POLL_MS 50
#define KERNEL_OWNER PROFILE_SIPS_MOST
#define SITES_MOST 4096

extern const struct backend backend_qemu;

struct talk {
    struct profile_boots *boots;
    struct profile_gdb gdb;
    struct profile_trace trace;
    const volatile int *ended; /* QEMU has */
    size_t readings;           /* so far */
    uint64_t traced;
    int tracing, finished, status;
    struct error error;
    double told;
};

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void progress(void *context) {
    struct talk *talk = context;
    double now = seconds_now();
    if (now - talk->told < PROGRESS_SECONDS || !isatty(STDERR_FILENO))
        return;
    talk->told = now;
    fputs("\r\033[K", stderr);
    if (talk->boots->wanted)
        fprintf(stderr, "%.0f %% traced",
                100.0 * (double)(talk->traced + talk->trace.total) /
                    (double)talk->boots->wanted_length);
    else
        fprintf(stderr, "%zu readings of the clock", talk->readings);
    fflush(stderr);
}

static void progress_end(const struct talk *talk) {
    if (talk->told > 0)
        fputs("\r\033[K", stderr);
}

/* ---- the first boot: where the clock is read ---- */

/* The fenced readings, LFENCE RDTSC LFENCE, in what an ELF file loads as code. */
static void sites_find(struct profile_boots *boots, const uint8_t *elf, size_t bytes, uint64_t base,
                       uint32_t owner) {
    static const uint8_t reading[] = {0x0f, 0xae, 0xe8, 0x0f, 0x31, 0x0f, 0xae, 0xe8};
    enum {
        BEHIND = 5
    }; /* the LFENCE after it */
    Elf64_Ehdr header;
    memcpy(&header, elf, sizeof(header));
    for (uint32_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr part;
        uint64_t place = header.e_phoff + (uint64_t)i * sizeof(part);
        if (place > bytes || bytes - place < sizeof(part))
            return;
        memcpy(&part, elf + place, sizeof(part));
        if (part.p_type != PT_LOAD || !(part.p_flags & PF_X) || part.p_offset > bytes ||
            part.p_filesz > bytes - part.p_offset)
            continue;
        const uint8_t *start = elf + part.p_offset, *end = start + part.p_filesz, *at = start;
        while ((at = memmem(at, (size_t)(end - at), reading, sizeof(reading))) &&
               boots->sites < SITES_MOST) {
            boots->site[boots->sites++] =
                (struct profile_site){base + part.p_vaddr + (uint64_t)(at - start) + BEHIND, owner};
            at += sizeof(reading);
        }
    }
}

static int sites_locate(struct profile_boots *boots, struct error *error) {
    const struct profile_map *map = boots->map;
    const struct plan_header *plan = map->plan;
    const struct plan_sip *sip = plan_at(plan, plan->sips);
    const struct plan_image *image = plan_at(plan, plan->images);
    boots->site = calloc(SITES_MOST, sizeof(*boots->site));
    if (!boots->site)
        return error_set(error, -ENOMEM, "out of memory for the profile");
    sites_find(boots, boots->kernel, boots->kernel_bytes, 0, KERNEL_OWNER);
    for (uint32_t i = 0; i < map->sips; i++) {
        const struct plan_image *of = &image[sip[map->sip[i].sip].image];
        sites_find(boots, (const uint8_t *)plan + of->offset, of->bytes, map->sip[i].base, i);
    }
    return 0;
}

static const struct profile_site *site_at(const struct profile_boots *boots, uint64_t address) {
    for (size_t i = 0; i < boots->sites; i++)
        if (boots->site[i].address == address)
            return &boots->site[i];
    return NULL;
}

/* Up to where the SIPs are loaded, and none has run. */
static void *talk_locate(void *argument) {
    struct talk *talk = argument;
    struct profile_boots *boots = talk->boots;
    talk->status = profile_gdb_start(&talk->gdb, &talk->error);
    if (!talk->status)
        talk->status = profile_gdb_break(&talk->gdb, boots->map->sip_start, 1, &talk->error);
    if (!talk->status)
        talk->status = profile_gdb_go(&talk->gdb, &talk->error);
    if (!talk->status)
        talk->status = profile_map_update(boots->map, &boots->result.memory, &talk->error);
    if (!talk->status)
        talk->status = sites_locate(boots, &talk->error);
    talk->finished = !talk->status;
    if (talk->status != -EPIPE)
        profile_gdb_end(&talk->gdb);
    return NULL;
}

/* ---- the second boot: when it is read ---- */

/*
 * QEMU ends a block of code behind RDTSC, so that it logs the next one, at the site, together with the
 * registers. Other blocks are filtered out.
 */
static void listen_line(struct talk *talk, const char *line, const struct profile_site **site) {
    static const char executed[] = "Trace ", rax[] = "RAX=", rdx[] = "RDX=";
    const char *low = line, *high;
    if (!strncmp(line, executed, sizeof(executed) - 1)) {
        const char *address = strchr(line, '/');
        *site = address ? site_at(talk->boots, strtoull(address + 1, NULL, 16)) : NULL;
    } else if (*site && !strncmp(low, rax, sizeof(rax) - 1) && (high = strstr(line, rdx))) {
        uint64_t clock = (strtoull(high + sizeof(rdx) - 1, NULL, 16) & 0xffffffff) << 32 |
                         (strtoull(low + sizeof(rax) - 1, NULL, 16) & 0xffffffff);
        if (profile_readings_add(&talk->boots->readings,
                                 (struct profile_reading){clock, (*site)->owner}))
            talk->status = error_set(&talk->error, -ENOMEM, "out of memory for the profile");
        talk->readings++;
        *site = NULL;
    }
}

static void *talk_listen(void *argument) {
    struct talk *talk = argument;
    const struct profile_site *site = NULL;
    char text[4096];
    size_t length = 0;
    for (int ended = 0;; ended = *talk->ended) { /* once more after that */
        struct pollfd wait = {.fd = talk->gdb.log, .events = POLLIN};
        poll(&wait, 1, POLL_MS);
        progress(talk);
        ssize_t got;
        while ((got = read(talk->gdb.log, text + length, sizeof(text) - 1 - length)) > 0) {
            char *line = text, *newline;
            text[length + (size_t)got] = '\0';
            while ((newline = strchr(line, '\n'))) {
                *newline = '\0';
                listen_line(talk, line, &site);
                line = newline + 1;
            }
            length = strlen(line);
            length = length < sizeof(text) - 1 ? length : 0;
            memmove(text, line, length);
        }
        if (ended)
            break;
    }
    talk->finished = 1;
    return NULL;
}

/* ---- the third boot: what runs in between ---- */

/* Gives away what was traced up to this reading. */
static int trace_give(struct talk *talk) {
    const struct profile_boots *boots = talk->boots;
    if (!talk->tracing)
        return 0;
    profile_trace_settle(&talk->trace);
    int status = profile_map_update(boots->map, &boots->result.memory, &talk->error);
    if (!status &&
        (talk->trace.failed || boots->traced(boots->context, talk->readings - 1, &talk->trace)))
        status = error_set(&talk->error, -ENOMEM, "out of memory for the trace");
    talk->traced += talk->trace.total;
    profile_trace_clear(&talk->trace);
    return status;
}

/* At a reading of the clock. Returns 1 when no more is wanted. */
static int reading_take(struct talk *talk, struct profile_reading reading) {
    struct profile_boots *boots = talk->boots;
    const struct profile_readings *known = &boots->readings;
    const struct profile_reading *same =
        talk->readings < known->count ? &known->item[talk->readings] : NULL;
    if (!same || same->clock != reading.clock || same->owner != reading.owner)
        return error_set(&talk->error, -EIO,
                         "two boots differ at reading %zu of the clock: the workload depends on "
                         "more than its input",
                         talk->readings);
    int status = trace_give(talk);
    if (status)
        return status;
    if (talk->readings > boots->wanted_last)
        return 1;
    int wanted = boots->wanted[talk->readings++];
    if (wanted != talk->tracing)
        status = profile_gdb_logging(&talk->gdb, wanted, &talk->error);
    talk->tracing = wanted;
    return status;
}

/* Only where it is read for what is wanted: QEMU goes slowly wherever a breakpoint is near. */
static int sites_break(struct talk *talk) {
    const struct profile_boots *boots = talk->boots;
    int status = 0;
    for (size_t i = 0; !status && i < boots->sites; i++) {
        size_t at = 0;
        while (at < boots->readings.count && boots->readings.item[at].owner != boots->site[i].owner)
            at++;
        if (at < boots->readings.count)
            status = profile_gdb_break(&talk->gdb, boots->site[i].address, 1, &talk->error);
    }
    return status;
}

static int reading_next(struct talk *talk) {
    struct profile_registers registers;
    int status = profile_gdb_go(&talk->gdb, &talk->error);
    if (!status)
        status = profile_gdb_registers(&talk->gdb, &registers, &talk->error);
    const struct profile_site *site = status ? NULL : site_at(talk->boots, registers.rip);
    if (!status && !site)
        status = error_set(&talk->error, -EPROTO, "QEMU stopped at %#llx, where no breakpoint is",
                           (unsigned long long)registers.rip);
    if (!status && site)
        status = reading_take(talk, (struct profile_reading){registers.clock, site->owner});
    return status ? status : profile_gdb_step(&talk->gdb, &talk->error);
}

static void *talk_trace(void *argument) {
    struct talk *talk = argument;
    int status = profile_gdb_start(&talk->gdb, &talk->error);
    if (!status)
        status = sites_break(talk);
    while (!status)
        status = reading_next(talk);
    talk->finished = status == 1;
    talk->status = talk->finished ? 0 : status;
    if (status != -EPIPE)
        profile_gdb_end(&talk->gdb);
    return NULL;
}

/* ---- starting both ---- */

static int boot_run(struct profile_boots *boots, struct talk *talk, void *(*run)(void *),
                    const char *const *arguments, const int inherit[2], struct error *error) {
    struct boot boot = {.kernel_path = boots->cell->kernel_path,
                        .plan = boots->cell->plan,
                        .plan_bytes = boots->cell->plan->total_bytes,
                        .memory_bytes = boots->cell->memory_bytes,
                        .timeout_ms = boots->cell->timeout_ms,
                        .verbose = boots->cell->verbose,
                        .cancel = boots->cell->cancel,
                        .arguments = arguments,
                        .inherit = inherit,
                        .inherits = 2};
    volatile int ended = 0;
    pthread_t thread;
    talk->ended = &ended;
    int status = pthread_create(&thread, NULL, run, talk);
    if (status)
        return error_set(error, -status, "cannot start a thread: %s", strerror(status));
    status = backend_qemu.run(&boot, &boots->result, error);
    ended = 1;
    shutdown(inherit[0], SHUT_RDWR); /* wakes the thread where QEMU never started */
    pthread_join(thread, NULL);
    if (!status && talk->status == -EPIPE)
        status = error_set(error, -EPIPE, "%s", boots->result.how_ended);
    else if (!status && talk->status) {
        *error = talk->error;
        status = talk->status;
    }
    return status;
}

/* Makes the connections, and the command line after `own`; both end with the boot. */
static int boots_run(struct profile_boots *boots, void *(*run)(void *), const char *const *own,
                     struct error *error) {
    int sockets[2] = {-1, -1}, log[2] = {-1, -1};
    struct talk *talk = calloc(1, sizeof(*talk));
    if (!talk)
        return error_set(error, -ENOMEM, "out of memory for the profile");
    int status = 0;
    if (!status && (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) ||
                    pipe2(log, O_CLOEXEC) || fcntl(log[0], F_SETFL, O_NONBLOCK) < 0))
        status = error_set(error, -errno, "cannot make a connection for QEMU: %s", strerror(errno));
    if (!status) {
        char device[64], path[64];
        snprintf(device, sizeof(device), "socket,id=debugger,fd=%d", sockets[1]);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", log[1]);
        const char *arguments[16] = {"-chardev", device, "-D", path, "-machine", "pit=off,rtc=off"};
        for (size_t i = 0, at = 6; own[i]; i++)
            arguments[at++] = own[i];
        fcntl(log[1], F_SETPIPE_SZ, LOG_PIPE_BYTES); /* it works with less, too */
        talk->boots = boots;
        talk->gdb = (struct profile_gdb){.socket = sockets[0],
                                         .log = log[0],
                                         .trace = &talk->trace,
                                         .cancel = boots->cell->cancel,
                                         .waiting = progress,
                                         .waiting_context = talk};
        status = boot_run(boots, talk, run, arguments, (int[]){sockets[1], log[1]}, error);
        progress_end(talk);
        profile_trace_free(&talk->trace);
    }
    for (int i = 0; i < 2; i++) {
        if (sockets[i] >= 0)
            close(sockets[i]);
        if (log[i] >= 0)
            close(log[i]);
    }
    free(talk);
    return status;
}

static const char *const stopped[] = {"-S", "-gdb", "chardev:debugger", NULL};

int profile_boots_locate(struct profile_boots *boots, struct error *error) {
    return boots_run(boots, talk_locate, stopped, error);
}

int profile_boots_listen(struct profile_boots *boots, struct error *error) {
    char *filter = NULL;
    size_t bytes;
    FILE *to = open_memstream(&filter, &bytes);
    for (size_t i = 0; to && i < boots->sites; i++)
        fprintf(to, "%s%#llx+1", i ? "," : "", (unsigned long long)boots->site[i].address);
    if (!to || fclose(to))
        return error_set(error, -ENOMEM, "out of memory for the profile");
    const char *const own[] = {"-d", "exec,cpu,nochain", "-dfilter", filter, NULL};
    int status = boots_run(boots, talk_listen, own, error);
    free(filter);
    return status;
}

int profile_boots_trace(struct profile_boots *boots, struct error *error) {
    return boots_run(boots, talk_trace, stopped, error);
}

void profile_boots_free(struct profile_boots *boots) {
    free(boots->site);
    free(boots->readings.item);
}
