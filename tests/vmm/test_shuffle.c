/* The order of cells. */
#include <criterion/criterion.h>
#include "vmm/shuffle.h"
#include <string.h>

/* The published reference sequence for seed 1234567 (Vigna's splitmix64.c). */
Test(shuffle, generator_is_splitmix64) {
    const uint64_t expected[] = {6457827717110365317ull, 3203168211198807973ull,
                                 9817491932198370423ull, 4593380528125082431ull,
                                 16408922859458223821ull};
    uint64_t state = 1234567;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_expect_eq(shuffle_next(&state), expected[i]);
}

Test(shuffle, same_seed_gives_the_same_order_and_another_does_not) {
    size_t a[100], b[100], c[100];
    uint64_t one = 7, again = 7, other = 8;
    shuffle_order(a, 100, &one);
    shuffle_order(b, 100, &again);
    shuffle_order(c, 100, &other);
    cr_expect_eq(memcmp(a, b, sizeof(a)), 0);
    cr_expect_neq(memcmp(a, c, sizeof(a)), 0);
    shuffle_order(b, 100, &again);
    cr_expect_neq(memcmp(a, b, sizeof(a)), 0, "each round has an order of its own");
}

Test(shuffle, is_a_permutation) {
    for (size_t count = 0; count < 50; count++) {
        size_t order[50];
        char seen[50] = {0};
        uint64_t state = count;
        shuffle_order(order, count, &state);
        for (size_t i = 0; i < count; i++) {
            cr_assert_lt(order[i], count);
            cr_expect_not(seen[order[i]]);
            seen[order[i]] = 1;
        }
    }
}

/*
 * 6,000 orders of three: each of the six comes about 1,000 times (beyond 5 standard deviations:
 * 144).
 */
Test(shuffle, every_order_is_as_likely) {
    unsigned count[27] = {0};
    uint64_t state = 42;
    for (int i = 0; i < 6000; i++) {
        size_t order[3];
        shuffle_order(order, 3, &state);
        count[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    const size_t orders[] = {5, 7, 11, 15, 19, 21};
    for (size_t i = 0; i < 6; i++)
        cr_expect(count[orders[i]] > 850 && count[orders[i]] < 1150, "%u", count[orders[i]]);
}
