/*
 * The Linux peer: measures the cells of cells.h and tells their raw values, a JSON object a line, in a
 * file, or, as the first process of a guest, by a port. What the values mean is the host's business.
 */
#include "bench.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

struct bench bench;
static pid_t self;
static int is_guest;
static FILE *output; /* of the host; a guest's goes by the port */
static const char *folder;

static const struct {
    const char *workload;
    void (*measure)(const struct peer_cell *cell, struct outcome *outcome);
} workloads[] = {
    {"abi-call", measure_abi_call},     {"yield", measure_yield},
    {"create-sip", measure_create_sip}, {"create-thread", measure_create_thread},
    {"page-alloc", measure_page_alloc}, {"ping-pong", measure_ping_pong},
    {"webfiles", measure_webfiles},
};
#define WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

/* ---- telling ---- */

static void tell(const char *text, size_t bytes) {
    if (!is_guest)
        fwrite(text, 1, bytes, output);
    for (size_t i = 0; is_guest && i < bytes; i++)
        outb((unsigned char)text[i], PEER_PORT_TEXT);
}

static _Noreturn void leave(int status) {
    if (is_guest)
        outl(PEER_EXIT_VALUE, PEER_PORT_EXIT);
    exit(status);
}

void peer_fail(const char *what) {
    char text[256];
    int length = snprintf(text, sizeof(text), "{\"failed\":\"%s: %s\"}\n", what, strerror(errno));
    if (getpid() == self) {
        tell(text, (size_t)length);
        leave(1);
    }
    fputs(text, stderr);
    _exit(1);
}

/* A JSON string of printable ASCII; other bytes become blanks. */
static void print_string(const char *text, FILE *to) {
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', to);
        fputc(*text >= ' ' && *text <= '~' ? *text : ' ', to);
    }
    fputc('"', to);
}

static void print_file(const char *path, FILE *to) {
    char text[2048] = "unknown";
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (got > 0)
        text[text[got - 1] == '\n' ? got - 1 : got] = '\0';
    print_string(text, to);
}

static FILE *line_open(char **text, size_t *bytes) {
    FILE *to = open_memstream(text, bytes);
    if (!to)
        peer_fail("open_memstream");
    return to;
}

static void line_tell(FILE *line, char **text, const size_t *bytes) {
    fputc('\n', line);
    if (fclose(line))
        peer_fail("open_memstream");
    tell(*text, *bytes);
    free(*text);
}

/* What the measured system says of itself. */
static void tell_system(void) {
    static const char vulnerabilities[] = "/sys/devices/system/cpu/vulnerabilities";
    struct utsname name;
    char *text;
    size_t bytes;
    FILE *line = line_open(&text, &bytes);
    if (uname(&name))
        peer_fail("uname");
    fprintf(line, "{\"cells\":%zu,\"kernel\":", PEER_CELLS);
    print_string(name.release, line);
    fputs(",\"kernel_build\":", line);
    print_string(name.version, line);
    fputs(",\"command_line\":", line);
    print_file("/proc/cmdline", line);
    fputs(",\"clocksource\":", line);
    print_file("/sys/devices/system/clocksource/clocksource0/current_clocksource", line);
    fputs(",\"mitigations\":{", line);
    DIR *dir = opendir(vulnerabilities);
    const struct dirent *entry;
    const char *comma = "";
    while (dir && (entry = readdir(dir))) {
        char path[512];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", vulnerabilities, entry->d_name);
        fputs(comma, line);
        print_string(entry->d_name, line);
        fputc(':', line);
        print_file(path, line);
        comma = ",";
    }
    if (dir)
        closedir(dir);
    fputs("}}", line);
    line_tell(line, &text, &bytes);
}

static void print_values(const char *key, const uint64_t *values, uint32_t count, FILE *to) {
    fprintf(to, ",\"%s\":[", key);
    for (uint32_t i = 0; i < count; i++)
        fprintf(to, "%s%llu", i ? "," : "", (unsigned long long)values[i]);
    fputc(']', to);
}

static void tell_outcome(size_t cell, const struct outcome *outcome) {
    char *text;
    size_t bytes;
    FILE *line = line_open(&text, &bytes);
    fprintf(line, "{\"cell\":%zu", cell);
    if (outcome->unavailable[0]) {
        fputs(",\"unavailable\":", line);
        print_string(outcome->unavailable, line);
    } else {
        fprintf(line, ",\"operations\":%u,\"oracle\":\"%016llx\"", outcome->operations,
                (unsigned long long)outcome->oracle);
        print_values("samples", bench.values, outcome->samples, line);
        print_values("overheads", bench.values + outcome->samples, outcome->samples, line);
    }
    fputc('}', line);
    line_tell(line, &text, &bytes);
}

/* ---- what the cells share ---- */

/* xorshift64*, Vigna 2016. */
uint64_t peer_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

void peer_fill(uint8_t *to, size_t bytes, uint64_t seed) {
    uint64_t state = seed * 2 + 1, word;
    size_t at = 0;
    for (; at + 8 <= bytes; at += 8) {
        word = peer_random(&state);
        memcpy(to + at, &word, 8);
    }
    for (; at < bytes; at++)
        to[at] = (uint8_t)(peer_random(&state) >> 56);
}

uint64_t peer_checksum(const uint8_t *from, size_t bytes) {
    uint64_t sum = 0xcbf29ce484222325ull ^ bytes, word; /* FNV-1a, eight bytes a step */
    size_t at = 0;
    for (; at + 8 <= bytes; at += 8) {
        memcpy(&word, from + at, 8);
        sum = (sum ^ word) * 0x100000001b3ull;
    }
    for (; at < bytes; at++)
        sum = (sum ^ from[at]) * 0x100000001b3ull;
    return sum;
}

void *peer_shared(size_t bytes) {
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        peer_fail("mmap");
    return at;
}

int peer_fork(void) {
    pid_t pid = fork();
    if (pid < 0)
        peer_fail("fork");
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self)
            _exit(1);
    }
    return pid;
}

const char *peer_folder(void) { return folder; }

/* ---- set-up ---- */

static void guest_start(void) {
    if (iopl(3)) {
        perror("iopl");
        exit(1);
    }
    is_guest = 1;
    const struct {
        const char *type, *at;
    } mounts[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", folder}};
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        mkdir(mounts[i].at, 0755);
        if (mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, NULL))
            peer_fail(mounts[i].at);
    }
}

static void host_start(const char *path) {
    output = fopen(path, "we");
    if (!output) {
        perror(path);
        exit(1);
    }
}

/* The last processor that we may use: all processes of a cell stay on it. */
static void processor_pin(void) {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof(allowed), &allowed))
        peer_fail("sched_getaffinity");
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof(one), &one))
            peer_fail("sched_setaffinity");
        return;
    }
}

static unsigned long number(const char *text, unsigned long least, unsigned long most) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    errno = EINVAL;
    if (end == text || *end || value < least || value > most)
        peer_fail("a number on the command line is out of range");
    return value;
}

static void measure(size_t number) {
    const struct peer_cell *cell = &peer_cells[number];
    struct outcome outcome = {.samples = bench.samples};
    size_t i = 0;
    while (i < WORKLOADS && strcmp(workloads[i].workload, cell->workload))
        i++;
    if (i == WORKLOADS)
        peer_fail(cell->workload);
    workloads[i].measure(cell, &outcome);
    tell_outcome(number, &outcome);
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "exit"))
        return 0; /* the process that create-sip creates */
    self = getpid();
    if (argc != 7) {
        fputs(
            "usage: linux-peer OUTPUT FOLDER WARMUP BATCH SAMPLES SEED\n"
            "Run by `bulkhead peer`; as a guest's first process it takes the port for OUTPUT and\n"
            "mounts a tmpfs at FOLDER.\n",
            stderr);
        return 2;
    }
    folder = argv[2];
    if (self == 1)
        guest_start();
    else
        host_start(argv[1]);
    bench.warmup = (uint32_t)number(argv[3], 0, 1 << 20);
    bench.batch = (uint32_t)number(argv[4], 1, 1 << 20);
    bench.samples = (uint32_t)number(argv[5], 1, PEER_MAX_SAMPLES);
    bench.seed = number(argv[6], 0, ~0ul);
    processor_pin();
    tell_system();
    for (size_t i = 0; i < PEER_CELLS; i++)
        measure(i);
    tell("{\"done\":true}\n", 14);
    if (!is_guest && fclose(output)) {
        perror(argv[1]);
        return 1;
    }
    leave(0);
}
