/* Domains: a pool, since those of single SIPs come and go. The pool's index is the heap's number. */
#include "domain.h"
#include "kernel.h"
#include "page.h"
#include "thread.h"
#include "x86.h"

#define DOMAINS HEAPS_OF_DOMAINS
#define KEYS 16
#define PKRU_NONE 0x55555555u
/* Tags: 0 is every untagged space's, 1 and 2 the kernel's, then two for each domain (KPTI). */
#define PCID_KERNEL 1
#define PCID_OF_DOMAIN(index) (3 + 2 * (index))
_Static_assert(PCID_OF_DOMAIN(DOMAINS) < 4096, "a tag has 12 bits");

static struct domain domains[DOMAINS];
static uint32_t by_plan[PLAN_MAX_DOMAINS]; /* plan index to pool index, of those made at boot */
static uint32_t domain_hint;               /* no free one below */

extern uint8_t stub_page[]; /* entry.S */

static void domain_destroy(struct domain *domain) {
    if (domain->heap == &domain->own_heap)
        heap_destroy(&domain->own_heap);
    if (cpu.last_ring3 == domain)
        cpu.last_ring3 = NULL;
    if (domain->space == &domain->own_space) {
        heap_forget_space(&domain->own_space);
        space_destroy(&domain->own_space);
    }
    domain->plan = NULL;
    if (domain - domains < domain_hint)
        domain_hint = (uint32_t)(domain - domains);
}

/* PKU: a key that no other domain has, and what it means for PKRU (a bit to forbid access, one to write). */
static bool key_take(struct domain *domain) {
    uint32_t used = 1;
    for (uint32_t i = 0; i < DOMAINS; i++)
        if (domains[i].plan)
            used |= 1u << domains[i].key;
    for (uint32_t key = 1; key < KEYS; key++) {
        if (used >> key & 1)
            continue;
        domain->key = key;
        domain->pkru = PKRU_NONE & ~(3u | 3u << 2 * key);
        domain->access |= key * SPACE_KEY;
        return true;
    }
    return false;
}

static struct domain *domain_create(const struct plan_domain *list, uint32_t class) {
    const struct plan_domain *plan = &list[class];
    while (domain_hint < DOMAINS && domains[domain_hint].plan)
        domain_hint++;
    if (domain_hint == DOMAINS)
        return NULL;
    struct domain *domain = &domains[domain_hint];
    domain->plan = plan;
    domain->class = class;
    domain->ring = plan->ring;
    domain->page_bits = plan->pages == PLAN_PAGES_1G ? PLAN_PAGES_LARGEST : plan->pages;
    domain->access = plan->ring == 3 ? SPACE_USER : 0;
    domain->key = domain->pkru = 0;
    domain->user_view = false;
    domain->offset = plan->ring == 3 && plan->space == PLAN_SPACE_KERNEL ? RING3_VA : 0;
    if (plan->mechanisms & MECHANISM(PKU) && plan->ring == 3 && !key_take(domain)) {
        domain->plan = NULL;
        return NULL;
    }
    domain->space = &space_kernel;
    domain->heap = &domains[0].own_heap;
    if (plan->space == PLAN_SPACE_OWN) {
        if (!space_create(&domain->own_space, plan->heap == 0)) {
            domain->plan = NULL;
            return NULL;
        }
        domain->space = &domain->own_space;
    }
    bool made = true;
    if (plan->mechanisms & MECHANISM(KPTI) && plan->ring == 3) {
        domain->user_view = true;
        if (!domain->space->user_root)
            made = space_create_user_root(domain->space);
    }
    if (plan->mechanisms & MECHANISM(PCID) && domain->space == &domain->own_space)
        space_tag(domain->space, PCID_OF_DOMAIN(domain_hint),
                  !(mechanisms_simulated & MECHANISM(PCID)));
    /* Heap 0 belongs to domain 0, whose heap it is in every ring-0 space. */
    if (made && (domain == &domains[0] || plan->heap != 0)) {
        made = domain->page_bits == PLAN_PAGES_LARGEST
                   ? heap_create_identity(&domain->own_heap, domain_hint, domain->space)
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

/* The kernel's space has the mechanisms of its own domain, and of ring-3 domains that live there. */
static void space_kernel_prepare(const struct plan_domain *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (list[i].space == PLAN_SPACE_KERNEL && list[i].ring == 3 &&
            list[i].mechanisms & MECHANISM(KPTI) && !space_kernel.user_root &&
            !space_create_user_root(&space_kernel))
            run_end(RESULT_FAILED, "no memory for the kernel's page tables; give the guest more");
    if (!(list[0].mechanisms & MECHANISM(PCID)))
        return;
    space_tag(&space_kernel, PCID_KERNEL, !(mechanisms_simulated & MECHANISM(PCID)));
    x86_write_cr3(space_kernel.load);
    thread_current->root = thread_current->user_root = space_kernel.load;
}

void domain_create_all(const struct plan_header *plan) {
    const struct plan_domain *list = plan_at(plan, plan->domains);
    space_kernel_prepare(list, plan->domains.count);
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        if (list[i].per_sip)
            continue;
        struct domain *domain = domain_create(list, i);
        if (!domain)
            run_end(RESULT_FAILED, "no memory for domain '%s': give the guest more", list[i].name);
        by_plan[i] = (uint32_t)(domain - domains);
    }
}

struct domain *domain_for_sip(uint32_t plan_index) {
    const struct plan_domain *list = plan_at(kernel_plan, kernel_plan->domains);
    return list[plan_index].per_sip ? domain_create(list, plan_index)
                                    : &domains[by_plan[plan_index]];
}

void domain_leave(struct domain *domain) {
    if (domain->plan->per_sip)
        domain_destroy(domain);
}

struct domain *domain_at(uint32_t index) {
    return index < DOMAINS ? &domains[index] : NULL;
}
