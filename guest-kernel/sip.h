/*
 * SIPs: images, instances, what an instance owns (blocks, channel ends, memory, a thread), and how
 * it ends. A SIP can end only itself.
 */
#ifndef BULKHEAD_SIP_H
#define BULKHEAD_SIP_H

#include "domain-config/plan.h"
#include "heap.h"
#include "sip/abi.h"
#include "space.h"
#include "thread.h"
#include <stddef.h>

#define SIP_ENDS 32

struct domain {
    const struct plan_domain *plan;
    uint32_t ring;
    uint32_t page_bits;  /* PLAN_PAGES_LARGEST: SIPs live at identity addresses */
    struct space *space; /* its own, or &space_kernel */
    struct heap *heap;   /* where its SIPs' blocks are */
    struct space own_space;
    struct heap own_heap;
    bool stub_mapped;
};

struct image { /* an ELF of the plan, checked and measured */
    const struct plan_image *plan;
    const uint8_t *file;
    struct abi_image_note note;
    uint64_t bytes; /* of address space, from 0 */
    const struct image_segment {
        uint64_t va, bytes;
        uint64_t file_offset, file_bytes;
        uint32_t access;
    } *segment;
    uint32_t segments;
    uint64_t data, data_end; /* the writable stretch */
    uint64_t relocations;    /* file offset of Elf64_Rela[] */
    uint32_t relocation_count;
};

struct slot { /* the kernel's side of struct abi_slot */
    block_t block;
    union {
        struct abi_message *message; /* owned: kernel pointer to the block's header */
        struct slot *next;           /* free: the next free slot */
    };
    uint32_t tag;      /* 0: free */
    uint32_t bytes;    /* room, header included */
    uint32_t next_tag; /* the handle that its next block will have */
    uint32_t reserved;
    struct abi_slot *mirror; /* its entry in the SIP's own table, as the kernel reaches it */
};

struct channel;
struct direction;
struct end { /* a SIP's end of a channel */
    struct direction *in, *out;           /* what it receives from and sends to */
    const struct plan_contract *contract; /* NULL: any message either way */
    struct channel *channel;
    uint32_t tag;  /* its handle; 0: free */
    uint8_t side;  /* 0: client, 1: server */
    uint8_t state; /* of the contract, as this end has seen it */
};

enum sip_state { SIP_FREE, SIP_RUNNING, SIP_ENDED };

struct sip {
    const struct plan_sip *plan;
    const struct image *image;
    struct domain *domain;
    uint64_t base;                   /* load address */
    uint64_t data, data_end;         /* what it may write: variables */
    uint64_t stack, stack_top;       /* and its stack */
    struct slot slot[ABI_SLOTS];     /* [0] is never used: its tag is no handle */
    struct slot *free_slot;          /* head of the free list */
    struct end end[SIP_ENDS];        /* [0] is never used, likewise */
    uint32_t next_end_tag;
    struct thread *thread;
    uint32_t number;
    uint32_t state;                  /* enum sip_state */
    int64_t status;                  /* what it exited with */
    uint64_t identity;               /* physical address of its chunks in an identity layout */
    uint64_t identity_chunks;
};

extern struct sip sip_table[PLAN_MAX_SIPS];

static inline struct sip *sip_current(void) { return thread_current->sip; }

/* Reads and checks the images of the plan; builds domains; makes one instance of each SIP. */
void sip_load_all(const struct plan_header *plan);
void sip_start_all(void);
/* Application SIPs that have not ended. */
uint32_t sip_applications_running(void);

/* Ends the current SIP. */
void sip_exit(int64_t status) __attribute__((noreturn));
/* Ends the current SIP because of what it did, with a report. `rip` is absolute. */
void sip_fault(const char *kind, uint64_t address, uint64_t rip) __attribute__((noreturn));

/* True if [address, address + bytes) lies in one region that the SIP may read (write). */
static inline bool sip_may_write(const struct sip *sip, uint64_t address, uint64_t bytes) {
    uint64_t in_data = address - sip->data, in_stack = address - sip->stack;
    uint64_t data = sip->data_end - sip->data, stack = sip->stack_top - sip->stack;
    return (in_data <= data && bytes <= data - in_data) ||
           (in_stack <= stack && bytes <= stack - in_stack);
}
static inline bool sip_may_read(const struct sip *sip, uint64_t address, uint64_t bytes) {
    uint64_t in_image = address - sip->base, image = sip->image->bytes;
    if (in_image <= image && bytes <= image - in_image)
        return space_lookup(sip->domain->space, address) && /* not in a gap between segments */
               (!bytes || space_lookup(sip->domain->space, address + bytes - 1));
    return sip_may_write(sip, address, bytes);
}

/*
 * Slot 0 and end 0 have this tag. No handle is equal to it: one that selects element 0 has low bits 0.
 * It saves the test for handle 0 on every message.
 */
#define SIP_NO_TAG 0xffffffffu

/* The slot that `handle` names, or NULL unless the SIP owns it now. */
static inline struct slot *sip_slot(struct sip *sip, uint64_t handle) {
    struct slot *slot = &sip->slot[handle & ABI_SLOT_MASK];
    return slot->tag == handle ? slot : NULL;
}
/*
 * Makes the SIP the owner of a block that it sees at va; the caller knows that there is a free slot.
 * Returns the handle.
 */
static inline uint32_t sip_slot_take(struct sip *sip, block_t block, struct abi_message *message,
                                     uint64_t va, uint32_t bytes) {
    struct slot *slot = sip->free_slot;
    struct abi_slot *mirror = slot->mirror;
    uint32_t tag = slot->next_tag;
    sip->free_slot = slot->next;
    slot->block = block;
    slot->message = message;
    slot->tag = tag;
    slot->bytes = bytes;
    mirror->base = (void *)va;
    mirror->bytes = bytes;
    mirror->tag = tag;
    return tag;
}
static inline void sip_slot_drop(struct sip *sip, struct slot *slot) {
    struct abi_slot *mirror = slot->mirror;
    mirror->base = NULL;
    mirror->bytes = mirror->tag = 0;
    uint32_t next = slot->tag + ABI_SLOTS;
    slot->next_tag = next > ABI_SLOTS ? next : slot->tag % ABI_SLOTS + ABI_SLOTS; /* wrapped */
    slot->tag = 0;
    slot->next = sip->free_slot;
    sip->free_slot = slot;
}

static inline struct end *sip_end(struct sip *sip, uint64_t handle) {
    struct end *end = &sip->end[handle % SIP_ENDS];
    return end->tag == handle ? end : NULL;
}

#endif
