/* What a machine's own words mean for its figures: unit, trust, and the manifest's description. */
#include "metal.h"
#include <stdio.h>
#include <string.h>

#define TCG "TCGTCGTCGTCG"        /* QEMU without KVM */
#define EMULATOR_FIRMWARE "BOCHS" /* in the ACPI tables of Bochs, and of SeaBIOS and OVMF in QEMU */

const char *metal_unit(const struct metal_machine *machine) {
    return machine->counts_instructions ? "instructions" : "cycles";
}

enum backend_trust metal_trust(const struct metal_machine *machine, char *note, size_t bytes) {
    enum backend_trust trust = TRUST_REAL;
    note[0] = '\0';
    if (machine->counts_instructions) {
        trust = TRUST_EMULATED;
        snprintf(note, bytes, "an emulator: the time-stamp counter counts instructions");
    } else if (!strcmp(machine->hypervisor, TCG) ||
               (!machine->hypervisor[0] && !strcmp(machine->firmware, EMULATOR_FIRMWARE))) {
        trust = TRUST_EMULATED;
        snprintf(note, bytes, "an emulator (%.40s): cycles of no processor",
                 machine->hypervisor[0] ? machine->hypervisor : machine->firmware);
    } else if (machine->hypervisor[0]) {
        trust = TRUST_NESTED;
        snprintf(note, bytes, "under a hypervisor (%.40s), not on a bare machine",
                 machine->hypervisor);
    } else if (!machine->steady_clock) {
        snprintf(note, bytes, "the time-stamp counter may follow the processor's frequency");
    }
    return trust;
}

static json_t *text_or_unknown(const char *text) { return json_string(*text ? text : "unknown"); }

static json_t *number_text(const char *format, unsigned long long value) {
    char text[32];
    snprintf(text, sizeof(text), format, value);
    return json_string(text);
}

json_t *metal_host(const struct metal_machine *machine, const char *name) {
    json_t *cpu = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b}", "vendor", text_or_unknown(machine->vendor),
        "model", text_or_unknown(machine->brand), "family", number_text("%llu", machine->family),
        "number", number_text("%llu", machine->model), "stepping",
        number_text("%llu", machine->stepping), "microcode",
        machine->microcode ? number_text("%#llx", machine->microcode) : json_string("unknown"),
        "hypervisor", machine->hypervisor[0] != '\0', "hypervisor_name",
        json_string(machine->hypervisor), "steady_clock", machine->steady_clock);
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:{s:s, s:s}}", "hostname", name, "cpu", cpu,
                     "kernel", "none", "machine", "x86_64", "firmware",
                     text_or_unknown(machine->firmware), "kvm", "module", "none", "nested",
                     "unknown");
}
