/*
 * The result region: what the guest tells the host, in guest memory that the host reads in place.
 * The guest writes it; the host treats every byte as hostile and copies before it checks.
 * Samples are raw clock differences of whole batches: the host subtracts the overhead and divides.
 */
#ifndef BULKHEAD_RESULT_H
#define BULKHEAD_RESULT_H

#include <stdint.h>

#define RESULT_MAGIC 0x4c5345524b484c42ull /* "BLHKRESL" in memory order */
#define RESULT_VERSION 1u
#define RESULT_PA 0x1000000ull /* 16 MiB: above the kernel image, below the plan */
#define RESULT_BYTES (4u << 20)
#define RESULT_MAX_OPS 64u
#define RESULT_LOG_BYTES (256u << 10)
#define RESULT_MAX_SAMPLES 1024u /* of one operation, and as many overheads */
#define RESULT_MAX_SIP_REPORTS 32u
#define RESULT_MAX_ROUTINES 512u

enum result_state {         /* written last, after a store fence */
    RESULT_NONE = 0,        /* the guest never got to its plan */
    RESULT_RUNNING = 1,     /* plan accepted; a run that ends in this state crashed or hung */
    RESULT_DONE = 2,        /* every application SIP exited with status 0 and every oracle held */
    RESULT_FAILED = 3,      /* `message` says why */
    RESULT_UNAVAILABLE = 4, /* this CPU lacks what the plan asks for; `message` says what */
};

enum result_event { /* per-operation counters, in the order of design and records */
    EVENT_RING_CROSSINGS = 0,
    EVENT_TABLE_SWITCHES,
    EVENT_TLB_FLUSHES,
    EVENT_CONTEXT_SWITCHES,
    EVENT_BYTES_COPIED,
    EVENT_MESSAGES,
    EVENT_PAGE_FAULTS,
    EVENT_KEY_SWITCHES,       /* loads of PKRU */
    EVENT_PREDICTOR_BARRIERS, /* on-switch: ibpb */
    EVENT_CACHE_FLUSHES,      /* on-switch: l1d-flush */
    EVENT_BUFFER_CLEARS,      /* on-switch: buffer-clear */
    EVENT_RSB_FILLS,          /* on-switch: rsb-fill */
    EVENT_STATE_SAVES,        /* of floating-point registers */
    EVENT_COUNT = 16,         /* room kept */
};
#define RESULT_EVENT_NAMES                                                                         \
    {                                                                                              \
        "ring_crossings", "table_switches", "tlb_flushes", "context_switches", "bytes_copied",     \
            "messages", "page_faults", "key_switches", "predictor_barriers", "cache_flushes",      \
            "buffer_clears", "rsb_fills", "state_saves"                                            \
    }
#define RESULT_EVENTS_NAMED 13u

enum result_kind {
    RESULT_SINGLE = 0,
    RESULT_ONE_WAY = 1,
    RESULT_ROUND_TRIP = 2
};
/*
 * Or-ed to a kind: the operation waits for what is outside of the guest. A clock that counts instructions
 * stands still or leaps meanwhile, so the host leaves such an operation out where that is the clock.
 */
#define RESULT_OUTSIDE 0x100u

struct result_op {
    char name[32];
    uint32_t kind;      /* enum result_kind, may be with RESULT_OUTSIDE */
    uint32_t batch;     /* operations in one sample */
    uint32_t samples;   /* elements at `offset`; 0: not measured, see `oracle` */
    uint32_t overheads; /* elements after the samples: the same loop with the operation left out */
    uint64_t offset; /* bytes from the result header to uint64_t[samples + overheads], 8-aligned */
    uint64_t operations;          /* that `events` cover */
    uint64_t events[EVENT_COUNT]; /* totals, the cost of reading the counters already removed */
    /* Checksum of the work: must be equal in every layout; 0 if none. Of an operation without samples:
       CPU_HAS(...) that it needs and this CPU lacks. */
    uint64_t oracle;
};

struct result_sip { /* one for each SIP that ended other than by exit(0) */
    char sip[32];
    char kind[32];     /* for instance "page fault" */
    uint64_t address;  /* faulting address, or 0 */
    uint64_t rip;      /* relative to the image's load address */
    char function[48]; /* symbol that holds rip, empty if the image has none */
};

/* What the addresses of running code mean: for a host that looks on. */
enum result_routine_kind {
    ROUTINE_TRAP,
    ROUTINE_COPY,
    ROUTINE_CALL,
    ROUTINE_START,
    ROUTINE_LEAVE,
    ROUTINE_SWITCH,
    ROUTINE_KINDS
};
#define RESULT_ROUTINE_NAMES                                                                       \
    { "trap", "copy", "system call", "thread start", "thread end", "switch" }
struct result_routine {
    uint32_t offset; /* of its first byte from the kernel's symbol composed_code; ascending */
    uint32_t kind;   /* enum result_routine_kind */
};
struct result_map {
    /* The kernel's table of SIPs, guest-physical: elements of sip_bytes, which hold at sip_base the load
       address and at sip_plan an address in the plan's list, which begins at plan_sips; 64 bits each.
       A SIP that has ended leaves its values there. An element that was never used has zeros. */
    uint64_t sips_pa, plan_sips;
    uint32_t sips, sip_bytes, sip_base, sip_plan;
    uint32_t routines, reserved; /* elements of routine[] that are valid */
    struct result_routine routine[RESULT_MAX_ROUTINES];
};

struct result_header {
    uint64_t magic;
    uint32_t version;
    uint32_t state;     /* enum result_state */
    uint32_t log_bytes; /* bytes of console text at log_offset, at most RESULT_LOG_BYTES */
    uint32_t log_offset;
    uint32_t ops; /* elements of op[] that are valid */
    uint32_t sip_reports;
    uint64_t used;      /* bytes of the region in use */
    uint32_t page_bits; /* log2 of the page size that the kernel's domain got: 12, 21 or 30 */
    uint32_t tests_run, tests_failed; /* guest self-tests */
    uint32_t reserved;
    uint32_t cpu_features; /* CPU_HAS(...) of guest-kernel/mechanisms.h that this CPU has */
    uint32_t reserved2;
    uint64_t simulated; /* MECHANISM(...) that the plan asked for and that were simulated */
    uint64_t free_pages_before, free_pages_after; /* 4 KiB pages free before the SIPs, after them */
    char message[256];
    struct result_op op[RESULT_MAX_OPS];
    struct result_sip sip[RESULT_MAX_SIP_REPORTS];
    struct result_map map;
};

/* Ports. Every backend serves the console and the exit; the doorbell may go nowhere. */
#define PORT_CONSOLE 0x3f8 /* 16550 data register; line status at +5 */
#define PORT_EXIT 0xf4     /* 32-bit write ends the run; the verdict is `state`, not the value */
#define PORT_DOORBELL 0xf0 /* 32-bit write: enum result_phase */
/* Bochs has no such port; there two 16-bit writes after PORT_EXIT end the run (its I/O debug device). */
#define PORT_BOCHS 0x8a00
#define BOCHS_OPEN 0x8a00
#define BOCHS_STOP 0x8ae0
enum result_phase {
    PHASE_KERNEL = 1,
    PHASE_SIPS = 2,
    PHASE_END = 3
};

#endif
