/*
 * CPUID and a test of the clock. An emulator need not say that it is one (Bochs does not), but where
 * rdtsc counts instructions, a loop takes exactly as many as it has, which no real clock gives.
 * Source: Intel SDM 2A and AMD64 manual volume 3, CPUID; 0x40000000 as hypervisors agree on it.
 */
#include "machine.h"
#include "kernel.h"
#include "multiboot.h"
#include "trap.h"
#include "x86.h"

#define MSR_MICROCODE 0x8bu /* AMD: patch level; Intel: the same in the upper half */

struct machine machine;

static void text_take(char *to, const uint32_t *words, uint32_t count) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < count * 4; i++) {
        char byte = (char)(words[i / 4] >> i % 4 * 8);
        if (byte == 0)
            break;
        if (at || byte != ' ') /* some brands begin with blanks */
            to[at++] = byte >= ' ' && byte <= '~' ? byte : '?';
    }
    while (at && to[at - 1] == ' ')
        at--;
    to[at] = 0;
}

static void look_at_names(void) {
    uint32_t leaf[4], words[12] = {0};
    x86_cpuid(0, 0, leaf);
    words[0] = leaf[1], words[1] = leaf[3], words[2] = leaf[2];
    text_take(machine.vendor, words, 3);
    x86_cpuid(0x80000000, 0, leaf);
    if (leaf[0] >= 0x80000004)
        for (uint32_t i = 0; i < 3; i++)
            x86_cpuid(0x80000002 + i, 0, words + i * 4);
    else
        memset(words, 0, sizeof words);
    text_take(machine.brand, words, 12);
    if (leaf[0] >= 0x80000007) {
        x86_cpuid(0x80000007, 0, leaf);
        machine.steady_clock = leaf[3] >> 8 & 1;
    }
    x86_cpuid(1, 0, leaf);
    machine.stepping = leaf[0] & 15;
    machine.model = leaf[0] >> 4 & 15;
    machine.family = leaf[0] >> 8 & 15;
    if (machine.family == 6 || machine.family == 15)
        machine.model |= leaf[0] >> 12 & 0xf0;
    if (machine.family == 15)
        machine.family += leaf[0] >> 20 & 0xff;
    if (leaf[2] >> 31) { /* reserved for this on real processors, where it is 0 */
        x86_cpuid(0x40000000, 0, leaf);
        text_take(machine.hypervisor, leaf + 1, 3);
        if (!machine.hypervisor[0])
            memcpy(machine.hypervisor, "?", 2);
    }
}

static void microcode_read(uint64_t intel) {
    uint32_t leaf[4];
    if (intel)
        x86_write_msr(MSR_MICROCODE, 0); /* CPUID then puts the number there */
    x86_cpuid(1, 0, leaf);
    machine.microcode = x86_read_msr(MSR_MICROCODE) >> (intel ? 32 : 0);
}

/* The multiplications wait for each other: no processor does the round in as many cycles. */
static uint64_t clock_try(uint64_t rounds) {
    uint64_t factor = 3, start = x86_clock();
    __asm__ volatile("1: imul %1, %1; imul %1, %1; imul %1, %1; imul %1, %1; dec %0; jnz 1b"
                     : "+r"(rounds), "+r"(factor)::"cc");
    return x86_clock() - start;
}

void machine_look(void) {
    uint64_t vector;
    look_at_names();
    trap_probe(microcode_read, string_equal(machine.vendor, "GenuineIntel"), &vector);
    machine.counts = true;
    for (uint32_t i = 0; i < MACHINE_CLOCKS; i++) {
        machine.clock[i] = clock_try((i + 1ull) * MACHINE_CLOCK_ROUNDS);
        if (i && machine.clock[i] - machine.clock[i - 1] !=
                     MACHINE_CLOCK_ROUNDS * MACHINE_CLOCK_INSTRUCTIONS)
            machine.counts = false;
    }
}

const char *machine_unit(void) { return machine.counts ? "instructions" : "cycles"; }
