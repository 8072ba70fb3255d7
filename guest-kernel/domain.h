/* Protection domains: a page-table root, a ring and an exchange heap. */
#ifndef BULKHEAD_DOMAIN_H
#define BULKHEAD_DOMAIN_H

#include "sip.h"

extern struct domain domain_table[PLAN_MAX_DOMAINS];

/* Builds every domain of a checked plan; ends the run when memory does not suffice. */
void domain_create_all(const struct plan_header *plan);

/* The rights that a SIP's mapping needs in this domain, on top of its segment's. */
static inline uint32_t domain_access(const struct domain *domain) {
    return domain->ring == 3 ? SPACE_USER : 0;
}

#endif
