/* Runs libc_cases.c in its three forms, and the workload `libs` with the host's C library. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host_runtime.h"
#include "sip/micro/libs.h"

uint32_t libc_cases(uint32_t unused);
uint32_t libc_cases_checked(uint32_t unused);
uint32_t libc_cases_masked(uint32_t unused);

/* What the cases print. The library's console is the standard output. */
static void expect_pass(uint32_t (*cases)(uint32_t)) {
    char text[512], spaces[301];
    memset(spaces, ' ', 300);
    spaces[299] = 0;
    char expected[512];
    snprintf(expected, sizeof(expected), "console, 1; puts\n%s5\nend\nabcd\n", spaces);
    int console = dup(1);
    FILE *kept = tmpfile();
    cr_assert(ge(int, dup2(fileno(kept), 1), 0));
    uint32_t line = 0, trap = sip_host_run(cases, 0, 256 << 10, &line);
    fflush(stdout);
    dup2(console, 1);
    rewind(kept);
    text[fread(text, 1, sizeof(text) - 1, kept)] = 0;
    cr_expect(eq(u32, trap, 0), "trapped");
    cr_expect(eq(u32, line, 0), "libc_cases.c:%u failed", line);
    cr_expect(eq(str, text, expected));
}

Test(libc, unchecked) { expect_pass(libc_cases); }
Test(libc, checked) { expect_pass(libc_cases_checked); }
Test(libc, masked) { expect_pass(libc_cases_masked); }

Test(libs, answer_of_the_host) { cr_assert(eq(u64, libs_work(), LIBS_ANSWER)); }
