/*
 * Protection domains: a page-table root, a ring and an exchange heap. Most are built at boot and stay;
 * one that the layout makes for each SIP is built with the SIP and goes with it.
 */
#ifndef BULKHEAD_DOMAIN_H
#define BULKHEAD_DOMAIN_H

#include "domain-config/plan.h"
#include "heap.h"
#include "space.h"

struct domain {
    const struct plan_domain *plan; /* NULL: not in use */
    uint32_t ring;
    uint32_t page_bits;  /* PLAN_PAGES_LARGEST: SIPs live at identity addresses */
    uint32_t access;     /* what its mappings need on top of read, write, execute */
    uint32_t pkru;       /* PKU: its ring 3 may reach keys 0 and its own */
    uint32_t class;      /* its index in the plan: selects its switch routines */
    uint32_t key;        /* PKU: its key, 0: none */
    bool user_view;      /* KPTI: its ring 3 runs on the space's user root */
    uint64_t offset;     /* added to the addresses of its SIPs and heap */
    struct space *space; /* its own, or &space_kernel */
    struct heap *heap;   /* where its SIPs' blocks are: its own, or that of ring 0 */
    struct space own_space;
    struct heap own_heap;
};

/* Builds the domains of a checked plan that are not per SIP; ends the run if memory does not suffice. */
void domain_create_all(const struct plan_header *plan);

/* The domain for a new SIP of this plan domain, built if it is per SIP; NULL: no memory. */
struct domain *domain_for_sip(uint32_t plan_index);
/* Its SIP has ended: a domain made for it goes, with its heap, its tables and what they held. */
void domain_leave(struct domain *domain);

/* For walks over all of them; NULL past the end. */
struct domain *domain_at(uint32_t index);

#endif
