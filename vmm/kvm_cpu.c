/* Setting up the virtual CPU: CPUID and the registers at the PVH entry. */
#include "kvm.h"
#include "pvh.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define CPUID_FIRST_GUESS 64u
#define CPUID_MOST 4096u
#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)
#define CR0_PE 0x1u
#define CR0_ET 0x10u
#define RFLAGS_RESERVED 0x2u /* always one */

/* What KVM can offer on this host; malloc'ed. */
static struct kvm_cpuid2 *cpuid_supported(int kvm) {
    for (uint32_t room = CPUID_FIRST_GUESS; room <= CPUID_MOST; room *= 2) {
        struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
        if (!cpuid)
            return NULL;
        cpuid->nent = room;
        if (!ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid))
            return cpuid;
        int code = errno;
        free(cpuid);
        errno = code;
        if (code != E2BIG)
            return NULL;
    }
    return NULL;
}

/* What the kernel leaves for us to fill in: this is processor 0, and whether its timer is there. */
static void cpuid_complete(const struct kvm_machine *machine, struct kvm_cpuid2 *cpuid) {
    int deadline = machine->irqchip &&
                   ioctl(machine->kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
        if (entry->function == 1) {
            entry->ebx &= 0x00ffffff; /* initial APIC id */
            if (deadline)
                entry->ecx |= CPUID_1_ECX_TSC_DEADLINE;
        } else if (entry->function == 0xb || entry->function == 0x1f) {
            entry->edx = 0; /* x2APIC id */
        }
    }
}

static int registers_set(struct kvm_machine *machine) {
    struct kvm_sregs system;
    if (ioctl(machine->vcpu, KVM_GET_SREGS, &system) < 0)
        return error_set(&machine->error, -errno, "KVM_GET_SREGS: %s", strerror(errno));
    struct kvm_segment code = {
        .limit = 0xffffffff, .selector = 0x8, .type = 0xb, .present = 1, .s = 1, .db = 1, .g = 1};
    struct kvm_segment data = {
        .limit = 0xffffffff, .selector = 0x10, .type = 0x3, .present = 1, .s = 1, .db = 1, .g = 1};
    struct kvm_segment task = {.limit = 0x67, .type = 0xb, .present = 1};
    system.cs = code;
    system.ds = system.es = system.fs = system.gs = system.ss = data;
    system.tr = task;
    system.cr0 = CR0_PE | CR0_ET;
    system.cr4 = 0;
    system.efer = 0;
    if (ioctl(machine->vcpu, KVM_SET_SREGS, &system) < 0)
        return error_set(&machine->error, -errno, "KVM_SET_SREGS: %s", strerror(errno));
    struct kvm_regs general = {
        .rip = machine->entry, .rbx = PVH_START_INFO_PA, .rflags = RFLAGS_RESERVED};
    if (ioctl(machine->vcpu, KVM_SET_REGS, &general) < 0)
        return error_set(&machine->error, -errno, "KVM_SET_REGS: %s", strerror(errno));
    return 0;
}

int kvm_cpu_setup(struct kvm_machine *machine) {
    struct kvm_cpuid2 *cpuid = cpuid_supported(machine->kvm);
    if (!cpuid)
        return error_set(&machine->error, -errno, "KVM_GET_SUPPORTED_CPUID: %s", strerror(errno));
    cpuid_complete(machine, cpuid);
    int failed = ioctl(machine->vcpu, KVM_SET_CPUID2, cpuid) < 0 ? errno : 0;
    free(cpuid);
    if (failed)
        return error_set(&machine->error, -failed, "KVM_SET_CPUID2: %s", strerror(failed));
    return registers_set(machine);
}
