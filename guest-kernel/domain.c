/* Domains, built from the plan before any SIP is loaded. */
#include "domain.h"
#include "kernel.h"
#include "page.h"

struct domain domain_table[PLAN_MAX_DOMAINS];

extern uint8_t stub_page[]; /* entry.S */

static void domain_refuse_memory(const struct domain *domain) {
    run_end(RESULT_FAILED, "no memory for domain '%s': give the guest more", domain->plan->name);
}

static void domain_create(struct domain *domain, const struct plan_domain *plan) {
    domain->plan = plan;
    domain->ring = plan->ring;
    domain->page_bits = plan->pages == PLAN_PAGES_1G ? PLAN_PAGES_LARGEST : plan->pages;
    domain->space = &space_kernel;
    if (plan->space == PLAN_SPACE_OWN) {
        if (!space_create(&domain->own_space, plan->heap == 0))
            domain_refuse_memory(domain);
        domain->space = &domain->own_space;
    }
    /* Heap 0 belongs to domain 0, whose heap it is in every ring-0 space. */
    bool own_heap = domain == &domain_table[0] || plan->heap != 0;
    if (!own_heap) {
        domain->heap = &domain_table[0].own_heap;
    } else {
        domain->heap = &domain->own_heap;
        bool made = domain->page_bits == PLAN_PAGES_LARGEST
                        ? heap_create_identity(domain->heap, domain->space)
                        : heap_create(domain->heap, plan->heap, domain->space, domain->page_bits,
                                      SPACE_WRITE | domain_access(domain));
        if (!made)
            domain_refuse_memory(domain);
    }
    if (domain->ring == 3 && !space_lookup(domain->space, STUB_VA) &&
        !space_map(domain->space, STUB_VA, kernel_address(stub_page), PAGE_BYTES, PLAN_PAGES_4K,
                   SPACE_EXECUTE | SPACE_USER))
        domain_refuse_memory(domain);
}

void domain_create_all(const struct plan_header *plan) {
    const struct plan_domain *list = plan_at(plan, plan->domains);
    for (uint32_t i = 0; i < plan->domains.count; i++)
        domain_create(&domain_table[i], &list[i]);
}
