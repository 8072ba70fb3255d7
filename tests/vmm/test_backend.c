/* Every backend through the one interface, with a fixture guest that ends in every way. */
#include <criterion/criterion.h>
#include "fixture.h"
#include "domain-config/plan.h"
#include "guest-kernel/mechanisms.h"
#include "vmm/backend.h"
#include "vmm/kvm.h"
#include "vmm/result_read.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const struct backend_options options = {.kvm_device = "/dev/kvm"};

static const struct backend *backend_or_skip(const char *name) {
    const struct backend *backend = backend_find(name);
    struct backend_info info;
    cr_assert_not_null(backend);
    backend->probe(&options, &info);
    if (!info.boots)
        cr_skip_test("%s cannot run here: %s", name, info.why);
    return backend;
}

static int boot_fixture(const struct backend *backend, enum fixture_mode mode, uint32_t timeout_ms,
                        const volatile int *cancel, struct boot_result *result,
                        struct error *error) {
    struct plan_header plan = {.magic = PLAN_MAGIC, .seed = mode, .layout = "fixture"};
    struct boot boot = {.kernel_path = FIXTURE_PATH,
                        .plan = &plan,
                        .plan_bytes = sizeof(plan),
                        .memory_bytes = 32u << 20,
                        .timeout_ms = timeout_ms,
                        .options = options,
                        .cancel = cancel};
    return backend->run(&boot, result, error);
}

static void done_is_read(const char *name, const char *how) {
    const struct backend *backend = backend_or_skip(name);
    struct boot_result ended;
    struct error error = {""};
    struct result result;
    cr_assert_eq(boot_fixture(backend, FIXTURE_DONE, 10000, NULL, &ended, &error), 0, "%s",
                 error.text);
    cr_expect_not(ended.crashed);
    cr_expect_str_eq(ended.console, "the fixture runs\n");
    cr_expect_str_eq(ended.how_ended, how);
    cr_expect_gt(ended.boot_seconds, 0.0);
    cr_assert_eq(result_read(guest_memory_at(&ended.memory, RESULT_PA, RESULT_BYTES), RESULT_BYTES,
                             &result, &error),
                 0, "%s", error.text);
    cr_expect_eq(result.header.state, RESULT_DONE);
    cr_expect_eq(result.values[0][0], FIXTURE_RAW);
    result_free(&result);
    boot_result_free(&ended);
}

static void crash_is_told(const char *name, enum fixture_mode mode, const char *how) {
    const struct backend *backend = backend_or_skip(name);
    struct boot_result ended;
    struct error error = {""};
    cr_assert_eq(boot_fixture(backend, mode, 1000, NULL, &ended, &error), 0, "%s", error.text);
    cr_expect(ended.crashed);
    cr_expect_not_null(strstr(ended.how_ended, how), "%s", ended.how_ended);
    boot_result_free(&ended);
}

static volatile int cancel;

static void *cancel_soon(void *unused) {
    struct timespec wait = {.tv_nsec = 300000000};
    nanosleep(&wait, NULL);
    cancel = 1;
    return unused;
}

static void cancel_ends_it(const char *name) {
    const struct backend *backend = backend_or_skip(name);
    struct boot_result ended;
    struct error error = {""};
    pthread_t thread;
    struct timespec start, end;
    cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    cr_expect_eq(boot_fixture(backend, FIXTURE_HANG, 60000, &cancel, &ended, &error), -EINTR);
    clock_gettime(CLOCK_MONOTONIC, &end);
    cr_expect_lt(end.tv_sec - start.tv_sec, 5);
    pthread_join(thread, NULL);
}

Test(qemu, done) { done_is_read("qemu", "exit port with value 1"); }
Test(qemu, triple_fault) { crash_is_told("qemu", FIXTURE_TRIPLE_FAULT, "triple fault"); }
Test(qemu, hang) { crash_is_told("qemu", FIXTURE_HANG, "timeout after 1 s"); }
Test(qemu, flood) { crash_is_told("qemu", FIXTURE_FLOOD, "timeout after 1 s"); }
Test(qemu, cancel) { cancel_ends_it("qemu"); }

Test(bochs, done) { done_is_read("bochs", "exit port"); }
Test(bochs, triple_fault) { crash_is_told("bochs", FIXTURE_TRIPLE_FAULT, "triple fault"); }
Test(bochs, hang) { crash_is_told("bochs", FIXTURE_HANG, "timeout after 1 s"); }
Test(bochs, flood) { crash_is_told("bochs", FIXTURE_FLOOD, "timeout after 1 s"); }
Test(bochs, hang_brings_back_what_there_is) {
    const struct backend *backend = backend_or_skip("bochs");
    struct boot_result ended;
    struct error error = {""};
    struct result result;
    cr_assert_eq(boot_fixture(backend, FIXTURE_HANG, 1000, NULL, &ended, &error), 0);
    cr_assert_eq(result_read(guest_memory_at(&ended.memory, RESULT_PA, RESULT_BYTES), RESULT_BYTES,
                             &result, &error),
                 0, "%s", error.text);
    cr_expect_eq(result.header.state, RESULT_RUNNING);
    result_free(&result);
    boot_result_free(&ended);
}
Test(bochs, memory_that_one_read_does_not_fill) {
    struct boot boot = {.kernel_path = FIXTURE_PATH,
                        .plan = "",
                        .plan_bytes = 1,
                        .memory_bytes = 2048ull << 20,
                        .options = options};
    struct boot_result ended;
    struct error error = {""};
    cr_expect_eq(backend_find("bochs")->run(&boot, &ended, &error), -EINVAL);
}
Test(bochs, cancel) { cancel_ends_it("bochs"); }

Test(kvm, done) { done_is_read("kvm", "exit port with value 1"); }
Test(kvm, triple_fault) { crash_is_told("kvm", FIXTURE_TRIPLE_FAULT, "triple fault"); }
Test(kvm, hang) { crash_is_told("kvm", FIXTURE_HANG, "timeout after 1 s"); }
Test(kvm, flood) { crash_is_told("kvm", FIXTURE_FLOOD, "timeout after 1 s"); }
Test(kvm, stray) { crash_is_told("kvm", FIXTURE_STRAY, "guest-physical 0x3ff00000"); }
Test(kvm, cancel) { cancel_ends_it("kvm"); }

Test(kvm, doorbell_times_the_first_sip) {
    const struct backend *backend = backend_or_skip("kvm");
    struct boot_result ended;
    struct error error = {""};
    cr_assert_eq(boot_fixture(backend, FIXTURE_DONE, 10000, NULL, &ended, &error), 0);
    cr_expect(ended.first_sip_seconds > 0 && ended.first_sip_seconds <= ended.boot_seconds);
    boot_result_free(&ended);
}

Test(kvm, no_memory_beyond_one_slot) {
    struct boot boot = {.kernel_path = FIXTURE_PATH,
                        .plan = "",
                        .plan_bytes = 1,
                        .memory_bytes = (3ull << 30) + 4096,
                        .options = options};
    struct boot_result ended;
    struct error error = {""};
    cr_expect_eq(backend_find("kvm")->run(&boot, &ended, &error), -EINVAL);
}

Test(kvm, devices_that_are_not_kvm_are_named) {
    struct error error = {""};
    cr_expect_eq(kvm_open("/nonexistent/kvm", &error), -ENOENT);
    cr_expect_not_null(strstr(error.text, "/nonexistent/kvm does not exist"));
    cr_expect_eq(kvm_open("/dev/null", &error), -ENOTTY);
    cr_expect_not_null(strstr(error.text, "not a KVM device"));
}

static const struct kvm_cpuid_entry2 *supported_find(const struct kvm_cpuid2 *cpuid,
                                                     uint32_t leaf) {
    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == leaf && !cpuid->entries[i].index)
            return &cpuid->entries[i];
    return NULL;
}

/* What a mechanism can need is there for the guest where KVM offers it. */
Test(kvm, the_guest_has_what_kvm_offers) {
    static const uint32_t leaf[] = {1, 7, 0x80000001}; /* the first of struct probe_answer */
    const struct backend *backend = backend_or_skip("kvm");
    struct backend_info info;
    struct error error = {""};
    backend->probe(&options, &info);
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
    int kvm = kvm_open("/dev/kvm", &error);
    cr_assert(cpuid && kvm >= 0, "%s", error.text);
    cpuid->nent = 256;
    cr_assert_eq(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid), 0);
    close(kvm);
    size_t compared = 0;
    for (size_t i = 0; i < CPU_FEATURE_COUNT; i++)
        for (size_t k = 0; k < sizeof(leaf) / sizeof(leaf[0]); k++) {
            const struct cpu_feature_row *row = &cpu_feature_table[i];
            if (row->at[0].leaf != leaf[k] || row->at[0].subleaf)
                continue;
            const struct kvm_cpuid_entry2 *entry = supported_find(cpuid, leaf[k]);
            const uint32_t offered[] = {entry ? entry->eax : 0, entry ? entry->ebx : 0,
                                        entry ? entry->ecx : 0, entry ? entry->edx : 0};
            const uint32_t seen[] = {info.probe.answer.leaf[k].eax, info.probe.answer.leaf[k].ebx,
                                     info.probe.answer.leaf[k].ecx, info.probe.answer.leaf[k].edx};
            cr_expect((seen[row->at[0].reg] | ~offered[row->at[0].reg]) >> row->at[0].bit & 1,
                      "KVM offers %s, and the guest does not have it", row->name);
            compared++;
        }
    cr_expect_eq(compared, CPU_FEATURE_COUNT);
    free(cpuid);
}

/* Exit reasons stand in one block of the header, from KVM_EXIT_UNKNOWN on. */
Test(kvm, every_exit_reason_of_the_header_has_its_name) {
    FILE *header = fopen(KVM_HEADER, "r");
    char line[256], name[64];
    unsigned number, found = 0;
    cr_assert_not_null(header);
    while (fgets(line, sizeof(line), header)) {
        int is_exit =
            sscanf(line, "#define %63s %u", name, &number) == 2 && !strncmp(name, "KVM_EXIT_", 9);
        if (!found && !(is_exit && !strcmp(name, "KVM_EXIT_UNKNOWN")))
            continue;
        if (!is_exit)
            break;
        cr_assert_not_null(kvm_exit_name(number), "%s has no name", name);
        cr_expect_str_eq(kvm_exit_name(number), name);
        found++;
    }
    fclose(header);
    cr_expect_geq(found, 38);
    cr_expect_null(kvm_exit_name(UINT32_MAX));
}
