/*
 * The plan: what the host tells the guest to build and run. One little-endian binary, self-contained
 * (tables, strings and SIP images), loaded as the first PVH module. Written by plan_build() on the
 * host, read by the guest kernel and by plan_check(), which both share.
 *
 * A reader must call plan_check() first; after it succeeds every offset, count, index and string in
 * the plan is in range, so that the rest of the reader needs no further bounds checks.
 */
#ifndef BULKHEAD_PLAN_H
#define BULKHEAD_PLAN_H

#include <stdint.h>

#define PLAN_MAGIC 0x4e414c504b484c42ull /* "BLHKPLAN" in memory order */
#define PLAN_VERSION 1u
#define PLAN_NAME_BYTES 32u /* every name is NUL-terminated and NUL-padded */

/* The guest's static tables have these sizes. */
#define PLAN_MAX_DOMAINS 64u
#define PLAN_MAX_SIPS 64u
#define PLAN_MAX_CHANNELS 128u
#define PLAN_MAX_IMAGES 64u
#define PLAN_MAX_PARAMS 32u
#define PLAN_MAX_CONTRACTS 32u
#define PLAN_MAX_KEYS 15u /* domains with a protection key; key 0 is for all the rest */

#define PLAN_MAX_BYTES (32u << 20)
#define PLAN_NONE 0xffffffffu /* "no such index" */
#define PLAN_MAX_DEPTH 256u   /* messages in flight on one channel direction; a power of two */
#define PLAN_MAX_MESSAGE_BYTES (256u << 10)
/*
 * Images begin at multiples of this in the plan, and their last page holds nothing else: where the
 * plan is loaded page-aligned, as a PVH module is, the guest can map read-only segments in place.
 */
#define PLAN_IMAGE_ALIGN 4096u

/* Page size that a domain's mappings use, as log2 of bytes. */
enum plan_pages {
    PLAN_PAGES_LARGEST = 0, /* identity map with the largest that the CPU has: 1 GiB or 2 MiB */
    PLAN_PAGES_4K = 12,
    PLAN_PAGES_2M = 21,
    PLAN_PAGES_1G = 30,
};
/* Whose page-table root a domain uses. */
enum plan_space {
    PLAN_SPACE_KERNEL = 0,
    PLAN_SPACE_OWN = 1,
};
enum plan_role {
    PLAN_ROLE_APPLICATION = 0,
    PLAN_ROLE_SERVICE = 1,
    PLAN_ROLE_DRIVER = 2,
};
enum plan_safety {
    PLAN_SAFETY_UNCHECKED = 0,
    PLAN_SAFETY_CHECKED = 1,
    PLAN_SAFETY_MASKED = 2,
};
enum plan_transfer {
    PLAN_TRANSFER_MOVE = 0,   /* ownership of the block moves inside one heap */
    PLAN_TRANSFER_COPY = 1,   /* header and payload are copied between two heaps */
    PLAN_TRANSFER_REMAP = 2,  /* whole pages change hands between two heaps */
    PLAN_TRANSFER_SHARED = 3, /* ring and buffers mapped into both ends only */
    PLAN_TRANSFER_AUTO = 4,   /* dynamic channels only: move if the ends share a heap, else copy */
};
enum plan_on_fault {
    PLAN_FAULT_KILL = 0,
    PLAN_FAULT_RESTART = 1,
};
/* plan_header.flags */
enum plan_flags {
    PLAN_WAKE_DIRECT = 1u << 0, /* a send switches to a waiting receiver; else it is queued */
    PLAN_PREEMPT = 1u << 1,     /* the timer may take the processor from a SIP */
    PLAN_SELF_TEST = 1u << 2,   /* the kernel tests itself (TAP on the console) before the SIPs */
    /* What a mechanism needs and this CPU lacks is left out, and the run is marked as simulated. */
    PLAN_SIMULATE = 1u << 3,
};

struct plan_section {
    uint32_t offset; /* bytes from the start of the plan, 8-aligned */
    uint32_t count;  /* elements */
};

struct plan_header {
    uint64_t magic;
    uint32_t version;
    uint32_t checksum; /* CRC-32 (IEEE 802.3) of all total_bytes with this field as zero */
    uint32_t total_bytes;
    uint32_t flags;
    uint64_t result_pa;    /* guest-physical address of struct result_header, 2 MiB aligned */
    uint32_t result_bytes; /* size of the result region */
    uint32_t warmup;       /* iterations before a measurement */
    uint32_t batch;        /* operations timed together as one sample */
    uint32_t samples;      /* samples a measurement takes */
    uint64_t seed;         /* for workloads that draw random numbers */
    uint32_t slice_us;     /* time slice when PLAN_PREEMPT */
    uint32_t reserved;
    char layout[PLAN_NAME_BYTES];
    char workload[PLAN_NAME_BYTES];
    struct plan_section domains;   /* struct plan_domain; [0] is the kernel's own domain */
    struct plan_section sips;      /* struct plan_sip, in start order */
    struct plan_section channels;  /* struct plan_channel */
    struct plan_section images;    /* struct plan_image */
    struct plan_section params;    /* struct plan_param */
    struct plan_section contracts; /* struct plan_contract */
};

struct plan_domain {
    char name[PLAN_NAME_BYTES];
    uint32_t ring;  /* 0 or 3 */
    uint32_t space; /* enum plan_space */
    uint32_t pages; /* enum plan_pages */
    uint32_t heap;  /* exchange heap number: 0 is the ring-0 shared heap, else this domain's own */
    uint64_t
        mechanisms;   /* bits by enum mechanism_id; those of the machine in the kernel's domain */
    uint32_t per_sip; /* 1: made with its one SIP, and gone with it (`in: own`) */
    uint32_t reserved;
};

struct plan_sip {
    char name[PLAN_NAME_BYTES];
    uint32_t image;     /* index into images */
    uint32_t domain;    /* index into domains */
    uint32_t role;      /* enum plan_role */
    uint32_t on_fault;  /* enum plan_on_fault */
    uint32_t rights;    /* enum plan_rights */
    uint32_t autostart; /* 1: started at boot; 0: a template that a SIP with the right may create */
    uint64_t budget_us; /* longest run without giving way before it is ended; 0: no limit */
    uint64_t quota_bytes; /* of memory it may own at a time before it is ended; 0: no limit */
};
/* plan_sip.rights, bits */
enum plan_rights {
    PLAN_RIGHT_CREATE = 1u << 0,    /* may create, start and wait for SIPs from templates */
    PLAN_RIGHT_KILL = 1u << 1,      /* may end the SIPs that it created */
    PLAN_MAY_FAULT = 1u << 2,       /* its end by a fault does not fail the run */
    PLAN_RIGHT_CALIBRATE = 1u << 3, /* may have the kernel measure primitives */
    PLAN_DRIVES_DISK = 1u << 4,     /* has the virtio disk below, its memory and its interrupt */
    PLAN_DRIVES_INTERRUPT =
        1u << 5, /* has no device, but an interrupt that the processor sends itself */
};
/* At most one SIP of a plan has one of these, and it starts at boot. */
#define PLAN_DRIVES (PLAN_DRIVES_DISK | PLAN_DRIVES_INTERRUPT)
/*
 * Where a backend puts the disk that a plan wants: the first transport of QEMU's machine `microvm`. Its
 * registers, guest-physical, and the pin of the I/O APIC that its interrupt is on.
 */
#define PLAN_DEVICE_PA 0xfeb00000ull
#define PLAN_DEVICE_BYTES 0x200u
#define PLAN_DEVICE_PIN 5u

struct plan_channel {
    char name[PLAN_NAME_BYTES];
    /* Both ends PLAN_NONE: dynamic, a kind of channel that SIPs create at run time. */
    uint32_t from;          /* index into sips: the end that the contract calls "client" */
    uint32_t to;            /* index into sips: the "server" end */
    uint32_t depth;         /* ring entries a direction, power of two, 1..PLAN_MAX_DEPTH */
    uint32_t transfer;      /* enum plan_transfer, resolved; auto only if dynamic */
    uint32_t message_bytes; /* largest payload */
    uint32_t contract;      /* index into contracts or PLAN_NONE: any message either way */
    uint64_t reserved;
};

struct plan_image {
    char name[PLAN_NAME_BYTES];
    uint32_t safety; /* enum plan_safety */
    uint32_t offset; /* bytes from the start of the plan, a multiple of PLAN_IMAGE_ALIGN */
    uint32_t bytes;
    uint32_t reserved;
};

struct plan_param {
    char name[PLAN_NAME_BYTES];
    int64_t value;
};

/* A contract as a table: next state by state and message type. Message types count from 0. */
#define PLAN_CONTRACT_STATES 16u
#define PLAN_CONTRACT_TYPES 16u
#define PLAN_CONTRACT_REFUSED 0xffu
struct plan_contract {
    char name[PLAN_NAME_BYTES];
    uint32_t states;
    uint32_t types;
    uint32_t start;     /* state of a fresh channel */
    uint32_t in_flight; /* the most messages one direction can hold; depth must be at least this */
    uint32_t min_bytes[PLAN_CONTRACT_TYPES];  /* smallest payload of each type, its fixed fields */
    uint32_t max_bytes[PLAN_CONTRACT_TYPES];  /* largest payload of each type */
    uint8_t from_client[PLAN_CONTRACT_TYPES]; /* 1: client to server, 0: server to client */
    uint8_t carries_endpoint[PLAN_CONTRACT_TYPES]; /* 1: an endpoint travels with the message */
    uint8_t next[PLAN_CONTRACT_STATES][PLAN_CONTRACT_TYPES]; /* state or PLAN_CONTRACT_REFUSED */
};

/*
 * Checks a plan of at most `bytes` bytes at `plan` (8-aligned). Returns 0, or a negative number and
 * points *why at a static sentence that names what is wrong and the mend. Never reads past `bytes`.
 */
int plan_check(const void *plan, uint64_t bytes, const char **why);

/* CRC-32 (IEEE 802.3, reflected), continued from `crc`; start with 0. */
uint32_t plan_crc32(uint32_t crc, const void *data, uint64_t bytes);

/* First element of a section of a checked plan. */
static inline const void *plan_at(const struct plan_header *plan, struct plan_section section) {
    return (const char *)plan + section.offset;
}

#endif
