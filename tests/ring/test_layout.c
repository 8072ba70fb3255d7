/*
 * The ring's memory is what the spec and Linux say it is, and each writer keeps to its own lines.
 */
#include "channel-dev/ring.h"
#include <criterion/criterion.h>
#include <linux/virtio_ring.h>

static const uint32_t sizes[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};

Test(ring_layout, structures_match_linux) {
    cr_assert_eq(sizeof(struct ring_desc), sizeof(struct vring_desc));
    cr_assert_eq(offsetof(struct ring_desc, addr), offsetof(struct vring_desc, addr));
    cr_assert_eq(offsetof(struct ring_desc, len), offsetof(struct vring_desc, len));
    cr_assert_eq(offsetof(struct ring_desc, flags), offsetof(struct vring_desc, flags));
    cr_assert_eq(offsetof(struct ring_desc, next), offsetof(struct vring_desc, next));
    cr_assert_eq(offsetof(struct ring_avail, flags), offsetof(struct vring_avail, flags));
    cr_assert_eq(offsetof(struct ring_avail, idx), offsetof(struct vring_avail, idx));
    cr_assert_eq(offsetof(struct ring_avail, ring), offsetof(struct vring_avail, ring));
    cr_assert_eq(sizeof(struct ring_used_elem), sizeof(struct vring_used_elem));
    cr_assert_eq(offsetof(struct ring_used_elem, id), offsetof(struct vring_used_elem, id));
    cr_assert_eq(offsetof(struct ring_used_elem, len), offsetof(struct vring_used_elem, len));
    cr_assert_eq(offsetof(struct ring_used, idx), offsetof(struct vring_used, idx));
    cr_assert_eq(offsetof(struct ring_used, ring), offsetof(struct vring_used, ring));
}

Test(ring_layout, areas_have_their_own_lines) {
    static _Alignas(4096) unsigned char bytes[RING_BYTES(RING_MAX_ENTRIES)];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t n = sizes[i];
        struct ring_memory memory = ring_layout(bytes, n);
        uintptr_t base = (uintptr_t)bytes;
        uintptr_t desc = (uintptr_t)memory.desc - base;
        uintptr_t avail = (uintptr_t)memory.avail - base;
        uintptr_t used = (uintptr_t)memory.used - base;
        cr_assert_eq(desc, 0);
        cr_assert_eq(avail % 64, 0);
        cr_assert_eq(used % 64, 0);
        cr_assert_geq(avail, 16 * n);
        cr_assert_geq(used, avail + 6 + 2 * n); /* behind used_event */
        cr_assert_geq(ring_bytes(n), used + 6 + 8 * n);
        cr_assert_eq(ring_bytes(n) % 64, 0);
    }
}

/* Linux's own view of the areas: a message that our sender sends, and its answer. */
Test(ring_layout, linux_reads_what_we_write) {
    static _Alignas(64) unsigned char bytes[RING_BYTES(8)];
    struct ring_memory memory = ring_layout(bytes, 8);
    struct vring linux_ring = {.num = 8,
                               .desc = (void *)memory.desc,
                               .avail = (void *)memory.avail,
                               .used = (void *)memory.used};
    uint64_t cookies[8];
    struct ring_driver driver;
    struct ring_device device;
    struct ring_element element;
    ring_driver_init(&driver, &memory, 8, cookies, NULL, NULL);
    ring_device_init(&device, &memory, 8, 100, NULL, NULL);

    ring_push(&driver, 0x123456789abcdef0, 77, 0);
    cr_assert_eq(linux_ring.avail->idx, 1);
    struct vring_desc *desc = &linux_ring.desc[linux_ring.avail->ring[0]];
    cr_assert_eq(desc->addr, 0x123456789abcdef0);
    cr_assert_eq(desc->len, 77);
    cr_assert_eq(desc->flags, 0);

    cr_assert_eq(ring_pop(&device, &element), 1);
    ring_complete(&device, 3);
    cr_assert_eq(linux_ring.used->idx, 1);
    cr_assert_eq(linux_ring.used->ring[0].id, element.id);
    cr_assert_eq(linux_ring.used->ring[0].len, 3);

    ring_device_enable_events(&device);
    cr_assert_eq(vring_avail_event(&linux_ring), 1);
    vring_used_event(&linux_ring) = 9;
    cr_assert_eq(memory.avail->ring[8], 9);
}

Test(ring_layout, need_event_agrees_with_linux) {
    for (uint32_t i = 0; i < 2000000; i++) {
        uint16_t event = (uint16_t)(i * 40503u), now = (uint16_t)(i * 25173u + i / 7);
        uint16_t before = (uint16_t)(now - i % 300);
        cr_assert_eq(ring_need_event(event, now, before), vring_need_event(event, now, before));
    }
}

Test(ring_layout, wrong_sizes_are_refused) {
    static _Alignas(64) unsigned char bytes[RING_BYTES(8)];
    struct ring_memory memory = ring_layout(bytes, 8);
    uint64_t cookies[8];
    struct ring_driver driver;
    struct ring_device device;
    static const uint32_t wrong[] = {0, 3, 6, 255, 512, 1u << 31};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(ring_driver_init(&driver, &memory, wrong[i], cookies, NULL, NULL),
                     -RING_INVALID);
        cr_assert_eq(ring_device_init(&device, &memory, wrong[i], 1, NULL, NULL), -RING_INVALID);
    }
}
