/*
 * Self-tests of mechanisms, on tables of their own or on those that the SIPs are about to run on: each
 * shows that a mechanism which is on stops something, and where it is off that the same goes through.
 * What stops a SIP in ring 3 is shown by the attacks of tests/breakout/.
 */
#include "compose.h"
#include "domain.h"
#include "kernel.h"
#include "page.h"
#include "selftest.h"
#include "selftest_parts.h"
#include "sip.h"
#include "tlb.h"
#include "x86.h"

#define TEST_TAG 4094u /* no domain has it or the next one */
#define TEST_KEY 5u
#define PKRU_NO_ACCESS(key) (1u << 2 * (key))
#define PKRU_OF_KEY(key) (0x55555555u & ~(3u | 3u << 2 * (key))) /* no access but to it and key 0 */
#define PKRU_NO_WRITE(key) (2u << 2 * (key))

static bool in_effect(uint64_t mechanism) {
    return mechanisms_used & ~mechanisms_simulated & mechanism;
}

static const char *skip; /* set by a test that cannot see all of it on this CPU */

/* ---- the control registers ---- */

static const char *test_registers(void) {
    static const struct {
        uint64_t bit, mechanisms;
    } bits[] = {
        {CR4_PCIDE, MECHANISM(PCID)},
        {CR4_PGE, MECHANISM(GLOBAL)},
        {CR4_SMEP, MECHANISM(SMEP)},
        {CR4_SMAP, MECHANISM(SMAP)},
        {CR4_UMIP, MECHANISM(UMIP)},
        {CR4_PKE, MECHANISM(PKU)},
        {CR4_CET, MECHANISM(SHSTK) | MECHANISM(IBT)},
        {CR4_OSFXSR, MECHANISM(FPU_EAGER) | MECHANISM(FPU_LAZY)},
    };
    for (uint32_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        CHECK(!(x86_read_cr4() & bits[i].bit) == !in_effect(bits[i].mechanisms));
    bool fpu = in_effect(MECHANISM(FPU_EAGER) | MECHANISM(FPU_LAZY));
    CHECK(!(x86_read_cr0() & (CR0_EM | CR0_TS)) == (fpu && !in_effect(MECHANISM(FPU_LAZY))));
    if (!in_effect(MECHANISM(SHSTK) | MECHANISM(IBT)))
        return NULL;
    uint64_t wanted =
        (in_effect(MECHANISM(SHSTK)) ? CET_SHSTK : 0) | (in_effect(MECHANISM(IBT)) ? CET_ENDBR : 0);
    CHECK(x86_read_msr(MSR_U_CET) == wanted);
    CHECK(x86_read_msr(MSR_S_CET) == (wanted & CET_ENDBR));
    return NULL;
}

/* ---- a space with one page ---- */

static struct {
    struct space space;
    uint64_t pa[2]; /* of two pages that begin with 1 and 2; the first of them is mapped */
} scratch;

static bool scratch_make(uint32_t access) {
    scratch.pa[0] = page_alloc_zeroed();
    scratch.pa[1] = page_alloc_zeroed();
    for (uint64_t i = 0; i < 2; i++)
        *(uint64_t *)phys_pointer(scratch.pa[i]) = i + 1;
    return space_create(&scratch.space, false) &&
           space_map(&scratch.space, SIP_VA, scratch.pa[0], PAGE_BYTES, PLAN_PAGES_4K, access);
}

static void scratch_enter(void) { x86_write_cr3(scratch.space.load); }

static void scratch_leave(void) { x86_write_cr3(space_kernel.load); }

static void scratch_free(void) {
    scratch_leave();
    space_destroy(&scratch.space);
    page_free(scratch.pa[0]);
    page_free(scratch.pa[1]);
}

/* Runs a test in the space with a page of these rights, and leaves all as it was. */
static const char *with_page(uint32_t access, const char *(*test)(void)) {
    uint64_t before = page_free_count();
    CHECK(scratch_make(access));
    scratch_enter();
    const char *failure = test();
    scratch_free();
    CHECK(failure || page_free_count() == before);
    return failure;
}

static void probe_copy_from(uint64_t address) {
    uint64_t value;
    user_copy(&value, (const void *)address, sizeof value);
}
static void probe_copy_to(uint64_t address) {
    uint64_t value = 3;
    user_copy((void *)address, &value, sizeof value);
}

/* ---- user pages and ring 0 ---- */

static const char *supervisor_access(void) {
    bool stopped = in_effect(MECHANISM(SMAP));
    uint64_t *page = phys_pointer(scratch.pa[0]);
    CHECK(traps_with(probe_read, SIP_VA, VECTOR_PAGE_FAULT) == stopped);
    CHECK(traps_with(probe_write, SIP_VA, VECTOR_PAGE_FAULT) == stopped);
    CHECK(stopped == ((uint8_t)*page == 1));
    CHECK(!traps_with(probe_copy_from, SIP_VA, VECTOR_PAGE_FAULT));
    CHECK(!traps_with(probe_copy_to, SIP_VA, VECTOR_PAGE_FAULT));
    CHECK(*page == 3);
    CHECK(traps_with(probe_read, SIP_VA, VECTOR_PAGE_FAULT) ==
          stopped); /* a copy leaves no way in */
    return NULL;
}
static const char *test_smap(void) {
    return with_page(SPACE_USER | SPACE_WRITE, supervisor_access);
}

/* SIPs can set AC. It must not last into the kernel: neither through a trap nor through a call. */
static void probe_allowed(uint64_t address) {
    __asm__ volatile("stac");
    probe_read(address);
    __asm__ volatile("ud2");
}
static const char *alignment_flag(void) {
    if (!in_effect(MECHANISM(SMAP)))
        return NULL;
    CHECK(traps_with(probe_allowed, SIP_VA, VECTOR_ILLEGAL)); /* it came to its end */
    CHECK(traps_with(probe_read, SIP_VA, VECTOR_PAGE_FAULT));
    CHECK(x86_read_msr(MSR_SFMASK) & 1 << 18);
    return NULL;
}
static const char *test_smap_flag(void) { return with_page(SPACE_USER, alignment_flag); }

static const char *supervisor_fetch(void) {
    static const uint8_t code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xc3}; /* endbr64; ret */
    memcpy(phys_pointer(scratch.pa[0]), code, sizeof code);
    CHECK(traps_with(probe_call, SIP_VA, VECTOR_PAGE_FAULT) == in_effect(MECHANISM(SMEP)));
    return NULL;
}
static const char *test_smep(void) {
    return with_page(SPACE_USER | SPACE_EXECUTE, supervisor_fetch);
}

/* ---- keys ---- */

static uint32_t pkru_read(void) {
    uint32_t low, high;
    __asm__ volatile("rdpkru" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}
static void pkru_write(uint32_t value) {
    __asm__ volatile("wrpkru" ::"a"(value), "c"(0), "d"(0) : "memory");
}

static const char *keys(void) {
    if (!in_effect(MECHANISM(PKU))) { /* the key in the entry means nothing */
        CHECK(!traps_with(probe_copy_to, SIP_VA, VECTOR_PAGE_FAULT));
        return NULL;
    }
    uint32_t before = pkru_read();
    pkru_write(PKRU_NO_ACCESS(TEST_KEY));
    bool read = traps_with(probe_copy_from, SIP_VA, VECTOR_PAGE_FAULT);
    pkru_write(PKRU_NO_WRITE(TEST_KEY));
    bool read_only = !traps_with(probe_copy_from, SIP_VA, VECTOR_PAGE_FAULT) &&
                     traps_with(probe_copy_to, SIP_VA, VECTOR_PAGE_FAULT);
    pkru_write(PKRU_OF_KEY(TEST_KEY));
    bool own = !traps_with(probe_copy_to, SIP_VA, VECTOR_PAGE_FAULT);
    pkru_write(before);
    if (!read)
        skip = "reads not observable here: this CPU holds ring 0 to keys at writes alone";
    CHECK(read_only);
    CHECK(own);
    return NULL;
}
static const char *test_pku(void) {
    return with_page(SPACE_USER | SPACE_WRITE | TEST_KEY * SPACE_KEY, keys);
}

/* Each domain has a key of its own, its pages carry it, and its threads admit that and key 0 alone. */
static const char *test_keys_apart(void) {
    uint32_t taken = 1, bits;
    const struct domain *domain;
    for (uint32_t i = 0; (domain = domain_at(i)) != NULL; i++) {
        if (!domain->plan)
            continue;
        bool keyed = domain->ring == 3 && domain->plan->mechanisms & MECHANISM(PKU);
        CHECK(keyed == (domain->key != 0));
        if (!keyed)
            continue;
        CHECK(!(taken >> domain->key & 1));
        taken |= 1u << domain->key;
        CHECK(domain->pkru == PKRU_OF_KEY(domain->key));
    }
    for (uint32_t i = 0; i < kernel_plan->sips.count; i++) {
        const struct sip *sip = sip_of_plan(i);
        if (!sip || sip->domain->page_bits == PLAN_PAGES_LARGEST)
            continue;
        CHECK(sip->threads->pkru == sip->domain->pkru);
        const uint64_t *data = space_entry(sip->domain->space, sip->data, &bits);
        const uint64_t *stack = space_entry(sip->domain->space, sip->stack, &bits);
        CHECK(data && (*data >> PTE_KEY_SHIFT & 15) == sip->domain->key);
        CHECK(stack && (*stack >> PTE_KEY_SHIFT & 15) == sip->domain->key);
    }
    return NULL;
}

/* ---- tags, global entries, and what is forgotten ---- */

static const char *test_tags(void) {
    static uint8_t taken[4096 / 8];
    memset(taken, 0, sizeof taken);
    const struct domain *domain;
    for (uint32_t i = 0; (domain = domain_at(i)) != NULL; i++) {
        if (!domain->plan || (domain->space == &space_kernel && i > 0))
            continue; /* the kernel's space once, for the kernel */
        const struct space *space = domain->space;
        bool tagged = domain->plan->mechanisms & MECHANISM(PCID);
        CHECK(space->tagged == tagged);
        tagged = tagged && in_effect(MECHANISM(PCID));
        CHECK(tagged == (space->pcid != 0));
        CHECK(space->load == (tagged ? space->root | space->pcid | CR3_KEEP : space->root));
        if (space->user_root)
            CHECK(space->user_load ==
                  (tagged ? space->user_root | (space->pcid + 1) | CR3_KEEP : space->user_root));
        for (uint32_t tag = space->pcid; tagged && tag < space->pcid + 2; tag++) {
            CHECK(!(taken[tag / 8] >> tag % 8 & 1));
            taken[tag / 8] |= (uint8_t)(1u << tag % 8);
        }
    }
    return NULL;
}

static const char *walk_global(uint64_t table, int level, bool wanted) {
    const uint64_t *entries = phys_pointer(table);
    for (uint32_t i = 0; i < 512; i++) {
        uint64_t entry = entries[i];
        if (!(entry & PTE_PRESENT))
            continue;
        if (level > 0 && !(level < 3 && entry & PTE_LARGE)) {
            const char *failure =
                walk_global(entry & PTE_ADDRESS, level - 1, wanted && (level < 3 || i >= 256));
            if (failure)
                return failure;
            continue;
        }
        CHECK(!(entry & PTE_GLOBAL) == !wanted);
    }
    return NULL;
}
static const char *test_global(void) {
    const char *failure = NULL;
    const struct domain *domain;
    for (uint32_t i = 0; !failure && (domain = domain_at(i)) != NULL; i++) {
        if (!domain->plan)
            continue;
        failure = walk_global(domain->space->root, 3, in_effect(MECHANISM(GLOBAL)));
        if (!failure && domain->space->user_root)
            failure = walk_global(domain->space->user_root, 3, false);
    }
    return failure;
}

/* What the page reads as in the space: the number of a page, or 0 when it is not there. */
static uint64_t seen_value;
static void probe_see(uint64_t address) { seen_value = *(volatile uint64_t *)address; }
static uint64_t seen(void) {
    seen_value = 0;
    return traps_with(probe_see, SIP_VA, VECTOR_PAGE_FAULT) ? 0 : seen_value;
}

static void tag_scratch(void) {
    if (in_effect(MECHANISM(PCID)))
        space_tag(&scratch.space, TEST_TAG, true);
}
/* Maps a page behind the TLB's back. */
static void exchange(uint32_t page, uint64_t more) {
    *space_reach(&scratch.space, SIP_VA) = scratch.pa[page] | space_flags(SPACE_WRITE) | more;
}

static const char *forgets_here(void) {
    CHECK(seen() == 1);
    space_unmap(&scratch.space, SIP_VA, PAGE_BYTES);
    if (seen() == 0)
        skip = "not observable here: this CPU looks into the tables at each access";
    tlb_forget_page(&scratch.space, true, SIP_VA);
    CHECK(seen() == 0);
    exchange(0, 0);
    CHECK(seen() == 1);
    space_unmap(&scratch.space, SIP_VA, PAGE_BYTES);
    tlb_forget_space(&scratch.space);
    CHECK(seen() == 0);
    return NULL;
}
static const char *forgets_elsewhere(void) {
    scratch_leave();
    tag_scratch();
    scratch_enter();
    CHECK(seen() == 1);
    scratch_leave();
    exchange(1, 0);
    scratch_enter();
    bool kept = seen() == 1;
    CHECK(!kept || in_effect(MECHANISM(PCID))); /* a load of CR3 without a tag keeps nothing */
    if (!kept)
        skip = in_effect(MECHANISM(PCID))
                   ? "not observable here: this CPU keeps no entries, whatever their tag"
                   : NULL;
    tlb_forget_page(&scratch.space, true, SIP_VA);
    CHECK(seen() == 2);
    scratch_leave();
    space_unmap(&scratch.space, SIP_VA, PAGE_BYTES);
    tlb_forget_page(&scratch.space, false, SIP_VA);
    scratch_enter();
    CHECK(seen() == 0);
    exchange(0, 0);
    CHECK(seen() == 1);
    scratch_leave();
    space_unmap(&scratch.space, SIP_VA, PAGE_BYTES);
    tlb_forget_space(&scratch.space);
    scratch_enter();
    CHECK(seen() == 0);
    return NULL;
}
/* The next space that gets the tag sees nothing of the last one's. */
static const char *forgets_tag(void) {
    scratch_leave();
    tag_scratch();
    scratch_enter();
    CHECK(seen() == 1);
    scratch_leave();
    space_destroy(&scratch.space);
    CHECK(space_create(&scratch.space, false));
    tag_scratch();
    scratch_enter();
    CHECK(seen() == 0);
    return NULL;
}
static const char *keeps_global(void) {
    exchange(0, PTE_GLOBAL);
    x86_invlpg(SIP_VA);
    CHECK(seen() == 1);
    exchange(1, PTE_GLOBAL);
    scratch_leave();
    scratch_enter();
    bool kept = seen() == 1;
    x86_invlpg(SIP_VA);
    CHECK(seen() == 2);
    exchange(1, 0);
    x86_invlpg(SIP_VA);
    CHECK(!kept || in_effect(MECHANISM(GLOBAL)));
    if (!kept && in_effect(MECHANISM(GLOBAL)))
        skip = "not observable here: this CPU keeps no entries, global or not";
    return NULL;
}
static const char *test_forgets_here(void) { return with_page(SPACE_WRITE, forgets_here); }
static const char *test_forgets_elsewhere(void) {
    return with_page(SPACE_WRITE, forgets_elsewhere);
}
static const char *test_forgets_tag(void) { return with_page(SPACE_WRITE, forgets_tag); }
static const char *test_keeps_global(void) { return with_page(SPACE_WRITE, keeps_global); }

/* ---- KPTI ---- */

extern uint8_t trap_stubs[], composed_code_end[]; /* entry.S */
static uint64_t trampoline_pages;

static const char *trampoline_leaf(uint64_t va, uint64_t entry) {
    const uint8_t *at = (const uint8_t *)va;
    bool code = at >= trap_stubs && at < composed_code_end;
    bool data = at >= trampoline_data && at < trampoline_data_end;
    CHECK(code || data);
    CHECK(!(entry & PTE_USER));
    CHECK((entry & (PTE_WRITE | PTE_NX)) == (code ? 0 : PTE_WRITE | PTE_NX));
    CHECK((entry & PTE_ADDRESS) == kernel_address(at));
    trampoline_pages++;
    return NULL;
}

/* Every leaf of ring 3's tables: the trampoline, or the same as in the kernel's view. */
static const char *walk_user(const struct space *space, uint64_t table, int level, uint64_t va) {
    const uint64_t *entries = phys_pointer(table);
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t entry = entries[i], at = va | i << (12 + 9 * level);
        uint32_t bits;
        if (!(entry & PTE_PRESENT))
            continue;
        if (level == 3 && i >= 256)
            at |= 0xffff000000000000;
        const char *failure = NULL;
        if (level > 0 && !(level < 3 && entry & PTE_LARGE))
            failure = walk_user(space, entry & PTE_ADDRESS, level - 1, at);
        else if (at >= PHYS_VA)
            failure = trampoline_leaf(at, entry);
        else if (space_entry(space, at, &bits) == NULL || *space_entry(space, at, &bits) != entry)
            failure = "ring 3's view of its own pages is the kernel's";
        if (failure)
            return failure;
    }
    return NULL;
}

/* Every user page of the kernel's view is in ring 3's too. */
static const char *walk_users(const struct space *user, uint64_t table, int level, uint64_t va) {
    const uint64_t *entries = phys_pointer(table);
    for (uint64_t i = 0; i < (level == 3 ? 256 : 512); i++) {
        uint64_t entry = entries[i], at = va | i << (12 + 9 * level);
        if ((entry & (PTE_PRESENT | PTE_USER)) != (PTE_PRESENT | PTE_USER))
            continue;
        if (level > 0 && !(level < 3 && entry & PTE_LARGE)) {
            const char *failure = walk_users(user, entry & PTE_ADDRESS, level - 1, at);
            if (failure)
                return failure;
            continue;
        }
        CHECK(space_lookup(user, at) == (entry & PTE_ADDRESS & ~((1ull << (12 + 9 * level)) - 1)));
    }
    return NULL;
}

static const char *test_user_root(const struct domain *domain) {
    struct space user = {.root = domain->space->user_root};
    CHECK(domain->user_view == ((domain->plan->mechanisms & MECHANISM(KPTI)) != 0));
    uint64_t root = domain->user_view ? user.root : domain->space->root;
    for (uint32_t i = 0; i < kernel_plan->sips.count; i++) {
        const struct sip *sip = sip_of_plan(i);
        for (struct thread *t = sip && sip->domain == domain ? sip->threads : NULL; t;
             t = t->sibling)
            CHECK((t->user_root & PTE_ADDRESS) == root);
    }
    if (!domain->user_view) {
        user.root = root; /* the whole kernel is there, if only for ring 0 */
        CHECK(space_lookup(&user, (uint64_t)kernel_text) == kernel_address(kernel_text));
        CHECK(space_lookup(&user, PHYS_VA + RESULT_PA) == RESULT_PA);
        return NULL;
    }
    CHECK(space_lookup(&user, (uint64_t)kernel_text) == PAGE_NONE);
    CHECK(space_lookup(&user, PHYS_VA + RESULT_PA) == PAGE_NONE);
    trampoline_pages = 0;
    const char *failure = walk_user(domain->space, user.root, 3, 0);
    if (failure)
        return failure;
    CHECK(trampoline_pages * PAGE_BYTES ==
          round_up((uint64_t)(composed_code_end - trap_stubs), PAGE_BYTES) +
              (uint64_t)(trampoline_data_end - trampoline_data));
    return walk_users(&user, domain->space->root, 3, 0);
}

static const char *test_composed_protected(void) {
    CHECK(traps_with(probe_write, (uint64_t)trap_stubs, VECTOR_PAGE_FAULT));
    CHECK(traps_with(probe_write, (uint64_t)composed_code_end - 1, VECTOR_PAGE_FAULT));
    CHECK(traps_with(probe_write, PHYS_VA + kernel_address(trap_stubs), VECTOR_PAGE_FAULT));
    CHECK(traps_with(probe_call, PHYS_VA + kernel_address(trap_stubs), VECTOR_PAGE_FAULT));
    return NULL;
}

void selftest_mechanisms(void) {
    static const struct {
        const char *name;
        const char *(*run)(void);
        bool paging; /* has nothing to test under identity pages */
    } tests[] = {
        {"the control registers are set for the plan's mechanisms, and for no other",
         test_registers, false},
        {"ring 0 reaches user pages by user_copy(), and otherwise unless SMAP stops it", test_smap,
         false},
        {"SMAP cannot be lifted by a SIP's flags", test_smap_flag, false},
        {"ring 0 runs the code of user pages unless SMEP stops it", test_smep, false},
        {"a foreign key's page is reached unless PKU stops it", test_pku, false},
        {"each domain under PKU has a key, which its pages and threads have", test_keys_apart,
         false},
        {"no two spaces have the same tag, and none that is tagged has 0", test_tags, false},
        {"the kernel's half is global where that is on, and nothing else is", test_global, false},
        {"a page that was unmapped in the current space is gone", test_forgets_here, false},
        {"a page that was unmapped in another space is gone when it is entered",
         test_forgets_elsewhere, false},
        {"a space sees nothing of the one that had its tag before", test_forgets_tag, false},
        {"global entries outlive a load of CR3, and others do not", test_keeps_global, false},
        {"composed code cannot be written, nor run by the map of memory", test_composed_protected,
         true},
        {"routines hold the code of their mechanisms once, and none of others", test_composed,
         false},
    };
    const struct plan_domain *kernel_domain = plan_at(kernel_plan, kernel_plan->domains);
    bool identity =
        kernel_domain->pages == PLAN_PAGES_LARGEST || kernel_domain->pages == PLAN_PAGES_1G;
    for (uint32_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        skip = identity && tests[i].paging ? "identity pages protect nothing" : NULL;
        const char *failure = skip ? NULL : tests[i].run();
        selftest_report(tests[i].name, failure, skip);
    }
    const struct domain *domain;
    for (uint32_t i = 0; (domain = domain_at(i)) != NULL; i++) {
        char name[100];
        if (!domain->plan || domain->ring != 3)
            continue;
        format_text(name, sizeof name, "tables of domain '%s': what ring 3 sees of the kernel: %s",
                    domain->plan->name, domain->user_view ? "the trampoline alone" : "all of it");
        selftest_report(name, test_user_root(domain), NULL);
    }
}
