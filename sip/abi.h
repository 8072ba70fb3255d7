/*
 * The contract between SIPs and the kernel: numbers, structures and errors. A SIP calls the kernel
 * through the table of functions it is given at start; in a ring-0 domain they are the kernel's own
 * functions, in a ring-3 domain they are stubs around `syscall`. Both check every argument alike.
 */
#ifndef BULKHEAD_ABI_H
#define BULKHEAD_ABI_H

#include "sip/abi_calls.h"
#include <stdint.h>

#define ABI_VERSION 2u

/* Errors: small negative numbers in an int64_t. */
enum abi_error {
    ABI_OK = 0,
    ABI_EINVAL = -1,  /* an argument is out of range */
    ABI_EFAULT = -2,  /* a pointer is not wholly inside this SIP's memory */
    ABI_EHANDLE = -3, /* not a block, endpoint, SIP or thread of this SIP */
    ABI_ENOMEM = -4,  /* the heap, the quota or the machine has no more */
    ABI_EFULL = -5,   /* the peer has not yet taken earlier messages */
    ABI_EEMPTY = -6,  /* no message, and ABI_RECV_POLL was asked for */
    ABI_ECLOSED = -7, /* the peer is gone and its messages are drained */
    ABI_EPERM = -8,   /* this SIP does not hold the right */
    ABI_ENOENT = -9,  /* no such name */
    ABI_ENOSYS = -10, /* no such call */
    ABI_EEXIST = -11, /* the name is taken */
};

/*
 * A block of the exchange heap as its owner sees it. The kernel keeps this table in the SIP's image;
 * a slot whose block has been sent or freed has bytes == 0 and tag == 0.
 * A handle is a slot number in the low 8 bits and a generation above, never 0.
 */
struct abi_slot {
    void *base;     /* of the message header; the payload follows it */
    uint32_t bytes; /* header included; 0: not owned */
    uint32_t tag;   /* the handle that is valid now */
};
#define ABI_SLOTS 256u
#define ABI_SLOT_MASK 0xffu

/*
 * At the start of each block, before the payload. A message's type comes with its handle, its length
 * is the slot's, both from the kernel; the word is the sender's own.
 */
struct abi_message {
    uint64_t word;
    uint64_t reserved; /* keeps payloads 16-aligned */
};

struct abi_events { /* indices: enum result_event */
    uint64_t count[16];
};

struct abi_report { /* a measurement, delivered once; arrays are in the SIP's memory */
    char name[32];
    uint32_t kind; /* enum result_kind */
    uint32_t batch;
    uint32_t samples;
    uint32_t overheads;
    uint64_t values; /* address of uint64_t[samples + overheads] */
    uint64_t operations;
    uint64_t events[16];
    uint64_t oracle;
};

enum abi_device {             /* what the SIP with a device has of it */
    ABI_DEVICE_REGISTERS = 0, /* a block: the registers, of PLAN_DEVICE_BYTES */
    ABI_DEVICE_MEMORY =
        1, /* a block of ABI_DEVICE_MEMORY_BYTES, cleared, one piece to the device */
    ABI_DEVICE_ADDRESS = 2, /* the address of that memory as the device knows it */
};
#define ABI_DEVICE_MEMORY_BYTES 0x200000u
enum abi_irq {
    ABI_IRQ_DEVICE = 0, /* the device's interrupt, which is let in while it is waited for */
    ABI_IRQ_SELF = 1,   /* one that the processor sends itself as soon as the SIP waits */
};

#define ABI_RECV_POLL 1u /* do not block */

enum abi_trap {               /* why a SIP was ended; the first argument of the call trap */
    ABI_TRAP_BOUNDS = 1,      /* an access outside of the SIP's memory or of a block */
    ABI_TRAP_CALL = 2,        /* an indirect call of no function, or of another type */
    ABI_TRAP_STACK = 3,       /* the native stack is used up */
    ABI_TRAP_UNREACHABLE = 4, /* the program said that this never happens */
    ABI_TRAP_DIVIDE = 5,      /* by zero */
    ABI_TRAP_OVERFLOW = 6,    /* the smallest integer divided by -1 */
    ABI_TRAP_HANDLE = 7,      /* a block that is not, or no longer, this SIP's */
    ABI_TRAPS_OF_CODE = 8, /* the kinds above are found by checked code, the others by the kernel */
    ABI_TRAP_PAGE_FAULT = 8,
    ABI_TRAP_ILLEGAL = 9,    /* instruction */
    ABI_TRAP_EXCEPTION = 10, /* any other of the processor's */
    ABI_TRAP_CONTRACT = 11,
    ABI_TRAP_QUOTA = 12,
    ABI_TRAP_BUDGET = 13, /* it ran for too long without giving way */
    ABI_TRAP_KILLED = 14, /* by the SIP that created it */
};
#define ABI_TRAP_NAMES                                                                             \
    {                                                                                              \
        0, "out of bounds", "bad indirect call", "stack overflow", "unreachable",                  \
            "divide by zero", "integer overflow", "stale handle", "page fault",                    \
            "illegal instruction", "processor exception", "contract violation", "quota exhausted", \
            "budget exceeded", "killed"                                                            \
    }

#define ABI_FAULTED 0x100000000ll /* in what sip_wait returns: the SIP did not exit by itself */

enum abi_call {
#define X(name, arguments) ABI_##name,
    ABI_CALLS(X)
#undef X
    ABI_CALL_COUNT
};

/* A SIP's table of calls (see sip/abi_calls.h): index by enum abi_call. */
typedef int64_t (*abi_function)(uint64_t, uint64_t, uint64_t, uint64_t);

/*
 * Each SIP image has a PT_NOTE segment with one note of this name and type, whose descriptor is this
 * structure. Addresses are relative to the image's load address.
 */
#define ABI_NOTE_NAME "Bulkhead"
#define ABI_NOTE_TYPE 1u
struct abi_image_note {
    uint32_t abi_version;
    uint32_t safety;      /* enum plan_safety: how the image was built */
    uint64_t entry;       /* void entry(const abi_function *calls) */
    uint64_t slots;       /* struct abi_slot[ABI_SLOTS], page-aligned, in a writable segment */
    uint64_t stack_bytes; /* of native stack it wants */
    uint64_t features;    /* enum abi_image_feature, or-ed */
};
enum abi_image_feature {
    ABI_IMAGE_FLOAT = 1,     /* uses SSE2 registers: each thread needs its own contents there */
    ABI_IMAGE_RETPOLINE = 2, /* no indirect branch but in thunks that do not predict */
    ABI_IMAGE_CET = 4,       /* each target of an indirect branch is ENDBR64 */
};

#endif
