/* The processor's instructions as C functions, and the bits they take. */
#ifndef BULKHEAD_X86_H
#define BULKHEAD_X86_H

#include <stdint.h>

#define X86_INLINE static inline __attribute__((always_inline))

#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR4_PGE (1ull << 7)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP (1ull << 11)
#define CR4_PCIDE (1ull << 17)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define CR4_PKE (1ull << 22)
#define CR4_CET (1ull << 23)
#define CR3_KEEP (1ull << 63) /* with PCID: a load flushes nothing */
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_SFMASK 0xc0000084u
#define MSR_APIC_BASE 0x1bu
#define MSR_U_CET 0x6a0u
#define MSR_S_CET 0x6a2u
#define CET_SHSTK 1ull
#define CET_ENDBR (1ull << 2)
#define CET_TRACKER (1ull << 11) /* an indirect branch still wants its ENDBR64 */
#define RFLAGS_FIXED 0x2ull
#define RFLAGS_IF 0x200ull

X86_INLINE void x86_out8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
X86_INLINE uint8_t x86_in8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
X86_INLINE void x86_out16(uint16_t port, uint16_t value) {
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}
X86_INLINE void x86_out32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}
X86_INLINE uint64_t x86_read_msr(uint32_t msr) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (uint64_t)high << 32;
}
X86_INLINE void x86_write_msr(uint32_t msr, uint64_t value) {
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}
X86_INLINE uint64_t x86_read_cr0(void) {
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}
X86_INLINE void x86_write_cr0(uint64_t value) {
    __asm__ volatile("mov %0, %%cr0" ::"r"(value) : "memory");
}
X86_INLINE uint64_t x86_read_cr2(void) {
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}
X86_INLINE uint64_t x86_read_cr3(void) {
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}
X86_INLINE void x86_write_cr3(uint64_t value) {
    __asm__ volatile("mov %0, %%cr3" ::"r"(value) : "memory");
}
/* In one piece: a stack may be mapped by the present tables alone, which the second value names. */
X86_INLINE void x86_write_cr3_twice(uint64_t first, uint64_t second) {
    __asm__ volatile("mov %0, %%cr3; mov %1, %%cr3" ::"r"(first), "r"(second) : "memory");
}
X86_INLINE uint64_t x86_read_cr4(void) {
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}
X86_INLINE void x86_write_cr4(uint64_t value) {
    __asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}
X86_INLINE void x86_set_cr4(uint64_t bits) { x86_write_cr4(x86_read_cr4() | bits); }
/* type 0: the page at `address` with this tag; 1: all with it. Intel SDM 2A, INVPCID. */
X86_INLINE void x86_invpcid(uint64_t type, uint64_t pcid, uint64_t address) {
    const uint64_t descriptor[2] = {pcid, address};
    __asm__ volatile("invpcid %0, %1" ::"m"(descriptor), "r"(type) : "memory");
}
X86_INLINE void x86_invlpg(uint64_t address) {
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}
/* The time-stamp counter, with nothing before or after it moved across. */
X86_INLINE uint64_t x86_clock(void) {
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
    return low | (uint64_t)high << 32;
}
X86_INLINE void x86_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]) {
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(subleaf));
}

#endif
