/* The local APIC in xAPIC mode: who needs interrupts starts it. */
#ifndef BULKHEAD_APIC_H
#define BULKHEAD_APIC_H

#include <stdint.h>

#define APIC_VA 0xffffffffc0000000
#define APIC_ID 0x20 /* in bits 24 to 31 */
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0 /* bit 8 enables the APIC */
#define APIC_COMMAND 0x300
#define APIC_COMMAND_SELF (1u << 18 | 1u << 14) /* to itself, asserted, edge; the vector below */
#define APIC_TIMER 0x320                        /* bit 17: periodic */
#define APIC_INITIAL 0x380
#define APIC_DIVIDE 0x3e0
#define APIC_DIVIDE_BY_1 0xb

/* Vectors, in the order of their stubs in entry.S. */
#define TIMER_VECTOR 32
#define DEVICE_VECTOR 33
#define SELF_VECTOR 34
#define APIC_SPURIOUS_VECTOR 47

static inline void apic_write(uint32_t reg, uint32_t value) {
    *(volatile uint32_t *)(APIC_VA + reg) = value;
}
static inline uint32_t apic_read(uint32_t reg) {
    return *(const volatile uint32_t *)(APIC_VA + reg);
}

/*
 * Switches the APIC on, maps it and silences the legacy controllers; ends the run as unavailable, with
 * `purpose` in the sentence, where there is none. May be called twice.
 */
void apic_start(const char *purpose);
/* Maps a page of registers, not cached, for the kernel. */
void apic_map(uint64_t va, uint64_t pa);

#endif
