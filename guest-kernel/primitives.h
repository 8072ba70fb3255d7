/*
 * What the workload `calibrate` measures: the steps that boundaries are made of, each alone. The kernel
 * measures them (calibrate.c), the report adds them up to floors (vmm/report_floor.c).
 */
#ifndef BULKHEAD_PRIMITIVES_H
#define BULKHEAD_PRIMITIVES_H

#include "guest-kernel/mechanisms.h"

#define PRIMITIVES_WORKLOAD "calibrate"

/* X(ID, name of the operation, features that the CPU must have, what one is) */
#define PRIMITIVES(X)                                                                              \
    X(CLOCK, "clock", 0, "RDTSC between two LFENCEs")                                              \
    X(SYSCALL, "syscall", 0, "SYSCALL from ring 3, and SYSRET at once")                            \
    X(GATE_CALL, "gate-call", 0, "the call `self` through the gate of ring 0")                     \
    X(CR3_FLUSH, "cr3-flush", 0, "load of CR3, same root, tags off: it flushes")                   \
    X(CR3_FLUSH_TAG, "cr3-flush-tag", CPU_HAS(PCID), "the same with tags on: it flushes its tag")  \
    X(CR3_KEEP, "cr3-keep", CPU_HAS(PCID), "the same with the bit that makes it flush nothing")    \
    X(INVLPG, "invlpg", 0, "INVLPG of a page that is not in the TLB")                              \
    X(INVPCID_PAGE, "invpcid-page", CPU_HAS(PCID) | CPU_HAS(INVPCID),                              \
      "INVPCID of one page of another tag")                                                        \
    X(INVPCID_TAG, "invpcid-tag", CPU_HAS(PCID) | CPU_HAS(INVPCID),                                \
      "INVPCID of all pages of another tag")                                                       \
    X(REFILL_64, "refill-64", 0, "cr3-flush, and how much longer 64 pages take then")              \
    X(WRPKRU, "wrpkru", CPU_HAS(PKU), "WRPKRU of the value that is there")                         \
    X(RDPKRU, "rdpkru", CPU_HAS(PKU), "RDPKRU")                                                    \
    X(SWAPGS_PAIR, "swapgs-pair", 0, "two SWAPGS")                                                 \
    X(PAGE_FAULT_RING3, "page-fault-ring3", 0, "load from no page; the handler skips it by IRET")  \
    X(PAGE_FAULT_RING0, "page-fault-ring0", 0, "the same in ring 0")                               \
    X(INTERRUPT_RING3, "interrupt-ring3", 0, "INT n, and IRET at once")                            \
    X(INTERRUPT_RING0, "interrupt-ring0", 0, "the same in ring 0")                                 \
    X(PORT_EXIT, "port-exit", 0, "OUT to port 0x80: an exit, if there is a host")                  \
    X(CPUID, "cpuid", 0, "CPUID, leaf 0: likewise")                                                \
    X(IBPB, "ibpb", CPU_HAS(IBPB), "WRMSR of IA32_PRED_CMD: forgets branch targets")               \
    X(L1D_FLUSH, "l1d-flush", CPU_HAS(FLUSH_L1D), "WRMSR of IA32_FLUSH_CMD, cache nearly empty")   \
    X(BUFFER_CLEAR, "buffer-clear", CPU_HAS(MD_CLEAR), "VERW of a selector in memory")             \
    X(RSB_FILL, "rsb-fill", 0, "32 calls that do not return, and LFENCE")                          \
    X(FXSAVE_FXRSTOR, "fxsave-fxrstor", CPU_HAS(FXSR) | CPU_HAS(SSE2),                             \
      "FXSAVE, and FXRSTOR of the same")                                                           \
    X(CR0_TS, "cr0-ts", 0, "two loads of CR0: TS set, TS clear")                                   \
    X(STAC_CLAC, "stac-clac", CPU_HAS(SMAP), "STAC and CLAC")                                      \
    X(STI_CLI, "sti-cli", 0, "STI and CLI, before an interrupt can come")                          \
    X(RDMSR_LSTAR, "rdmsr-lstar", 0, "RDMSR of LSTAR")                                             \
    X(WRMSR_LSTAR, "wrmsr-lstar", 0, "WRMSR of LSTAR")                                             \
    X(RDMSR_SSP, "rdmsr-ssp", CPU_HAS(SHSTK), "RDMSR of PL3_SSP, the shadow stack of ring 3")      \
    X(WRMSR_SSP, "wrmsr-ssp", CPU_HAS(SHSTK), "WRMSR of PL3_SSP")                                  \
    X(COPY_1K, "copy-1k", 0, "REP MOVSB of 1 KiB that is in the cache")                            \
    X(COPY_4K, "copy-4k", 0, "REP MOVSB of 4 KiB")                                                 \
    X(COPY_4K_WORDS, "copy-4k-words", 0, "REP MOVSQ of 4 KiB, the kernel's way to copy")

enum primitive_id {
#define X(id, ...) PRIMITIVE_##id,
    PRIMITIVES(X)
#undef X
    PRIMITIVE_COUNT
};

struct primitive_row {
    const char *name;
    uint32_t features; /* CPU_HAS(...), all of them */
    const char *what;
};

#define PRIMITIVE_ROWS                                                                             \
    { PRIMITIVES(PRIMITIVE_ROW_) }
#define PRIMITIVE_ROW_(id, name, features, what) [PRIMITIVE_##id] = {name, features, what},

#endif
