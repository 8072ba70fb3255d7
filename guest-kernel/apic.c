/* Starting the local APIC. Source: Intel SDM 3A, chapter 11 (xAPIC mode). */
#include "apic.h"
#include "kernel.h"
#include "space.h"
#include "x86.h"

#define APIC_PA_MASK 0xffffff000ull
#define APIC_ENABLE (1u << 11) /* in MSR_APIC_BASE */

void apic_map(uint64_t va, uint64_t pa) {
    uint32_t page_bits;
    if (!space_map(&space_kernel, va, pa, PAGE_BYTES, PLAN_PAGES_4K, SPACE_WRITE))
        run_end(RESULT_FAILED, "no memory for the kernel's page tables; give the guest more");
    *space_entry(&space_kernel, va, &page_bits) |= PTE_UNCACHED;
}

void apic_start(const char *purpose) {
    uint32_t leaf[4];
    x86_cpuid(1, 0, leaf);
    if (!(leaf[3] >> 9 & 1))
        run_end(RESULT_UNAVAILABLE, "needs a local APIC for %s, which this CPU lacks", purpose);
    x86_out8(0x21, 0xff); /* the legacy interrupt controllers stay silent */
    x86_out8(0xa1, 0xff);
    uint64_t base = x86_read_msr(MSR_APIC_BASE);
    x86_write_msr(MSR_APIC_BASE, base | APIC_ENABLE);
    apic_map(APIC_VA, base & APIC_PA_MASK);
    apic_write(APIC_SPURIOUS, 0x100 | APIC_SPURIOUS_VECTOR);
}
