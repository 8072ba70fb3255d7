/*
 * Our own VMM on the KVM API (Linux Documentation/virt/kvm/api.rst): one VM, one memory slot, one
 * virtual CPU in a thread of its own. Private to the kvm*.c files.
 */
#ifndef BULKHEAD_KVM_H
#define BULKHEAD_KVM_H

#include "backend.h"
#include "virtio_blk.h"
#include <linux/kvm.h>
#include <stdatomic.h>

#define KVM_CONSOLE_BYTES (256u << 10)

struct kvm_machine {
    const struct boot *boot;
    struct boot_result *result;
    double start;        /* seconds, when the run began */
    int kvm, vm, vcpu;   /* descriptors, or -1 */
    struct kvm_run *run; /* shared with the kernel, run_bytes long */
    size_t run_bytes;
    int irqchip;             /* 1: the kernel emulates the local APIC */
    struct virtio_blk *disk; /* the device that the plan wants, or NULL */
    int disk_line;           /* of its interrupt, as KVM was told last */
    uint32_t entry;          /* the guest's PVH entry */
    size_t console_bytes;
    int ended;       /* eventfd: the vCPU thread has come to its end */
    atomic_int stop; /* the vCPU thread must come back */
    int status;      /* of the vCPU thread: 0 or a negative errno */
    struct error error;
};

/*
 * Opens the device and checks that it is KVM with every capability needed. Returns the descriptor.
 */
int kvm_open(const char *device, struct error *error);

/* What the vCPU is told once: CPUID as the host supports it, and the PVH entry state. */
int kvm_cpu_setup(struct kvm_machine *machine);

/*
 * Runs the vCPU until the guest ends or machine->stop is set and the thread is signalled. Fills
 * how_ended, crashed and the console.
 */
int kvm_cpu_loop(struct kvm_machine *machine);

/* "KVM_EXIT_IO" and so on for an exit reason, or NULL for one that this header does not know. */
const char *kvm_exit_name(uint32_t reason);

/*
 * Describes an exit that no guest of ours should cause: in one line in how_ended, after what it
 * `means`; with registers and the code at rip on the console.
 */
void kvm_exit_describe(struct kvm_machine *machine, const char *means);

/* Adds to the console's text, up to its limit, and shows it when the boot is verbose. */
void kvm_console_add(struct kvm_machine *machine, const char *text, size_t bytes);

#endif
