/*
 * Where things live, physically and virtually. The one place for both; kernel.ld and boot.S agree.
 *
 * Virtual, in every space (supervisor only):
 *   KERNEL_VA  the kernel image, text | read-only data | data, each on its own 2 MiB boundary
 *   PHYS_VA    all of physical memory, never executable
 * Virtual, by space:
 *   0          identity map, only in a kernel domain with `pages: largest`
 *   SIP_VA     SIPs, SIP_STRIDE apart: image at +0, stack at +SIP_STACK_OFFSET (guard page below)
 *   HEAP0_VA   the exchange heap of ring 0
 *   HEAP_VA    the exchange heaps of domains with one of their own
 *   RING3_VA   added to SIP_VA and HEAP_VA for ring-3 domains that share the kernel's tables
 *   STUB_VA    the user-executable page of system call stubs
 */
#ifndef BULKHEAD_MEMLAYOUT_H
#define BULKHEAD_MEMLAYOUT_H

#define KERNEL_VA 0xffffffff80000000
#define KERNEL_PA 0x200000 /* of the text; boot data below it is not used once the kernel runs */
#define PHYS_VA 0xffff800000000000

#define SIP_VA 0x8000000000
#define SIP_STRIDE 0x40000000
#define SIP_STACK_OFFSET 0x20000000
#define HEAP0_VA 0x10000000000
#define HEAP_VA 0x18000000000
#define HEAP_STRIDE 0x100000000
#define STUB_VA 0x40000000000
#define RING3_VA                                                                                   \
    0x40000000000 /* so that such a SIP begins at 0x48000000000, a heap at 0x58000000000 */

#define PAGE_BYTES 4096
#define CHUNK_BYTES 0x200000 /* 2 MiB: the unit of contiguous memory and a large page */

/* Segment selectors; syscall and sysret fix their order (AMD64 manual volume 2, 6.1.1). */
#define SELECTOR_KCODE 0x08
#define SELECTOR_KDATA 0x10
#define SELECTOR_UDATA 0x18
#define SELECTOR_UCODE 0x20
#define SELECTOR_TSS 0x28

#endif
