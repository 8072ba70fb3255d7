/* From raw differences to values per operation. */
#include <criterion/criterion.h>
#include "vmm/cell.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct result_op op_of(uint32_t batch, uint32_t samples, uint32_t overheads) {
    struct result_op op = {.batch = batch, .samples = samples, .overheads = overheads};
    strcpy(op.name, "op");
    return op;
}

Test(figures, overhead_is_subtracted_before_dividing) {
    const uint64_t values[] = {1020, 1040, 990, 20, 20};
    struct result_op op = op_of(10, 3, 2);
    struct cell_figures figures;
    struct error error;
    cr_assert_eq(cell_figures(&op, values, 1, &figures, &error), 0);
    cr_expect_eq(figures.sample[0], 100.0);
    cr_expect_eq(figures.sample[1], 102.0);
    cr_expect_eq(figures.sample[2], 97.0);
    cr_expect_eq(figures.overhead, 2.0);
    cr_expect_not(figures.noisy);
    free(figures.sample);
}

Test(figures, median_of_an_even_number_lies_between) {
    const uint64_t values[] = {100, 40, 10, 20, 30};
    struct result_op op = op_of(1, 1, 4);
    struct cell_figures figures;
    struct error error;
    cr_assert_eq(cell_figures(&op, values, 0, &figures, &error), 0);
    cr_expect_eq(figures.sample[0], 75.0);
    cr_expect(figures.noisy);
    free(figures.sample);
}

Test(figures, one_outlier_does_not_make_the_overhead_noisy) {
    const uint64_t values[] = {500, 100, 100, 101, 100, 9000};
    struct result_op op = op_of(1, 1, 5);
    struct cell_figures figures;
    struct error error;
    cr_assert_eq(cell_figures(&op, values, 0, &figures, &error), 0);
    cr_expect_eq(figures.sample[0], 400.0);
    cr_expect_not(figures.noisy);
    free(figures.sample);
}

Test(figures, unstable_overhead_is_an_error_where_counts_are_exact) {
    const uint64_t values[] = {100, 10, 11};
    struct result_op op = op_of(1, 1, 2);
    struct cell_figures figures;
    struct error error = {""};
    cr_expect_eq(cell_figures(&op, values, 1, &figures, &error), -ERANGE);
    cr_expect_not_null(strstr(error.text, "unstable overhead"));
}

Test(figures, an_operation_cheaper_than_its_overhead_is_negative_not_huge) {
    const uint64_t values[] = {15, 20};
    struct result_op op = op_of(5, 1, 1);
    struct cell_figures figures;
    struct error error;
    cr_assert_eq(cell_figures(&op, values, 1, &figures, &error), 0);
    cr_expect_eq(figures.sample[0], -1.0);
    free(figures.sample);
}

Test(figures, no_overhead_measured_subtracts_nothing) {
    const uint64_t values[] = {30};
    struct result_op op = op_of(3, 1, 0);
    struct cell_figures figures;
    struct error error;
    cr_assert_eq(cell_figures(&op, values, 1, &figures, &error), 0);
    cr_expect_eq(figures.sample[0], 10.0);
    cr_expect_eq(figures.overhead, 0.0);
    free(figures.sample);
}
