/*
 * Boots the probe guest on a backend, test by test, and compares it with the host itself. It
 * measures and leaves the verdict to the backend and to doctor.
 */
#include "probe.h"
#include "backend.h"
#include "guest-kernel/result.h"
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define PROBE_TIMEOUT_MS 10000

extern const uint8_t probe_blob[], probe_blob_end[];

_Static_assert(sizeof(struct probe_answer) == 112, "probe_guest.S knows the offsets");
_Static_assert(PROBE_PORT_EXIT == PORT_EXIT && PROBE_PORT_BOCHS == PORT_BOCHS, "ends a run");
_Static_assert(PROBE_BOCHS_OPEN == BOCHS_OPEN && PROBE_BOCHS_STOP == BOCHS_STOP, "likewise");

const struct probe_feature probe_features[] = {
    {"NX", 2, 'd', 20},
    {"1G pages", 2, 'd', 26},
    {"PCID", 0, 'c', 17},
    {"INVPCID", 1, 'b', 10},
    {"SMEP", 1, 'b', 7},
    {"SMAP", 1, 'b', 20},
    {"UMIP", 1, 'c', 2},
    {"PKU", 1, 'c', 3},
    {"CET shadow stack", 1, 'c', 7},
    {"CET IBT", 1, 'd', 20},
    {"FSGSBASE", 1, 'b', 0},
    {"XSAVE", 0, 'c', 26},
    {"RDTSCP", 2, 'd', 27},
    {"invariant TSC", 3, 'd', 8},
    {"VMX", 0, 'c', 5},
    {"SVM", 2, 'c', 2},
    {NULL, 0, 0, 0},
};

int probe_has(const struct probe_answer *answer, const struct probe_feature *feature) {
    uint32_t word = feature->reg == 'b'   ? answer->leaf[feature->leaf].ebx
                    : feature->reg == 'c' ? answer->leaf[feature->leaf].ecx
                                          : answer->leaf[feature->leaf].edx;
    return word >> feature->bit & 1;
}

int probe_host_is_virtual(void) {
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx >> 31 & 1);
}

/* The loop of the guest's first test, on the host: ticks a million turns, the best of a few. */
static double native_loop(void) {
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        uint32_t count = PROBE_LOOP_COUNT;
        uint64_t start = __rdtsc();
        __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(count) : : "cc");
        uint64_t ticks = __rdtsc() - start;
        if (ticks < best)
            best = ticks;
    }
    return (double)best * 1e6 / PROBE_LOOP_COUNT;
}

/* A file that a path can name while `fd` is open, with the probe guest in it. */
static int blob_file(char *path, size_t room, struct error *error) {
    int fd = memfd_create("bulkhead-probe", MFD_CLOEXEC);
    size_t bytes = (size_t)(probe_blob_end - probe_blob);
    if (fd < 0 || write(fd, probe_blob, bytes) != (ssize_t)bytes) {
        int code = -errno;
        if (fd >= 0)
            close(fd);
        return error_set(error, code ? code : -EIO, "cannot hold the probe guest in memory");
    }
    snprintf(path, room, "/proc/%d/fd/%d", (int)getpid(), fd);
    return fd;
}

static int test_run(const struct backend *backend, struct boot *boot, struct probe_test *test,
                    struct probe_answer *answer, struct error *error) {
    struct boot_result result;
    int status = backend->run(boot, &result, error);
    if (status) {
        snprintf(test->how, sizeof(test->how), "%.*s", (int)sizeof(test->how) - 1, error->text);
        return status;
    }
    const void *from = guest_memory_at(&result.memory, PROBE_ANSWER_PA, sizeof(*answer));
    if (from)
        memcpy(answer, from, sizeof(*answer));
    test->passed = from && !result.crashed && answer->magic == PROBE_MAGIC;
    snprintf(test->how, sizeof(test->how), "%s", result.how_ended);
    boot_result_free(&result);
    return 0;
}

int probe_measure(const struct backend *backend, const struct backend_options *options,
                  struct probe_report *report, struct error *error) {
    *report = (struct probe_report){.native_ticks = native_loop()};
    char path[64];
    int fd = blob_file(path, sizeof(path), error), status = 0;
    if (fd < 0)
        return fd;
    for (uint32_t i = PROBE_LOOP; !status && i < PROBE_TESTS; i++) {
        uint32_t plan[1024] = {i};
        struct boot boot = {.kernel_path = path,
                            .plan = plan,
                            .plan_bytes = sizeof(plan),
                            .memory_bytes = PROBE_MEMORY_BYTES,
                            .timeout_ms = PROBE_TIMEOUT_MS,
                            .options = *options};
        struct probe_answer answer = {0};
        struct probe_test *test = &report->test[i];
        status = test_run(backend, &boot, test, &answer, error);
        if (i == PROBE_LOOP) {
            test->ticks = (double)answer.ticks * 1e6 / PROBE_LOOP_COUNT;
            report->port_ticks = (double)answer.port_ticks / PROBE_PORT_COUNT;
            report->answer = answer;
            report->measured = test->passed;
            if (!status && !test->passed)
                status = error_set(error, -EIO, "a guest in ring 0 does not run: %s", test->how);
        } else {
            test->ticks = (double)answer.ticks / PROBE_ROUND_TRIPS;
        }
    }
    close(fd);
    return status;
}
