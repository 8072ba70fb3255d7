/* Domains: a pool, since those of single SIPs come and go. The pool's index is the heap's number. */
#include "domain.h"
#include "kernel.h"
#include "page.h"

#define DOMAINS HEAPS_OF_DOMAINS

static struct domain domains[DOMAINS];
static uint32_t by_plan[PLAN_MAX_DOMAINS]; /* plan index to pool index, of those made at boot */
static uint32_t domain_hint;               /* no free one below */

extern uint8_t stub_page[]; /* entry.S */

static void domain_destroy(struct domain *domain) {
    if (domain->heap == &domain->own_heap)
        heap_destroy(&domain->own_heap);
    if (domain->space == &domain->own_space) {
        heap_forget_space(&domain->own_space);
        space_destroy(&domain->own_space);
    }
    domain->plan = NULL;
    if (domain - domains < domain_hint)
        domain_hint = (uint32_t)(domain - domains);
}

static struct domain *domain_create(const struct plan_domain *plan) {
    while (domain_hint < DOMAINS && domains[domain_hint].plan)
        domain_hint++;
    if (domain_hint == DOMAINS)
        return NULL;
    struct domain *domain = &domains[domain_hint];
    domain->plan = plan;
    domain->ring = plan->ring;
    domain->page_bits = plan->pages == PLAN_PAGES_1G ? PLAN_PAGES_LARGEST : plan->pages;
    domain->access = plan->ring == 3 ? SPACE_USER : 0;
    domain->space = &space_kernel;
    domain->heap = &domains[0].own_heap;
    if (plan->space == PLAN_SPACE_OWN) {
        if (!space_create(&domain->own_space, plan->heap == 0)) {
            domain->plan = NULL;
            return NULL;
        }
        domain->space = &domain->own_space;
    }
    /* Heap 0 belongs to domain 0, whose heap it is in every ring-0 space. */
    bool made = true;
    if (domain == &domains[0] || plan->heap != 0) {
        made = domain->page_bits == PLAN_PAGES_LARGEST
                   ? heap_create_identity(&domain->own_heap, domain->space)
                   : heap_create(&domain->own_heap, domain_hint, domain->space, domain->page_bits,
                                 SPACE_WRITE | domain->access);
        if (made)
            domain->heap = &domain->own_heap;
    }
    if (made && domain->ring == 3 && space_lookup(domain->space, STUB_VA) == PAGE_NONE)
        made = space_map(domain->space, STUB_VA, kernel_address(stub_page), PAGE_BYTES,
                         PLAN_PAGES_4K, SPACE_EXECUTE | SPACE_USER);
    if (made)
        return domain;
    domain_destroy(domain);
    return NULL;
}

void domain_create_all(const struct plan_header *plan) {
    const struct plan_domain *list = plan_at(plan, plan->domains);
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        if (list[i].per_sip)
            continue;
        struct domain *domain = domain_create(&list[i]);
        if (!domain)
            run_end(RESULT_FAILED, "no memory for domain '%s': give the guest more", list[i].name);
        by_plan[i] = (uint32_t)(domain - domains);
    }
}

struct domain *domain_for_sip(uint32_t plan_index) {
    const struct plan_domain *list = plan_at(kernel_plan, kernel_plan->domains);
    return list[plan_index].per_sip ? domain_create(&list[plan_index])
                                    : &domains[by_plan[plan_index]];
}

void domain_leave(struct domain *domain) {
    if (domain->plan->per_sip)
        domain_destroy(domain);
}

struct domain *domain_at(uint32_t index) {
    return index < DOMAINS ? &domains[index] : NULL;
}
