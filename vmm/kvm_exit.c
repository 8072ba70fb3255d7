/* Why a virtual CPU came back: serves ports, names everything else. */
#include "kvm.h"
#include "domain-config/plan.h"
#include "guest-kernel/result.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define LINE_STATUS (PORT_CONSOLE + 5)
#define LINE_STATUS_EMPTY 0x60 /* 16550: transmitter holding register and shifter are empty */
#define CODE_BYTES 16u

enum verdict {
    VERDICT_GO_ON,
    VERDICT_ENDED
};

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

const char *kvm_exit_name(uint32_t reason) {
#define EXIT(name) [name] = #name
    static const char *const names[] = {
        EXIT(KVM_EXIT_UNKNOWN),
        EXIT(KVM_EXIT_EXCEPTION),
        EXIT(KVM_EXIT_IO),
        EXIT(KVM_EXIT_HYPERCALL),
        EXIT(KVM_EXIT_DEBUG),
        EXIT(KVM_EXIT_HLT),
        EXIT(KVM_EXIT_MMIO),
        EXIT(KVM_EXIT_IRQ_WINDOW_OPEN),
        EXIT(KVM_EXIT_SHUTDOWN),
        EXIT(KVM_EXIT_FAIL_ENTRY),
        EXIT(KVM_EXIT_INTR),
        EXIT(KVM_EXIT_SET_TPR),
        EXIT(KVM_EXIT_TPR_ACCESS),
        EXIT(KVM_EXIT_S390_SIEIC),
        EXIT(KVM_EXIT_S390_RESET),
        EXIT(KVM_EXIT_DCR),
        EXIT(KVM_EXIT_NMI),
        EXIT(KVM_EXIT_INTERNAL_ERROR),
        EXIT(KVM_EXIT_OSI),
        EXIT(KVM_EXIT_PAPR_HCALL),
        EXIT(KVM_EXIT_S390_UCONTROL),
        EXIT(KVM_EXIT_WATCHDOG),
        EXIT(KVM_EXIT_S390_TSCH),
        EXIT(KVM_EXIT_EPR),
        EXIT(KVM_EXIT_SYSTEM_EVENT),
        EXIT(KVM_EXIT_S390_STSI),
        EXIT(KVM_EXIT_IOAPIC_EOI),
        EXIT(KVM_EXIT_HYPERV),
        EXIT(KVM_EXIT_ARM_NISV),
        EXIT(KVM_EXIT_X86_RDMSR),
        EXIT(KVM_EXIT_X86_WRMSR),
        EXIT(KVM_EXIT_DIRTY_RING_FULL),
        EXIT(KVM_EXIT_AP_RESET_HOLD),
        EXIT(KVM_EXIT_X86_BUS_LOCK),
        EXIT(KVM_EXIT_XEN),
        EXIT(KVM_EXIT_RISCV_SBI),
        EXIT(KVM_EXIT_RISCV_CSR),
        EXIT(KVM_EXIT_NOTIFY),
    };
#undef EXIT
    return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : NULL;
}

void kvm_console_add(struct kvm_machine *machine, const char *text, size_t bytes) {
    struct boot_result *result = machine->result;
    size_t room = KVM_CONSOLE_BYTES - 1 - machine->console_bytes;
    if (machine->boot->verbose)
        fwrite(text, 1, bytes, stderr);
    if (bytes > room)
        bytes = room;
    memcpy(result->console + machine->console_bytes, text, bytes);
    machine->console_bytes += bytes;
    result->console[machine->console_bytes] = '\0';
}

/* The code at rip as hexadecimal; empty where rip is not mapped. */
static void code_describe(const struct kvm_machine *machine, uint64_t rip, char *text,
                          size_t bytes) {
    struct kvm_translation at = {.linear_address = rip};
    text[0] = '\0';
    if (ioctl(machine->vcpu, KVM_TRANSLATE, &at) < 0 || !at.valid)
        return;
    const uint8_t *code =
        guest_memory_at(&machine->result->memory, at.physical_address, CODE_BYTES);
    for (size_t i = 0; code && i < CODE_BYTES && 3 * i + 3 < bytes; i++)
        snprintf(text + 3 * i, bytes - 3 * i, " %02x", code[i]);
}

/* What the exit itself tells, beyond its name. */
static void detail_describe(const struct kvm_run *run, char *text, size_t bytes) {
    static const char *const suberror[] = {"?", "instruction emulation failed",
                                           "simultaneous exceptions", "event delivery failed",
                                           "unexpected exit of the processor"};
    int length;
    text[0] = '\0';
    switch (run->exit_reason) {
    case KVM_EXIT_INTERNAL_ERROR:
        length = snprintf(text, bytes, ", suberror %u (%s), data", run->internal.suberror,
                          suberror[run->internal.suberror < 5 ? run->internal.suberror : 0]);
        for (uint32_t i = 0; i < run->internal.ndata && i < 4 && length < (int)bytes; i++)
            length += snprintf(text + length, bytes - (size_t)length, " %#llx",
                               (unsigned long long)run->internal.data[i]);
        break;
    case KVM_EXIT_FAIL_ENTRY:
        snprintf(text, bytes, ", hardware reason %#llx",
                 (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
        break;
    case KVM_EXIT_UNKNOWN:
        snprintf(text, bytes, ", hardware reason %#llx",
                 (unsigned long long)run->hw.hardware_exit_reason);
        break;
    case KVM_EXIT_EXCEPTION:
        snprintf(text, bytes, ", exception %u, error code %#x", run->ex.exception,
                 run->ex.error_code);
        break;
    case KVM_EXIT_MMIO:
        snprintf(text, bytes, ", %s of %u bytes at guest-physical %#llx, where nothing is",
                 run->mmio.is_write ? "write" : "read", run->mmio.len,
                 (unsigned long long)run->mmio.phys_addr);
        break;
    case KVM_EXIT_SYSTEM_EVENT:
        snprintf(text, bytes, ", type %u", run->system_event.type);
        break;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        snprintf(text, bytes, ", MSR %#x", run->msr.index);
        break;
    default:
        break;
    }
}

void kvm_exit_describe(struct kvm_machine *machine, const char *means) {
    const struct kvm_run *run = machine->run;
    const char *name = kvm_exit_name(run->exit_reason);
    char number[32], detail[160], code[3 * CODE_BYTES + 1] = "", text[1024];
    struct kvm_regs r = {0};
    struct kvm_sregs s = {0};
    int have = !ioctl(machine->vcpu, KVM_GET_REGS, &r) && !ioctl(machine->vcpu, KVM_GET_SREGS, &s);
    if (have)
        code_describe(machine, s.cs.l ? r.rip : s.cs.base + r.rip, code, sizeof(code));
    snprintf(number, sizeof(number), "exit reason %u", run->exit_reason);
    detail_describe(run, detail, sizeof(detail));
    snprintf(machine->result->how_ended, sizeof(machine->result->how_ended),
             "%s%s%s, rip %#llx, ring %u", means, name ? name : number, detail,
             (unsigned long long)r.rip, s.cs.selector & 3u);
    machine->result->crashed = 1;
    int length =
        snprintf(text, sizeof(text),
                 "\n%s%s\nrip %016llx rsp %016llx rflags %08llx\n"
                 "rax %016llx rbx %016llx rcx %016llx rdx %016llx\n"
                 "rsi %016llx rdi %016llx rbp %016llx r8  %016llx\n"
                 "r9  %016llx r10 %016llx r11 %016llx r12 %016llx\n"
                 "r13 %016llx r14 %016llx r15 %016llx\n"
                 "cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx efer %llx cs %x ss %x\ncode%s\n",
                 name ? name : number, detail, (unsigned long long)r.rip, (unsigned long long)r.rsp,
                 (unsigned long long)r.rflags, (unsigned long long)r.rax, (unsigned long long)r.rbx,
                 (unsigned long long)r.rcx, (unsigned long long)r.rdx, (unsigned long long)r.rsi,
                 (unsigned long long)r.rdi, (unsigned long long)r.rbp, (unsigned long long)r.r8,
                 (unsigned long long)r.r9, (unsigned long long)r.r10, (unsigned long long)r.r11,
                 (unsigned long long)r.r12, (unsigned long long)r.r13, (unsigned long long)r.r14,
                 (unsigned long long)r.r15, (unsigned long long)s.cr0, (unsigned long long)s.cr2,
                 (unsigned long long)s.cr3, (unsigned long long)s.cr4, (unsigned long long)s.efer,
                 s.cs.selector, s.ss.selector, code[0] ? code : " is not mapped");
    kvm_console_add(machine, text, (size_t)length);
}

static enum verdict port_write(struct kvm_machine *machine, uint16_t port, uint32_t value) {
    struct boot_result *result = machine->result;
    char letter = (char)value;
    switch (port) {
    case PORT_CONSOLE:
        kvm_console_add(machine, &letter, 1);
        break;
    case PORT_DOORBELL:
        if (value == PHASE_SIPS && result->first_sip_seconds == 0)
            result->first_sip_seconds = seconds_now() - machine->start;
        break;
    case PORT_EXIT:
        snprintf(result->how_ended, sizeof(result->how_ended), "exit port with value %u", value);
        return VERDICT_ENDED;
    default:
        break;
    }
    return VERDICT_GO_ON;
}

/* One exit may carry many accesses: rep outs and rep ins come in bunches. */
static enum verdict port_serve(struct kvm_machine *machine) {
    struct kvm_run *run = machine->run;
    uint64_t bytes = (uint64_t)run->io.size * run->io.count;
    if (run->io.data_offset > machine->run_bytes ||
        bytes > machine->run_bytes - run->io.data_offset || run->io.size > sizeof(uint32_t)) {
        kvm_exit_describe(machine, "");
        return VERDICT_ENDED;
    }
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        uint32_t value = 0;
        if (run->io.direction == KVM_EXIT_IO_OUT) {
            memcpy(&value, data, run->io.size);
            if (port_write(machine, run->io.port, value) == VERDICT_ENDED)
                return VERDICT_ENDED;
        } else {
            memset(data, 0xff, run->io.size);
            if (run->io.port == LINE_STATUS)
                *data = LINE_STATUS_EMPTY;
        }
    }
    return VERDICT_GO_ON;
}

/* The registers of the plan's device; its interrupt follows what it says after each access. */
static enum verdict memory_serve(struct kvm_machine *machine) {
    struct kvm_run *run = machine->run;
    uint64_t offset = run->mmio.phys_addr - PLAN_DEVICE_PA;
    uint32_t bytes = run->mmio.len;
    if (!machine->disk || run->mmio.phys_addr < PLAN_DEVICE_PA || bytes > sizeof(run->mmio.data) ||
        offset >= PLAN_DEVICE_BYTES || bytes > PLAN_DEVICE_BYTES - offset) {
        kvm_exit_describe(machine, "");
        return VERDICT_ENDED;
    }
    if (run->mmio.is_write)
        virtio_blk_write(machine->disk, offset, run->mmio.data, bytes);
    else
        virtio_blk_read(machine->disk, offset, run->mmio.data, bytes);
    struct kvm_irq_level line = {.irq = PLAN_DEVICE_PIN,
                                 .level = (uint32_t)virtio_blk_interrupt(machine->disk)};
    if ((int)line.level == machine->disk_line)
        return VERDICT_GO_ON;
    machine->disk_line = (int)line.level;
    if (!ioctl(machine->vm, KVM_IRQ_LINE, &line))
        return VERDICT_GO_ON;
    machine->status = error_set(&machine->error, -errno, "KVM_IRQ_LINE: %s", strerror(errno));
    return VERDICT_ENDED;
}

static enum verdict exit_serve(struct kvm_machine *machine) {
    struct boot_result *result = machine->result;
    switch (machine->run->exit_reason) {
    case KVM_EXIT_IO:
        return port_serve(machine);
    case KVM_EXIT_MMIO:
        return memory_serve(machine);
    case KVM_EXIT_INTR:            /* a signal: the loop looks at machine->stop */
    case KVM_EXIT_IRQ_WINDOW_OPEN: /* asked for by nobody here, and harmless */
        return VERDICT_GO_ON;
    case KVM_EXIT_HLT: /* only without an in-kernel APIC: nothing could ever wake it */
        snprintf(result->how_ended, sizeof(result->how_ended), "hlt, and nothing to wake it");
        result->crashed = 1;
        return VERDICT_ENDED;
    case KVM_EXIT_SHUTDOWN:
        kvm_exit_describe(machine, "triple fault: ");
        return VERDICT_ENDED;
    default:
        kvm_exit_describe(machine, "");
        return VERDICT_ENDED;
    }
}

int kvm_cpu_loop(struct kvm_machine *machine) {
    enum verdict verdict = VERDICT_GO_ON;
    while (verdict == VERDICT_GO_ON && !atomic_load(&machine->stop)) {
        if (!ioctl(machine->vcpu, KVM_RUN, 0)) {
            verdict = exit_serve(machine);
        } else if (errno == EINTR || errno == EAGAIN) {
            machine->run->immediate_exit = 0;
        } else if (machine->run->exit_reason == KVM_EXIT_INTERNAL_ERROR ||
                   machine->run->exit_reason == KVM_EXIT_FAIL_ENTRY) {
            kvm_exit_describe(machine, "");
            verdict = VERDICT_ENDED;
        } else {
            return error_set(&machine->error, -errno, "KVM_RUN: %s", strerror(errno));
        }
    }
    return machine->status;
}
