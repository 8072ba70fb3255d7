/*
 * The kvm backend: builds a VM around the guest's memory, runs its CPU in a thread, and ends it in
 * time. CPU state is kvm_cpu.c's, exits are kvm_exit.c's.
 */
#include "kvm.h"
#include "image.h"
#include "pvh.h"
#include "sip/drivers/disk_content.h"
#include "virtio_disk.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define KICK_SIGNAL SIGUSR1
#define WAIT_MS 20               /* how soon a cancel is noticed */
#define MEMORY_MOST (3ull << 30) /* one slot, below the 32-bit hole of the APIC and the TSS */
#define IDENTITY_MAP_PA                                                                            \
    0xfffbc000ull /* one page, then three for the TSS: where KVM's docs put them */
#define TSS_PA 0xfffbd000ul
#define INTERPRETED_RATIO 10.0 /* a ring-0 loop that is this much slower is not run by the CPU */

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- being called back from KVM_RUN ---- */

static __thread struct kvm_run *kick_run;

static void kick_note(int signal) {
    (void)signal;
    if (kick_run)
        kick_run->immediate_exit = 1; /* also when the signal comes just before KVM_RUN */
}

/* ---- the device ---- */

static const struct {
    int number;
    const char *name;
} needed[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
    {KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR"},
    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
};

int kvm_open(const char *device, struct error *error) {
    int kvm = open(device, O_RDWR | O_CLOEXEC);
    if (kvm < 0 && errno == ENOENT)
        return error_set(error, -ENOENT,
                         "%s does not exist; load kvm_intel or kvm_amd, and switch virtualization "
                         "on in the firmware (in a VM: nested virtualization)",
                         device);
    if (kvm < 0 && (errno == EACCES || errno == EPERM))
        return error_set(error, -errno, "%s: %s; add yourself to the group that owns it (kvm)",
                         device, strerror(errno));
    if (kvm < 0)
        return error_set(error, -errno, "%s: %s", device, strerror(errno));
    int version = ioctl(kvm, KVM_GET_API_VERSION, 0);
    int status = 0;
    if (version < 0)
        status = error_set(error, -ENOTTY, "%s is not a KVM device", device);
    else if (version != KVM_API_VERSION)
        status = error_set(error, -EPROTO, "%s has KVM API version %d, and this program %d", device,
                           version, KVM_API_VERSION);
    for (size_t i = 0; !status && i < sizeof(needed) / sizeof(needed[0]); i++)
        if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i].number) <= 0)
            status = error_set(error, -ENOTSUP, "%s lacks %s", device, needed[i].name);
    if (!status)
        return kvm;
    close(kvm);
    return status;
}

/* ---- the machine ---- */

static int vm_create(struct kvm_machine *machine, struct error *error) {
    struct guest_memory *memory = &machine->result->memory;
    uint64_t identity_map = IDENTITY_MAP_PA;
    struct kvm_userspace_memory_region slot = {.memory_size = memory->bytes,
                                               .userspace_addr = (uintptr_t)memory->base};
    machine->vm = ioctl(machine->kvm, KVM_CREATE_VM, 0);
    if (machine->vm < 0)
        return error_set(error, -errno, "KVM_CREATE_VM: %s", strerror(errno));
    if (ioctl(machine->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0)
        return error_set(error, -errno, "KVM_SET_IDENTITY_MAP_ADDR: %s", strerror(errno));
    if (ioctl(machine->vm, KVM_SET_TSS_ADDR, TSS_PA) < 0)
        return error_set(error, -errno, "KVM_SET_TSS_ADDR: %s", strerror(errno));
    machine->irqchip = ioctl(machine->kvm, KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP) > 0;
    if (machine->irqchip && ioctl(machine->vm, KVM_CREATE_IRQCHIP, 0) < 0)
        return error_set(error, -errno, "KVM_CREATE_IRQCHIP: %s", strerror(errno));
    if (ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
        return error_set(error, -errno, "KVM_SET_USER_MEMORY_REGION: %s", strerror(errno));
    return 0;
}

/* The disk that the plan wants; it goes with machine_close(). */
static int disk_create(struct kvm_machine *machine, const struct plan_header *plan,
                       struct error *error) {
    if (!machine->irqchip)
        return error_set(error, -ENOTSUP, "%s lacks KVM_CAP_IRQCHIP, which a device needs",
                         machine->boot->options.kvm_device);
    int fd = virtio_disk_file(plan, error);
    if (fd < 0)
        return fd;
    machine->disk = calloc(1, sizeof(*machine->disk));
    void *data = mmap(NULL, DISK_CONTENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (data != MAP_FAILED && machine->disk) {
        virtio_blk_init(machine->disk, &machine->result->memory, data, DISK_CONTENT_BYTES);
        return 0;
    }
    if (data != MAP_FAILED)
        munmap(data, DISK_CONTENT_BYTES);
    free(machine->disk);
    machine->disk = NULL;
    return error_set(error, -ENOMEM, "out of memory for the disk");
}

static int vcpu_create(struct kvm_machine *machine) {
    int bytes = ioctl(machine->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (bytes < (int)sizeof(struct kvm_run))
        return error_set(&machine->error, -EPROTO, "KVM_GET_VCPU_MMAP_SIZE: %d is too small",
                         bytes);
    machine->vcpu = ioctl(machine->vm, KVM_CREATE_VCPU, 0);
    if (machine->vcpu < 0)
        return error_set(&machine->error, -errno, "KVM_CREATE_VCPU: %s", strerror(errno));
    void *run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu, 0);
    if (run == MAP_FAILED)
        return error_set(&machine->error, -errno, "mapping the vCPU: %s", strerror(errno));
    machine->run = run;
    machine->run_bytes = (size_t)bytes;
    return 0;
}

static void machine_close(struct kvm_machine *machine) {
    if (machine->disk)
        munmap(machine->disk->disk, DISK_CONTENT_BYTES);
    free(machine->disk);
    if (machine->run)
        munmap(machine->run, machine->run_bytes);
    if (machine->vcpu >= 0)
        close(machine->vcpu);
    if (machine->vm >= 0)
        close(machine->vm);
    if (machine->kvm >= 0)
        close(machine->kvm);
    if (machine->ended >= 0)
        close(machine->ended);
}

/* KVM wants every vCPU ioctl from the thread that created the vCPU. */
static void *vcpu_thread(void *argument) {
    struct kvm_machine *machine = argument;
    machine->status = vcpu_create(machine);
    if (!machine->status)
        machine->status = kvm_cpu_setup(machine);
    if (!machine->status) {
        kick_run = machine->run;
        machine->status = kvm_cpu_loop(machine);
        kick_run = NULL;
    }
    eventfd_write(machine->ended, 1);
    return NULL;
}

/* Starts the vCPU and waits for its end, which it brings about when the time is up. */
static int machine_run(struct kvm_machine *machine, struct error *error) {
    const struct boot *boot = machine->boot;
    struct sigaction kick = {.sa_handler = kick_note}; /* no SA_RESTART: KVM_RUN must return */
    sigset_t others, kept;
    pthread_t thread;
    sigemptyset(&kick.sa_mask);
    sigaction(KICK_SIGNAL, &kick, NULL);
    sigfillset(&others); /* the vCPU gets no signal but the kick */
    sigdelset(&others, KICK_SIGNAL);
    pthread_sigmask(SIG_SETMASK, &others, &kept);
    int failed = pthread_create(&thread, NULL, vcpu_thread, machine);
    pthread_sigmask(SIG_SETMASK, &kept, NULL);
    if (failed)
        return error_set(error, -failed, "cannot start a thread for the vCPU: %s",
                         strerror(failed));
    double deadline = machine->start + boot->timeout_ms / 1000.0;
    int cancelled = 0, timed_out = 0;
    struct pollfd ended = {.fd = machine->ended, .events = POLLIN};
    while (poll(&ended, 1, WAIT_MS) <= 0) {
        cancelled |= boot->cancel && *boot->cancel;
        timed_out |= seconds_now() >= deadline;
        if (cancelled || timed_out) {
            atomic_store(&machine->stop, 1);
            pthread_kill(thread, KICK_SIGNAL);
        }
    }
    pthread_join(thread, NULL);
    if (machine->status)
        *error = machine->error;
    if (machine->status || !cancelled) {
        if (timed_out && !machine->result->how_ended[0]) {
            snprintf(machine->result->how_ended, sizeof(machine->result->how_ended),
                     "timeout after %g s", boot->timeout_ms / 1000.0);
            machine->result->crashed = 1;
        }
        return machine->status;
    }
    return error_set(error, -EINTR, "interrupted");
}

static int kvm_backend_run(const struct boot *boot, struct boot_result *result,
                           struct error *error) {
    struct kvm_machine machine = {
        .boot = boot, .result = result, .start = seconds_now(), .kvm = -1, .vm = -1, .vcpu = -1};
    *result = (struct boot_result){.memory.fd = -1};
    if (boot->memory_bytes > MEMORY_MOST)
        return error_set(error, -EINVAL, "guest memory of %llu MiB is more than 3072 MiB",
                         (unsigned long long)boot->memory_bytes >> 20);
    int status = machine.kvm = kvm_open(boot->options.kvm_device, error);
    if (status >= 0)
        status = guest_memory_alloc(&result->memory, boot->memory_bytes, error);
    if (!status)
        status = image_load(&result->memory, boot->kernel_path, &machine.entry, error);
    if (!status)
        status = pvh_start_info_write(&result->memory, boot->plan, boot->plan_bytes, error);
    if (!status) {
        result->console = calloc(1, KVM_CONSOLE_BYTES);
        if (!result->console)
            status = error_set(error, -ENOMEM, "out of memory for the console");
    }
    if (!status && (machine.ended = eventfd(0, EFD_CLOEXEC)) < 0)
        status = error_set(error, -errno, "eventfd: %s", strerror(errno));
    if (!status)
        status = vm_create(&machine, error);
    const struct plan_header *wants = virtio_disk_plan(boot);
    if (!status && wants)
        status = disk_create(&machine, wants, error);
    if (!status)
        status = machine_run(&machine, error);
    result->boot_seconds = seconds_now() - machine.start;
    machine_close(&machine);
    if (status)
        boot_result_free(result);
    return status;
}

/* ---- the verdict ---- */

/* Names what runs under the API, for the manifest. */
static void version_find(struct backend_info *info) {
    static const char *const modules[] = {"kvm_intel", "kvm_amd", "kvm_pvm"};
    const char *found = "unknown module";
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
        if (!access(path, F_OK))
            found = modules[i];
    }
    snprintf(info->version, sizeof(info->version), "KVM API %d, %s", KVM_API_VERSION, found);
}

/* Says what is wrong with the figures that the probe brought back; returns 1 when nothing is. */
static int figures_judge(const struct probe_report *probe, char *why, size_t bytes) {
    const struct probe_test *by_syscall = &probe->test[PROBE_SYSCALL];
    const struct probe_test *by_int = &probe->test[PROBE_INT];
    double ratio = probe->test[PROBE_LOOP].ticks / probe->native_ticks;
    int interprets = ratio >= INTERPRETED_RATIO;
    int fails = !by_syscall->passed || !by_int->passed;
    int length = 0;
    if (interprets)
        length = snprintf(why, bytes,
                          "interprets ring 0 (a million loops take %.3g ticks, on the host itself "
                          "%.3g: %.0f times as long)",
                          probe->test[PROBE_LOOP].ticks, probe->native_ticks, ratio);
    if (fails && length < (int)bytes)
        snprintf(why + length, bytes - (size_t)length,
                 "%sfails the ring-3 round trip (syscall %s%.60s; int %s%.60s)",
                 interprets ? " and " : "", by_syscall->passed ? "works" : "ends in ",
                 by_syscall->passed ? "" : by_syscall->how, by_int->passed ? "works" : "ends in ",
                 by_int->passed ? "" : by_int->how);
    return !interprets && !fails;
}

extern const struct backend backend_kvm;

static void kvm_backend_probe(const struct backend_options *options, struct backend_info *info) {
    *info = (struct backend_info){.unit = "cycles", .trust = TRUST_EMULATED};
    struct error error = {""};
    int kvm = kvm_open(options->kvm_device, &error);
    if (kvm >= 0) {
        close(kvm);
        version_find(info);
        info->boots = !probe_measure(&backend_kvm, options, &info->probe, &error);
    }
    if (!info->boots) {
        snprintf(info->why, sizeof(info->why), "%s", error.text);
        return;
    }
    info->usable = figures_judge(&info->probe, info->why, sizeof(info->why));
    if (info->usable)
        info->trust = probe_host_is_virtual() ? TRUST_NESTED : TRUST_REAL;
}

const struct backend backend_kvm = {
    .name = "kvm",
    .about = "our own VMM on KVM: cycles of this processor",
    .probe = kvm_backend_probe,
    .run = kvm_backend_run,
};
