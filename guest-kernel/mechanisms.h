/*
 * The table of isolation mechanisms: what a layout can ask for on top of a domain's ring, space, pages
 * and heap. One row here and one file of that name in guest-kernel/mechanism/ are a mechanism; the
 * configuration, the plan's bits, `list mechanisms`, availability and the switch routines follow from
 * the row. Host and guest share it. docs/mechanisms.md shows how to add one.
 */
#ifndef BULKHEAD_MECHANISMS_H
#define BULKHEAD_MECHANISMS_H

#include <stdint.h>

/*
 * CPU features: name, CPUID leaf, subleaf, register (0 eax, 1 ebx, 2 ecx, 3 edx) and bit. Either of two
 * bits will do where the makers have different ones. Sources: Intel SDM 2A, CPUID; AMD64 manual volume
 * 3, appendix E.
 */
#define CPU_FEATURES(X)                                                                            \
    X(PCID, "PCID", 1, 0, 2, 17, 1, 0, 2, 17)                                                      \
    X(INVPCID, "INVPCID", 7, 0, 1, 10, 7, 0, 1, 10)                                                \
    X(PGE, "PGE", 1, 0, 3, 13, 1, 0, 3, 13)                                                        \
    X(PAGES_1G, "1 GiB pages", 0x80000001, 0, 3, 26, 0x80000001, 0, 3, 26)                         \
    X(SMEP, "SMEP", 7, 0, 1, 7, 7, 0, 1, 7)                                                        \
    X(SMAP, "SMAP", 7, 0, 1, 20, 7, 0, 1, 20)                                                      \
    X(UMIP, "UMIP", 7, 0, 2, 2, 7, 0, 2, 2)                                                        \
    X(PKU, "PKU", 7, 0, 2, 3, 7, 0, 2, 3)                                                          \
    X(IBPB, "IBPB", 7, 0, 3, 26, 0x80000008, 0, 1, 12)                                             \
    X(FLUSH_L1D, "L1D_FLUSH", 7, 0, 3, 28, 7, 0, 3, 28)                                            \
    X(MD_CLEAR, "MD_CLEAR", 7, 0, 3, 10, 7, 0, 3, 10)                                              \
    X(FXSR, "FXSR", 1, 0, 3, 24, 1, 0, 3, 24)                                                      \
    X(SSE2, "SSE2", 1, 0, 3, 26, 1, 0, 3, 26)                                                      \
    X(SHSTK, "CET_SS", 7, 0, 2, 7, 7, 0, 2, 7)                                                     \
    X(IBT, "CET_IBT", 7, 0, 3, 20, 7, 0, 3, 20)

enum cpu_feature {
#define X(id, ...) CPU_##id,
    CPU_FEATURES(X)
#undef X
    CPU_FEATURE_COUNT
};
#define CPU_HAS(id) (1u << CPU_##id)

/* How a key of the configuration takes the words of its rows. */
enum mechanism_kind {
    KIND_SWITCH, /* on or off */
    KIND_ONE,    /* off (none), or one of the words */
    KIND_SET     /* off (none), a word, or a list of them */
};
/* What it can be set for. */
enum mechanism_scope {
    SCOPE_DOMAIN, /* a domain, or a layout for all its domains */
    SCOPE_MACHINE /* a layout alone: it is a setting of the whole processor, or of all images */
};

/*
 * X(ID, file, key, kind of key, word, scope, features, where it acts, what it does,
 *   what it protects against, source)
 */
#define MECHANISMS(X)                                                                              \
    X(PCID, "pcid", "tag", KIND_ONE, "pcid", SCOPE_DOMAIN, CPU_HAS(PCID), "load of CR3",           \
      "tags the domain's TLB entries, so that a switch does not flush them",                       \
      "nothing: it makes a switch of tables cheaper",                                              \
      "Intel SDM 3A 4.10.1, 4.10.4; AMD64 vol 2 5.5.1")                                            \
    X(GLOBAL, "global", "global", KIND_SWITCH, "on", SCOPE_MACHINE, CPU_HAS(PGE), "start",         \
      "marks the kernel's pages as global, so that a load of CR3 keeps them",                      \
      "nothing: it makes a switch of tables cheaper", "Intel SDM 3A 4.10.2.4")                     \
    X(KPTI, "kpti", "kpti", KIND_SWITCH, "on", SCOPE_DOMAIN, 0, "every way into ring 3 and back",  \
      "runs ring 3 on tables that map no more of the kernel than a trampoline",                    \
      "reading kernel memory in speculation from ring 3 (Meltdown)",                               \
      "Gruss et al., KASLR is Dead, 2017; Linux Documentation/arch/x86/pti.rst")                   \
    X(IBPB, "ibpb", "on-switch", KIND_SET, "ibpb", SCOPE_DOMAIN, CPU_HAS(IBPB),                    \
      "switch between domains", "empties the indirect branch predictors",                          \
      "branches trained by another domain (Spectre v2)",                                           \
      "Intel, Speculative Execution Side Channel Mitigations; AMD64 vol 2 3.2.9")                  \
    X(L1D_FLUSH, "l1d_flush", "on-switch", KIND_SET, "l1d-flush", SCOPE_DOMAIN,                    \
      CPU_HAS(FLUSH_L1D), "switch between domains",                                                \
      "writes back and empties the level-1 data cache",                                            \
      "reading another domain's data left in the cache (L1TF)",                                    \
      "Intel, L1 Terminal Fault; SDM 4 2.1, IA32_FLUSH_CMD")                                       \
    X(BUFFER_CLEAR, "buffer_clear", "on-switch", KIND_SET, "buffer-clear", SCOPE_DOMAIN,           \
      CPU_HAS(MD_CLEAR), "switch between domains", "VERW: overwrites the CPU's internal buffers",  \
      "reading another domain's data left in buffers (MDS)",                                       \
      "Intel, Microarchitectural Data Sampling")                                                   \
    X(RSB_FILL, "rsb_fill", "on-switch", KIND_SET, "rsb-fill", SCOPE_DOMAIN, 0,                    \
      "switch between domains", "fills the return stack buffer with harmless entries",             \
      "returns predicted from another domain's calls (SpectreRSB)",                                \
      "Koruyeh et al., Spectre Returns, 2018; Intel, Retpoline")                                   \
    X(ON_RING3, "on_ring3", "on-switch-to", KIND_ONE, "ring-3", SCOPE_MACHINE, 0,                  \
      "switch between domains",                                                                    \
      "has the on-switch actions wait until another ring-3 domain than the last is entered",       \
      "nothing more: as Linux does it, which trusts its kernel",                                   \
      "Linux arch/x86/mm/tlb.c, cond_mitigation()")                                                \
    X(SMEP, "smep", "smep", KIND_SWITCH, "on", SCOPE_MACHINE, CPU_HAS(SMEP), "start",              \
      "ring 0 cannot run code of pages that ring 3 can reach",                                     \
      "a corrupted kernel jumping into a SIP's code", "Intel SDM 3A 4.6.1")                        \
    X(SMAP, "smap", "smap", KIND_SWITCH, "on", SCOPE_MACHINE, CPU_HAS(SMAP),                       \
      "start; copies from and to ring 3",                                                          \
      "ring 0 cannot read or write pages that ring 3 can reach, but where it says so",             \
      "a kernel led to a SIP's pointer by mistake", "Intel SDM 3A 4.6.1")                          \
    X(UMIP, "umip", "umip", KIND_SWITCH, "on", SCOPE_MACHINE, CPU_HAS(UMIP), "start",              \
      "ring 3 cannot read where the descriptor tables are (SGDT, SIDT, SLDT, STR, SMSW)",          \
      "learning kernel addresses", "Intel SDM 3A 2.5, CR4.UMIP")                                   \
    X(PKU, "pku", "pku", KIND_SWITCH, "on", SCOPE_DOMAIN, CPU_HAS(PKU), "switch between domains",  \
      "keys the domain's pages, so that several ring-3 domains share one address space",           \
      "reading or writing another domain's memory", "Intel SDM 3A 4.6.2; AMD64 vol 2 5.6.7")       \
    X(RETPOLINE, "retpoline", "retpoline", KIND_SWITCH, "on", SCOPE_MACHINE, 0,                    \
      "every indirect branch", "kernel and SIPs are built without predicted indirect branches",    \
      "branches trained by other code (Spectre v2)", "Intel, Retpoline, 2018")                     \
    X(SHSTK, "shstk", "cet", KIND_SET, "shstk", SCOPE_MACHINE, CPU_HAS(SHSTK),                     \
      "switch between threads", "keeps return addresses of ring 3 on shadow stacks too",           \
      "return-oriented programming in a SIP", "Intel SDM 1 chapter 17, 3A 6.15")                   \
    X(IBT, "ibt", "cet", KIND_SET, "ibt", SCOPE_MACHINE, CPU_HAS(IBT), "every indirect branch",    \
      "an indirect branch must land on ENDBR64, in ring 3 and in the kernel",                      \
      "jump-oriented programming", "Intel SDM 1 chapter 17")                                       \
    X(FPU_EAGER, "fpu_eager", "fpu", KIND_ONE, "eager", SCOPE_MACHINE,                             \
      CPU_HAS(FXSR) | CPU_HAS(SSE2), "switch between threads",                                     \
      "floating point; its registers are saved and loaded at each switch",                         \
      "reading another SIP's registers", "Intel SDM 3A 13.4")                                      \
    X(FPU_LAZY, "fpu_lazy", "fpu", KIND_ONE, "lazy", SCOPE_MACHINE, CPU_HAS(FXSR) | CPU_HAS(SSE2), \
      "switch between threads, trap at first use",                                                 \
      "floating point; its registers change hands when another thread first uses them",            \
      "reading another SIP's registers, but not in speculation (LazyFP)",                          \
      "Intel SDM 3A 13.4, 2.5")

enum mechanism_id {
#define X(id, ...) MECHANISM_##id,
    MECHANISMS(X)
#undef X
    MECHANISM_COUNT
};
#define MECHANISM(id) (1ull << MECHANISM_##id)

struct cpu_feature_row {
    const char *name;
    struct {
        uint32_t leaf, subleaf, reg, bit;
    } at[2];
};
struct mechanism_row {
    const char *id, *file, *key, *word; /* id: as in MECHANISM_id, for messages */
    enum mechanism_kind kind;
    enum mechanism_scope scope;
    uint32_t features; /* CPU_HAS(...), all of them */
    const char *where, *does, *against, *source;
};

/* mechanisms_table.c, which host and guest both link. */
extern const struct cpu_feature_row cpu_feature_table[CPU_FEATURE_COUNT];
extern const struct mechanism_row mechanism_table[MECHANISM_COUNT];

#endif
