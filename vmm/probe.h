/*
 * The probe guest: a tiny program that a backend boots to find out what it really offers. Each test
 * is a boot of its own, since a failing one may take the virtual CPU with it.
 */
#ifndef BULKHEAD_PROBE_H
#define BULKHEAD_PROBE_H

/* Shared with probe_guest.S: the tests, and where the guest writes its answer. */
#define PROBE_LOOP 0    /* a ring-0 loop, port writes, and the CPUID leaves */
#define PROBE_SYSCALL 1 /* sysret to ring 3 and syscall back */
#define PROBE_INT 2     /* iret to ring 3 and int back */
#define PROBE_SSE 3     /* an SSE instruction in ring 0 */
#define PROBE_TESTS 4
#define PROBE_ANSWER_PA 0x1000000
#define PROBE_MEMORY_BYTES (32u << 20)
#define PROBE_LOOP_COUNT 100000
#define PROBE_PORT_COUNT 64
#define PROBE_ROUND_TRIPS 64
#define PROBE_MAGIC 0x45424f52504b4c42 /* "BLKPROBE" in memory order */
#define PROBE_PORT_SCRATCH 0x80        /* a port that no backend listens on */
#define PROBE_PORT_EXIT 0xf4           /* PORT_EXIT */
#define PROBE_PORT_BOCHS 0x8a00        /* PORT_BOCHS, and what to write there */
#define PROBE_BOCHS_OPEN 0x8a00
#define PROBE_BOCHS_STOP 0x8ae0

#define PROBE_LEAVES 4 /* CPUID 1, 7.0, 0x80000001, 0x80000007, in this order */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct probe_answer { /* at PROBE_ANSWER_PA; offsets are known to probe_guest.S */
    uint64_t magic;   /* written last: the test came to its end */
    uint64_t test;
    uint64_t ticks;      /* of the test's loop: PROBE_LOOP_COUNT turns or PROBE_ROUND_TRIPS trips */
    uint64_t port_ticks; /* of PROBE_PORT_COUNT port writes */
    struct {
        uint32_t eax, ebx, ecx, edx;
    } leaf[PROBE_LEAVES];
    uint32_t signature[4]; /* CPUID 0x40000000: ebx, ecx, edx, and 0 */
};

struct backend;
struct backend_options;
struct error;

struct probe_test {
    int passed;
    char how[256]; /* how the boot ended */
    double ticks;  /* per million turns (loop), per round trip or per instruction */
};
struct probe_report {
    int measured; /* 0: not even the loop came to its end */
    struct probe_test test[PROBE_TESTS];
    double port_ticks;   /* of one port write */
    double native_ticks; /* the loop on the host itself, per million turns; 0 if not comparable */
    struct probe_answer answer; /* of the loop test, for the CPUID leaves */
};

/*
 * Boots each test on `backend`. Returns 0 when the loop test ran to its end, else a negative errno.
 */
int probe_measure(const struct backend *backend, const struct backend_options *options,
                  struct probe_report *report, struct error *error);

/* 1 when the host's own CPU says that it runs under a hypervisor (CPUID 1, ECX bit 31). */
int probe_host_is_virtual(void);

struct probe_feature {
    const char *name;
    unsigned leaf; /* index into probe_answer.leaf */
    char reg;      /* 'b', 'c' or 'd' */
    unsigned bit;
};
extern const struct probe_feature probe_features[]; /* name NULL ends it */
int probe_has(const struct probe_answer *answer, const struct probe_feature *feature);
#endif

#endif
