/*
 * SIPs: instances, what an instance owns (blocks, channel ends, memory, threads), how it is made and
 * how it ends. A SIP can end only itself, or a SIP that it made.
 */
#ifndef BULKHEAD_SIP_H
#define BULKHEAD_SIP_H

#include "domain.h"
#include "guest-kernel/memlayout.h"
#include "sip/abi.h"
#include "thread.h"
#include <stddef.h>

#define SIPS 128 /* instances at a time */
#define SIP_ENDS 32

struct image;

struct slot {      /* the kernel's side of struct abi_slot */
    block_t block; /* BLOCK_NONE: pages of the SIP's own */
    union {
        uint64_t pa;       /* owned: physical address of the block's header; pages: their address */
        struct slot *next; /* free: the next free slot */
    };
    uint32_t tag;      /* 0: free */
    uint32_t bytes;    /* room, header included; 0 for pages, so that they cannot be sent */
    uint32_t next_tag; /* the handle that its next block will have */
    uint32_t pages;
    struct abi_slot *mirror; /* its entry in the SIP's own table, as the kernel reaches it */
};

struct channel;
struct direction;
struct protocol;
struct end {                            /* a SIP's end of a channel */
    struct direction *in, *out;         /* what it receives from and sends to */
    const struct protocol *protocol;    /* of its contract; NULL: any message either way */
    const uint8_t *sending, *receiving; /* its tables of next states: see struct protocol */
    struct channel *channel;
    uint32_t tag;         /* its handle; 0: free */
    uint8_t side;         /* 0: client, 1: server */
    uint8_t state;        /* of the contract, as this end has seen it, shifted */
    uint8_t reserved[10]; /* to a power of two */
};
_Static_assert(sizeof(struct end) == 64, "found by a shift");

enum sip_state {
    SIP_FREE,
    SIP_LOADED,
    SIP_RUNNING,
    SIP_ENDED
};

struct sip {
    const struct plan_sip *plan;
    const struct image *image;
    struct domain *domain;
    uint64_t base;               /* load address */
    uint64_t data, data_end;     /* what it may write: variables */
    uint64_t stack, stack_top;   /* and its stack */
    struct slot *free_slot;      /* head of the free list */
    struct slot slot[ABI_SLOTS]; /* [0] is never used: its tag is no handle */
    struct end end[SIP_ENDS];    /* [0] is never used, likewise */
    char end_name[SIP_ENDS][PLAN_NAME_BYTES];
    uint32_t next_end_tag;
    struct thread *threads;
    uint64_t pages;      /* where its next own pages go */
    uint32_t pages_live; /* how many such slots it has */
    uint64_t identity;   /* physical address of its chunks in an identity layout */
    uint64_t identity_chunks;
    struct sip *parent;    /* NULL: started by the plan, or an orphan */
    struct thread *waiter; /* of the parent, in sip_wait */
    uint32_t number;
    uint32_t handle; /* what its parent knows it by */
    uint32_t state;  /* enum sip_state */
    uint32_t restarts;
    int64_t status; /* what it exited with, or ABI_FAULTED | enum abi_trap */
};

static inline struct sip *sip_current(void) { return thread_sip; }

/* Makes what the plan wants at boot; ends the run if that is not possible. */
void sip_load_all(const struct plan_header *plan);
void sip_start_all(void);
/* Application SIPs of the plan that have not ended. */
uint32_t sip_applications_running(void);
/* The running instance of a SIP that the plan starts, or NULL. */
struct sip *sip_of_plan(uint32_t plan_index);

/* Ends the current SIP. */
void sip_exit(int64_t status) __attribute__((noreturn));
/*
 * Ends the current SIP because of what it did, with a report. `rip` is absolute, 0 if not known;
 * `trap` is what its parent gets to know.
 */
void sip_fault(enum abi_trap trap, const char *kind, uint64_t address, uint64_t rip)
    __attribute__((noreturn));

/* The calls on other SIPs; see sip/abi_calls.h. `child` is a handle that the parent was given. */
int64_t sip_create(struct sip *parent, const char *name);
int64_t sip_give(struct sip *parent, uint64_t child, uint64_t endpoint, const char *name);
int64_t sip_start(struct sip *parent, uint64_t child);
int64_t sip_wait(struct sip *parent, uint64_t child);
int64_t sip_kill(struct sip *parent, uint64_t child);

/* Whole pages of the SIP's own, as a slot; and their release. */
int64_t sip_pages_alloc(struct sip *sip, uint64_t count);
void sip_pages_free(struct sip *sip, struct slot *slot);

/* Ends the SIP if `more` bytes take it over its quota. */
void sip_quota_check(struct sip *sip, uint64_t more);

/* True if [address, address + bytes) lies in one region that the SIP may write. */
static inline bool sip_may_write(const struct sip *sip, uint64_t address, uint64_t bytes) {
    uint64_t in_data = address - sip->data, in_stack = address - sip->stack;
    uint64_t data = sip->data_end - sip->data, stack = sip->stack_top - sip->stack;
    return (in_data <= data && bytes <= data - in_data) ||
           (in_stack <= stack && bytes <= stack - in_stack);
}
/* The same for reading: also its code and constants. */
bool sip_may_read(const struct sip *sip, uint64_t address, uint64_t bytes);

/*
 * Slot 0 and end 0 have this tag. No handle is equal to it: one that selects element 0 has low bits 0.
 * It saves the test for handle 0 on every message.
 */
#define SIP_NO_TAG 0xffffffffu

/* Keeps the compiler from computing an address anew at each use: it saves a few on every message. */
#define SIP_KEEP(pointer) __asm__("" : "+r"(pointer))

/* The slot that `handle` names, or NULL unless the SIP owns it now. */
static inline struct slot *sip_slot(struct sip *sip, uint64_t handle) {
    struct slot *slot = &sip->slot[handle & ABI_SLOT_MASK];
    SIP_KEEP(slot);
    return slot->tag == handle ? slot : NULL;
}
/*
 * Makes the SIP the owner of a block that it sees at va; the caller knows that there is a free slot.
 * Returns the handle.
 */
static inline uint32_t sip_slot_take(struct sip *sip, block_t block, uint64_t pa, uint64_t va,
                                     uint32_t bytes) {
    struct slot *slot = sip->free_slot;
    struct abi_slot *mirror = slot->mirror;
    uint32_t tag = slot->next_tag;
    sip->free_slot = slot->next;
    slot->block = block;
    slot->pa = pa;
    slot->tag = tag;
    slot->bytes = bytes;
    mirror->base = (void *)va;
    mirror->bytes = bytes;
    mirror->tag = tag;
    return tag;
}
static inline struct abi_message *slot_message(const struct slot *slot) {
    return (struct abi_message *)(PHYS_VA + slot->pa);
}
static inline void sip_slot_drop(struct sip *sip, struct slot *slot) {
    struct abi_slot *mirror = slot->mirror;
    mirror->base = NULL;
    mirror->bytes = mirror->tag = 0;
    slot->next_tag = slot->tag + ABI_SLOTS; /* the low bits stay; they are not 0, so it never is */
    slot->tag = 0;
    slot->next = sip->free_slot;
    sip->free_slot = slot;
}

static inline struct end *sip_end(struct sip *sip, uint64_t handle) {
    struct end *end = &sip->end[handle % SIP_ENDS];
    SIP_KEEP(end);
    return end->tag == handle ? end : NULL;
}

#endif
