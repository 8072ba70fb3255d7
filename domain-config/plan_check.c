/*
 * Whether a plan can be trusted: every offset, count, index, name and value in range. Freestanding, as
 * the host and the guest kernel compile this same file. Building plans is in plan_build.c.
 */
#include "domain-config/mechanism_keys.h"
#include "domain-config/plan.h"
#include "domain-config/plan_name.h"

/* ---- checksum ---- */

static const uint32_t crc_table[256] = {
    0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f, 0xe963a535, 0x9e6495a3,
    0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988, 0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91,
    0x1db71064, 0x6ab020f2, 0xf3b97148, 0x84be41de, 0x1adad47d, 0x6ddde4eb, 0xf4d4b551, 0x83d385c7,
    0x136c9856, 0x646ba8c0, 0xfd62f97a, 0x8a65c9ec, 0x14015c4f, 0x63066cd9, 0xfa0f3d63, 0x8d080df5,
    0x3b6e20c8, 0x4c69105e, 0xd56041e4, 0xa2677172, 0x3c03e4d1, 0x4b04d447, 0xd20d85fd, 0xa50ab56b,
    0x35b5a8fa, 0x42b2986c, 0xdbbbc9d6, 0xacbcf940, 0x32d86ce3, 0x45df5c75, 0xdcd60dcf, 0xabd13d59,
    0x26d930ac, 0x51de003a, 0xc8d75180, 0xbfd06116, 0x21b4f4b5, 0x56b3c423, 0xcfba9599, 0xb8bda50f,
    0x2802b89e, 0x5f058808, 0xc60cd9b2, 0xb10be924, 0x2f6f7c87, 0x58684c11, 0xc1611dab, 0xb6662d3d,
    0x76dc4190, 0x01db7106, 0x98d220bc, 0xefd5102a, 0x71b18589, 0x06b6b51f, 0x9fbfe4a5, 0xe8b8d433,
    0x7807c9a2, 0x0f00f934, 0x9609a88e, 0xe10e9818, 0x7f6a0dbb, 0x086d3d2d, 0x91646c97, 0xe6635c01,
    0x6b6b51f4, 0x1c6c6162, 0x856530d8, 0xf262004e, 0x6c0695ed, 0x1b01a57b, 0x8208f4c1, 0xf50fc457,
    0x65b0d9c6, 0x12b7e950, 0x8bbeb8ea, 0xfcb9887c, 0x62dd1ddf, 0x15da2d49, 0x8cd37cf3, 0xfbd44c65,
    0x4db26158, 0x3ab551ce, 0xa3bc0074, 0xd4bb30e2, 0x4adfa541, 0x3dd895d7, 0xa4d1c46d, 0xd3d6f4fb,
    0x4369e96a, 0x346ed9fc, 0xad678846, 0xda60b8d0, 0x44042d73, 0x33031de5, 0xaa0a4c5f, 0xdd0d7cc9,
    0x5005713c, 0x270241aa, 0xbe0b1010, 0xc90c2086, 0x5768b525, 0x206f85b3, 0xb966d409, 0xce61e49f,
    0x5edef90e, 0x29d9c998, 0xb0d09822, 0xc7d7a8b4, 0x59b33d17, 0x2eb40d81, 0xb7bd5c3b, 0xc0ba6cad,
    0xedb88320, 0x9abfb3b6, 0x03b6e20c, 0x74b1d29a, 0xead54739, 0x9dd277af, 0x04db2615, 0x73dc1683,
    0xe3630b12, 0x94643b84, 0x0d6d6a3e, 0x7a6a5aa8, 0xe40ecf0b, 0x9309ff9d, 0x0a00ae27, 0x7d079eb1,
    0xf00f9344, 0x8708a3d2, 0x1e01f268, 0x6906c2fe, 0xf762575d, 0x806567cb, 0x196c3671, 0x6e6b06e7,
    0xfed41b76, 0x89d32be0, 0x10da7a5a, 0x67dd4acc, 0xf9b9df6f, 0x8ebeeff9, 0x17b7be43, 0x60b08ed5,
    0xd6d6a3e8, 0xa1d1937e, 0x38d8c2c4, 0x4fdff252, 0xd1bb67f1, 0xa6bc5767, 0x3fb506dd, 0x48b2364b,
    0xd80d2bda, 0xaf0a1b4c, 0x36034af6, 0x41047a60, 0xdf60efc3, 0xa867df55, 0x316e8eef, 0x4669be79,
    0xcb61b38c, 0xbc66831a, 0x256fd2a0, 0x5268e236, 0xcc0c7795, 0xbb0b4703, 0x220216b9, 0x5505262f,
    0xc5ba3bbe, 0xb2bd0b28, 0x2bb45a92, 0x5cb36a04, 0xc2d7ffa7, 0xb5d0cf31, 0x2cd99e8b, 0x5bdeae1d,
    0x9b64c2b0, 0xec63f226, 0x756aa39c, 0x026d930a, 0x9c0906a9, 0xeb0e363f, 0x72076785, 0x05005713,
    0x95bf4a82, 0xe2b87a14, 0x7bb12bae, 0x0cb61b38, 0x92d28e9b, 0xe5d5be0d, 0x7cdcefb7, 0x0bdbdf21,
    0x86d3d2d4, 0xf1d4e242, 0x68ddb3f8, 0x1fda836e, 0x81be16cd, 0xf6b9265b, 0x6fb077e1, 0x18b74777,
    0x88085ae6, 0xff0f6a70, 0x66063bca, 0x11010b5c, 0x8f659eff, 0xf862ae69, 0x616bffd3, 0x166ccf45,
    0xa00ae278, 0xd70dd2ee, 0x4e048354, 0x3903b3c2, 0xa7672661, 0xd06016f7, 0x4969474d, 0x3e6e77db,
    0xaed16a4a, 0xd9d65adc, 0x40df0b66, 0x37d83bf0, 0xa9bcae53, 0xdebb9ec5, 0x47b2cf7f, 0x30b5ffe9,
    0xbdbdf21c, 0xcabac28a, 0x53b39330, 0x24b4a3a6, 0xbad03605, 0xcdd70693, 0x54de5729, 0x23d967bf,
    0xb3667a2e, 0xc4614ab8, 0x5d681b02, 0x2a6f2b94, 0xb40bbe37, 0xc30c8ea1, 0x5a05df1b, 0x2d02ef8d,
};

uint32_t plan_crc32(uint32_t crc, const void *data, uint64_t bytes) {
    const uint8_t *byte = data;

    crc = ~crc;
    for (uint64_t i = 0; i < bytes; i++)
        crc = crc >> 8 ^ crc_table[(crc ^ byte[i]) & 0xff];
    return ~crc;
}

static uint32_t plan_checksum(const struct plan_header *plan) {
    static const uint8_t zero[sizeof(plan->checksum)];
    const uint64_t at = __builtin_offsetof(struct plan_header, checksum), after = at + sizeof(zero);
    uint32_t crc = plan_crc32(0, plan, at);

    crc = plan_crc32(crc, zero, sizeof(zero));
    return plan_crc32(crc, (const uint8_t *)plan + after, plan->total_bytes - after);
}

/* ---- checks ---- */

_Static_assert(PLAN_VERSION == 1, "the sentences below name the version");

/* Gives up with the sentence unless the condition holds. */
#define REQUIRE(condition, sentence)                                                               \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return sentence;                                                                       \
    } while (0)

#define PAGE_2M_BYTES (2ull << 20)

static int name_valid(const char name[PLAN_NAME_BYTES]) {
    uint32_t length = 0;

    while (length < PLAN_NAME_BYTES && plan_name_char(name[length]))
        length++;
    if (length == 0 || length == PLAN_NAME_BYTES)
        return 0;
    for (uint32_t i = length; i < PLAN_NAME_BYTES; i++)
        if (name[i])
            return 0;
    return 1;
}

static int names_equal(const char *a, const char *b) {
    for (uint32_t i = 0; i < PLAN_NAME_BYTES; i++)
        if (a[i] != b[i])
            return 0;
    return 1;
}

/* Whether no two of `count` records of `bytes`, each beginning with its name, have the same name. */
static int names_unique(const void *records, uint32_t count, uint64_t bytes) {
    const char *first = records;

    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (names_equal(first + i * bytes, first + j * bytes))
                return 0;
    return 1;
}

static int section_valid(const struct plan_header *plan, struct plan_section section,
                         uint64_t element_bytes, uint32_t most) {
    return section.count <= most && section.offset % 8 == 0 &&
           section.offset >= sizeof(struct plan_header) &&
           section.offset + section.count * element_bytes <= plan->total_bytes;
}

static const char *check_sections(const struct plan_header *plan) {
#define SECTION(name, type, most)                                                                  \
    REQUIRE(section_valid(plan, plan->name, sizeof(struct type), most),                            \
            "the plan's section of " #name " is out of range or has too many entries; build it "   \
            "again")
    SECTION(domains, plan_domain, PLAN_MAX_DOMAINS);
    SECTION(sips, plan_sip, PLAN_MAX_SIPS);
    SECTION(channels, plan_channel, PLAN_MAX_CHANNELS);
    SECTION(images, plan_image, PLAN_MAX_IMAGES);
    SECTION(params, plan_param, PLAN_MAX_PARAMS);
    SECTION(contracts, plan_contract, PLAN_MAX_CONTRACTS);
#undef SECTION
    return 0;
}

static const char *check_settings(const struct plan_header *plan) {
    const uint32_t flags = PLAN_WAKE_DIRECT | PLAN_PREEMPT | PLAN_SELF_TEST | PLAN_SIMULATE;

    REQUIRE((plan->flags & ~flags) == 0, "the plan has flags that this reader does not know");
    REQUIRE(plan->result_pa && plan->result_pa % PAGE_2M_BYTES == 0,
            "the plan's result region must begin at a multiple of 2 MiB above 0");
    REQUIRE(plan->result_bytes && plan->result_pa + plan->result_bytes > plan->result_pa,
            "the plan's result region is empty or wraps around");
    REQUIRE(plan->batch && plan->samples, "the plan's batch and samples must be at least 1");
    REQUIRE(!(plan->flags & PLAN_PREEMPT) || plan->slice_us,
            "the plan asks for preemption but its time slice is 0");
    REQUIRE(plan->reserved == 0, "the plan uses a reserved field of its header");
    REQUIRE(name_valid(plan->layout), "the plan's layout name is empty or malformed");
    REQUIRE(name_valid(plan->workload), "the plan's workload name is empty or malformed");
    return 0;
}

static const char *check_domains(const struct plan_header *plan) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);

    REQUIRE(plan->domains.count, "the plan has no domain; the first must be the kernel's");
    REQUIRE(domains[0].ring == 0 && domains[0].space == PLAN_SPACE_KERNEL && domains[0].heap == 0,
            "the plan's first domain must be the kernel's: ring 0, the kernel's space, heap 0");
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        const struct plan_domain *domain = &domains[i];
        int whole = domain->pages == PLAN_PAGES_LARGEST || domain->pages == PLAN_PAGES_1G;

        REQUIRE(name_valid(domain->name), "a domain's name is empty or malformed");
        REQUIRE(domain->ring == 0 || domain->ring == 3, "a domain's ring must be 0 or 3");
        REQUIRE(domain->space <= PLAN_SPACE_OWN, "a domain's space is not one of enum plan_space");
        REQUIRE(whole || domain->pages == PLAN_PAGES_4K || domain->pages == PLAN_PAGES_2M,
                "a domain's page size is not one of enum plan_pages");
        REQUIRE(!whole || domain->space == PLAN_SPACE_KERNEL,
                "a domain with a space of its own must have pages of 4 KiB or 2 MiB");
        REQUIRE(domain->ring == 0 || domain->heap, "a ring-3 domain must have a heap of its own");
        REQUIRE(domain->heap < PLAN_MAX_DOMAINS, "a domain's heap number is out of range");
        REQUIRE(domain->reserved == 0, "a domain uses a reserved field");
        REQUIRE(domain->per_sip <= (i > 0),
                "a domain's per-SIP mark must be 0 or 1, the kernel's 0");
        for (uint32_t j = 0; j < i; j++)
            REQUIRE(!domain->heap || domains[j].heap != domain->heap,
                    "two domains have the same heap of their own");
    }
    REQUIRE(names_unique(domains, plan->domains.count, sizeof(*domains)),
            "two domains have the same name");
    return 0;
}

/* ---- mechanisms ---- */

static int in_kernels_root(const struct plan_domain *domain) {
    return domain->space == PLAN_SPACE_KERNEL;
}

static int has(const struct plan_domain *domain, uint64_t bits) {
    return (domain->mechanisms & bits) != 0;
}

/* Ring 3 in the kernel's own root: kept apart by keys, or alone there. */
static const char *check_root_of_ring3(const struct plan_header *plan, uint32_t index) {
    const struct plan_domain *domains = plan_at(plan, plan->domains), *domain = &domains[index];

    REQUIRE(
        domains[0].pages == PLAN_PAGES_4K || domains[0].pages == PLAN_PAGES_2M,
        "a ring-3 domain is in the kernel's root, which must then have pages of 4 KiB or 2 MiB");
    REQUIRE(has(domain, MECHANISM(PKU)) || !domain->per_sip,
            "a ring-3 domain made for each SIP is in the kernel's root without a protection key");
    for (uint32_t i = 0; i < plan->domains.count; i++) {
        if (i == index || domains[i].ring == 0 || !in_kernels_root(&domains[i]))
            continue;
        REQUIRE(has(domain, MECHANISM(PKU)),
                "two ring-3 domains are in the kernel's root, and one has no protection key");
        REQUIRE(has(domain, MECHANISM(KPTI)) == has(&domains[i], MECHANISM(KPTI)),
                "ring-3 domains in the kernel's root differ in KPTI");
    }
    return 0;
}

static const char *check_one(const struct plan_header *plan, uint32_t index) {
    const struct plan_domain *domains = plan_at(plan, plan->domains), *domain = &domains[index];
    const uint64_t known = (MECHANISM(COUNT)) - 1;
    int ring3 = domain->ring == 3;

    REQUIRE((domain->mechanisms & ~known) == 0,
            "a domain asks for mechanisms that this reader does not know");
    REQUIRE(index == 0 || !has(domain, mechanisms_of_machine),
            "a domain other than the kernel's asks for mechanisms of the whole machine");
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        uint64_t one = domain->mechanisms & mechanism_key_bits(i);

        REQUIRE(mechanism_table[i].kind != KIND_ONE || (one & (one - 1)) == 0,
                "a domain asks for two mechanisms of which it can have one");
    }
    REQUIRE(ring3 || !has(domain, MECHANISM(KPTI)), "a ring-0 domain asks for KPTI");
    REQUIRE((ring3 && in_kernels_root(domain)) || !has(domain, MECHANISM(PKU)),
            "a domain with a protection key must be in ring 3 and in the kernel's root");
    REQUIRE(!in_kernels_root(domain) ||
                has(domain, MECHANISM(PCID)) == has(&domains[0], MECHANISM(PCID)),
            "a domain in the kernel's root differs from the kernel in its tag");
    REQUIRE(!has(domain, MECHANISM(KPTI)) || domains[0].pages == PLAN_PAGES_4K,
            "a domain asks for KPTI, but the kernel's pages are not of 4 KiB");
    REQUIRE(!has(domain, MECHANISM(KPTI)) || !has(&domains[0], MECHANISM(GLOBAL)),
            "a domain asks for KPTI, but the kernel's pages are global");
    return ring3 && in_kernels_root(domain) ? check_root_of_ring3(plan, index) : 0;
}

static const char *check_mechanisms(const struct plan_header *plan) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const uint64_t on_switch = mechanism_key_bits(MECHANISM_IBPB);
    const struct plan_domain *ring3 = 0;
    uint32_t keys = 0;

    for (uint32_t i = 0; i < plan->domains.count; i++) {
        const char *why = check_one(plan, i);

        if (why)
            return why;
        keys += (uint32_t)has(&domains[i], MECHANISM(PKU));
        if (!ring3 && domains[i].ring == 3)
            ring3 = &domains[i];
    }
    REQUIRE(keys <= PLAN_MAX_KEYS, "more domains have protection keys than a CPU has keys");
    REQUIRE(!has(&domains[0], MECHANISM(RETPOLINE)) ||
                !has(&domains[0], mechanism_key_bits(MECHANISM_SHSTK)),
            "the plan asks for retpolines and CET, which no image has both of");
    for (uint32_t i = 0; has(&domains[0], MECHANISM(ON_RING3)) && i < plan->domains.count; i++) {
        uint64_t wanted = domains[i].ring == 3 ? ring3->mechanisms & on_switch : 0;

        REQUIRE((domains[i].mechanisms & on_switch) == wanted,
                "switches to ring 3 alone are to act, but not all of ring 3 have one list of "
                "actions, or a ring-0 domain has one");
    }
    return 0;
}

static uint64_t whole_pages(uint32_t bytes) {
    return ((uint64_t)bytes + PLAN_IMAGE_ALIGN - 1) / PLAN_IMAGE_ALIGN * PLAN_IMAGE_ALIGN;
}

static const char *check_images(const struct plan_header *plan) {
    const struct plan_image *images = plan_at(plan, plan->images);

    for (uint32_t i = 0; i < plan->images.count; i++) {
        const struct plan_image *image = &images[i];

        REQUIRE(name_valid(image->name), "an image's name is empty or malformed");
        REQUIRE(image->safety <= PLAN_SAFETY_MASKED,
                "an image's safety is not one of enum plan_safety");
        REQUIRE(image->offset % PLAN_IMAGE_ALIGN == 0, "an image does not begin at a page's start");
        REQUIRE(image->offset && image->bytes &&
                    image->offset + whole_pages(image->bytes) <= plan->total_bytes,
                "an image is not, with its last page, inside the plan");
        REQUIRE(image->reserved == 0, "an image uses a reserved field");
    }
    return 0;
}

static const char *check_sips(const struct plan_header *plan) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const struct plan_sip *sips = plan_at(plan, plan->sips);
    uint32_t devices = 0;

    REQUIRE(plan->sips.count, "the plan has no SIP, so nothing would run");
    for (uint32_t i = 0; i < plan->sips.count; i++) {
        const struct plan_sip *sip = &sips[i];

        REQUIRE(name_valid(sip->name), "a SIP's name is empty or malformed");
        REQUIRE(sip->image < plan->images.count, "a SIP's image is not in the plan");
        REQUIRE(sip->domain < plan->domains.count, "a SIP's domain is not in the plan");
        REQUIRE(sip->role <= PLAN_ROLE_DRIVER, "a SIP's role is not one of enum plan_role");
        REQUIRE(sip->on_fault <= PLAN_FAULT_RESTART,
                "a SIP's on-fault is not one of enum plan_on_fault");
        REQUIRE((sip->rights & ~(uint32_t)(PLAN_RIGHT_CREATE | PLAN_RIGHT_KILL | PLAN_MAY_FAULT |
                                           PLAN_RIGHT_CALIBRATE | PLAN_DRIVES)) == 0,
                "a SIP has rights that this reader does not know");
        REQUIRE(sip->autostart <= 1, "a SIP's autostart must be 0 or 1");
        devices += (sip->rights & PLAN_DRIVES_DISK) != 0;
        devices += (sip->rights & PLAN_DRIVES_INTERRUPT) != 0;
        REQUIRE(devices <= 1, "two SIPs have a device, or one has two; a plan has room for one");
        REQUIRE(!(sip->rights & PLAN_DRIVES) || sip->autostart,
                "a SIP with a device must start at boot");
        for (uint32_t j = 0; j < i; j++)
            REQUIRE(!domains[sip->domain].per_sip || sips[j].domain != sip->domain,
                    "two SIPs are in a domain that is made for one");
    }
    REQUIRE(names_unique(sips, plan->sips.count, sizeof(*sips)), "two SIPs have the same name");
    return 0;
}

static const char *check_contracts(const struct plan_header *plan) {
    const struct plan_contract *contracts = plan_at(plan, plan->contracts);

    for (uint32_t i = 0; i < plan->contracts.count; i++) {
        const struct plan_contract *contract = &contracts[i];

        REQUIRE(name_valid(contract->name), "a contract's name is empty or malformed");
        REQUIRE(contract->states && contract->states <= PLAN_CONTRACT_STATES &&
                    contract->start < contract->states,
                "a contract's states are out of range");
        REQUIRE(contract->types && contract->types <= PLAN_CONTRACT_TYPES,
                "a contract's message types are out of range");
        REQUIRE(contract->in_flight && contract->in_flight <= PLAN_MAX_DEPTH,
                "a contract's messages in flight are out of range");
        for (uint32_t type = 0; type < contract->types; type++) {
            REQUIRE(contract->min_bytes[type] <= contract->max_bytes[type] &&
                        contract->max_bytes[type] <= PLAN_MAX_MESSAGE_BYTES,
                    "a contract's payload sizes are out of range");
            REQUIRE(contract->from_client[type] <= 1 && contract->carries_endpoint[type] <= 1,
                    "a contract's message flags must be 0 or 1");
            for (uint32_t state = 0; state < contract->states; state++)
                REQUIRE(contract->next[state][type] < contract->states ||
                            contract->next[state][type] == PLAN_CONTRACT_REFUSED,
                        "a contract leads to a state that it does not have");
        }
    }
    return 0;
}

/* Whether a domain's heap is its own and made of pages that can be taken out of it one by one. */
static int heap_of_pages(const struct plan_domain *domain) {
    return domain->space == PLAN_SPACE_OWN && domain->pages == PLAN_PAGES_4K && domain->heap;
}

static const char *check_transfer(uint32_t transfer, const struct plan_domain *from,
                                  const struct plan_domain *to) {
    int one_heap = from->heap == to->heap;

    REQUIRE(transfer != PLAN_TRANSFER_AUTO,
            "a channel between two SIPs of the plan must have its transfer resolved");
    REQUIRE(one_heap || transfer != PLAN_TRANSFER_MOVE,
            "a channel moves messages between two heaps, which only a copy or a remap can do");
    REQUIRE(!one_heap || transfer != PLAN_TRANSFER_REMAP,
            "a channel remaps messages inside one heap, where a move does the same");
    REQUIRE(transfer != PLAN_TRANSFER_REMAP || (heap_of_pages(from) && heap_of_pages(to)),
            "a channel remaps messages, but an end has no heap, space and 4 KiB pages of its own");
    REQUIRE(transfer != PLAN_TRANSFER_SHARED ||
                (from->pages == PLAN_PAGES_4K && to->pages == PLAN_PAGES_4K),
            "a channel shares its buffers, but an end's domain does not have pages of 4 KiB");
    REQUIRE(transfer != PLAN_TRANSFER_SHARED || one_heap || !in_kernels_root(from) ||
                !in_kernels_root(to) || (from->ring == 0 && to->ring == 0),
            "a channel shares its buffers between two domains of one root, one of them in ring 3");
    return 0;
}

static const char *check_ends(const struct plan_header *plan, const struct plan_channel *channel) {
    const struct plan_domain *domains = plan_at(plan, plan->domains);
    const struct plan_sip *sips = plan_at(plan, plan->sips);

    REQUIRE(channel->transfer <= PLAN_TRANSFER_AUTO,
            "a channel's transfer is not one of enum plan_transfer");
    if (channel->from == PLAN_NONE && channel->to == PLAN_NONE)
        return 0; /* dynamic: the ends come at run time */
    REQUIRE(channel->from < plan->sips.count && channel->to < plan->sips.count,
            "an end of a channel is not a SIP of the plan");
    REQUIRE(channel->from != channel->to, "both ends of a channel are the same SIP");
    return check_transfer(channel->transfer, &domains[sips[channel->from].domain],
                          &domains[sips[channel->to].domain]);
}

static const char *check_channel(const struct plan_header *plan,
                                 const struct plan_channel *channel) {
    const struct plan_contract *contracts = plan_at(plan, plan->contracts);
    const char *why;

    REQUIRE(name_valid(channel->name), "a channel's name is empty or malformed");
    REQUIRE(channel->depth && channel->depth <= PLAN_MAX_DEPTH &&
                (channel->depth & (channel->depth - 1)) == 0,
            "a channel's depth must be a power of two from 1 to 256");
    REQUIRE(channel->message_bytes && channel->message_bytes <= PLAN_MAX_MESSAGE_BYTES,
            "a channel's message bytes must be from 1 to 256 KiB");
    REQUIRE(channel->reserved == 0, "a channel uses a reserved field");
    why = check_ends(plan, channel);
    if (why)
        return why;
    if (channel->contract == PLAN_NONE)
        return 0;
    REQUIRE(channel->contract < plan->contracts.count, "a channel's contract is not in the plan");
    REQUIRE(channel->depth >= contracts[channel->contract].in_flight,
            "a channel is not as deep as its contract needs");
    for (uint32_t type = 0; type < contracts[channel->contract].types; type++)
        REQUIRE(channel->message_bytes >= contracts[channel->contract].min_bytes[type],
                "a channel's message bytes are fewer than its contract needs");
    return 0;
}

static const char *check_channels(const struct plan_header *plan) {
    const struct plan_channel *channels = plan_at(plan, plan->channels);

    for (uint32_t i = 0; i < plan->channels.count; i++) {
        const char *why = check_channel(plan, &channels[i]);

        if (why)
            return why;
    }
    REQUIRE(names_unique(channels, plan->channels.count, sizeof(*channels)),
            "two channels have the same name");
    return 0;
}

static const char *check_params(const struct plan_header *plan) {
    const struct plan_param *params = plan_at(plan, plan->params);

    for (uint32_t i = 0; i < plan->params.count; i++)
        REQUIRE(name_valid(params[i].name), "a param's name is empty or malformed");
    REQUIRE(names_unique(params, plan->params.count, sizeof(*params)),
            "two params have the same name");
    return 0;
}

static const char *check_envelope(const struct plan_header *plan, uint64_t bytes) {
    REQUIRE(plan && (uintptr_t)plan % 8 == 0, "the plan is missing or not 8-aligned in memory");
    REQUIRE(bytes >= sizeof(*plan), "the plan is cut short: not even its header is whole");
    REQUIRE(plan->magic == PLAN_MAGIC, "this is not a plan: it does not begin with BLHKPLAN");
    REQUIRE(plan->version >= PLAN_VERSION,
            "the plan is of an older version than 1, the one that this reader knows; "
            "take the command and the kernel from the same build");
    REQUIRE(plan->version <= PLAN_VERSION,
            "the plan is of a newer version than 1, the one that this reader knows; "
            "take the command and the kernel from the same build");
    REQUIRE(plan->total_bytes >= sizeof(*plan) && plan->total_bytes <= PLAN_MAX_BYTES,
            "the plan's size is out of range: it must be from its header's to 32 MiB");
    REQUIRE(plan->total_bytes <= bytes, "the plan is cut short: it is larger than what was loaded");
    REQUIRE(plan->checksum == plan_checksum(plan),
            "the plan is damaged: its checksum does not match; build it again");
    return 0;
}

int plan_check(const void *data, uint64_t bytes, const char **why) {
    static const char *(*const checks[])(const struct plan_header *) = {
        check_sections, check_settings,  check_domains,  check_mechanisms, check_images,
        check_sips,     check_contracts, check_channels, check_params,
    };
    const struct plan_header *plan = data;

    *why = check_envelope(plan, bytes);
    for (uint32_t i = 0; !*why && i < sizeof(checks) / sizeof(checks[0]); i++)
        *why = checks[i](plan);
    return *why ? -1 : 0;
}
