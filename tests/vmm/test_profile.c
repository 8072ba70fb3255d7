/* What a profile is made of: names of addresses, counted log lines, and stretches between readings. */
#include <criterion/criterion.h>
#include "vmm/profile_match.h"
#include "vmm/profile_symbols.h"
#include "vmm/profile_trace.h"
#include <elf.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- symbols ---- */

#define TEXT 0x1000
static const char names[] = "\0first\0second.part.0\0label\0table\0last\0alias\0.hidden\0";
enum {
    FIRST = 1,
    SECOND = 7,
    LABEL = 21,
    TABLE = 27,
    LAST = 33,
    ALIAS = 38,
    HIDDEN = 44
};

static struct image {
    Elf64_Ehdr header;
    Elf64_Shdr section[4]; /* none, .text, .symtab, .strtab */
    Elf64_Sym symbol[8];
    char strings[sizeof(names)];
} image;

static Elf64_Sym symbol(uint32_t name, int type, uint64_t address, uint64_t bytes) {
    return (Elf64_Sym){.st_name = name,
                       .st_info = (unsigned char)ELF64_ST_INFO(STB_LOCAL, type),
                       .st_shndx = 1,
                       .st_value = address,
                       .st_size = bytes};
}

static void image_make(void) {
    image = (struct image){.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
                                      .e_shoff = offsetof(struct image, section),
                                      .e_shentsize = sizeof(Elf64_Shdr),
                                      .e_shnum = 4},
                           .section = {{.sh_type = SHT_NULL},
                                       {.sh_type = SHT_NOBITS,
                                        .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                                        .sh_addr = TEXT,
                                        .sh_size = 0x100},
                                       {.sh_type = SHT_SYMTAB,
                                        .sh_offset = offsetof(struct image, symbol),
                                        .sh_size = sizeof(image.symbol),
                                        .sh_link = 3},
                                       {.sh_type = SHT_STRTAB,
                                        .sh_offset = offsetof(struct image, strings),
                                        .sh_size = sizeof(names)}},
                           .symbol = {[1] = symbol(LAST, STT_NOTYPE, TEXT + 0x80, 0),
                                      symbol(SECOND, STT_FUNC, TEXT + 0x20, 0x10),
                                      symbol(ALIAS, STT_NOTYPE, TEXT, 0),
                                      symbol(FIRST, STT_FUNC, TEXT, 0x10),
                                      symbol(LABEL, STT_NOTYPE, TEXT + 0x40, 0),
                                      symbol(TABLE, STT_OBJECT, TEXT + 0x60, 8),
                                      symbol(HIDDEN, STT_FUNC, TEXT + 0x70, 8)}};
    memcpy(image.strings, names, sizeof(names));
}

Test(profile, symbols_name_what_they_hold_and_nothing_else) {
    static const struct {
        uint64_t offset;
        const char *name;
    } want[] = {{0x0, "first"},   {0xf, "first"}, {0x10, NULL},    {0x20, "second"},
                {0x2f, "second"}, {0x30, NULL},   {0x40, "label"}, {0x5f, "label"},
                {0x60, NULL},     {0x70, NULL},   {0x80, "last"},  {0xff, "last"},
                {0x100, NULL}};
    struct profile_symbols symbols;
    struct error error;
    image_make();
    cr_assert_eq(profile_symbols_read(&image, sizeof(image), &symbols, &error), 0);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        const char *name = profile_symbols_find(&symbols, TEXT + want[i].offset);
        cr_expect(name == want[i].name || (name && want[i].name && !strcmp(name, want[i].name)),
                  "%#llx is %s", (unsigned long long)want[i].offset, name ? name : "nothing");
    }
    cr_expect_null(profile_symbols_find(&symbols, TEXT - 1));
    cr_expect_eq(profile_symbols_address(&symbols, "second"), TEXT + 0x20);
    cr_expect_eq(profile_symbols_address(&symbols, "third"), 0);
    profile_symbols_free(&symbols);
}

Test(profile, a_file_that_is_cut_short_is_refused_and_one_without_symbols_has_none) {
    struct profile_symbols symbols;
    struct error error;
    image_make();
    for (size_t bytes = 0; bytes < offsetof(struct image, strings) + sizeof(names); bytes++) {
        uint8_t *copy = malloc(bytes + 1); /* so that a sanitizer sees what is read behind it */
        memcpy(copy, &image, bytes);
        cr_expect_eq(profile_symbols_read(copy, bytes, &symbols, &error), -EINVAL, "%zu", bytes);
        free(copy);
    }
    image.section[2].sh_type = SHT_PROGBITS;
    cr_assert_eq(profile_symbols_read(&image, sizeof(image), &symbols, &error), 0);
    cr_expect_null(profile_symbols_find(&symbols, TEXT));
    profile_symbols_free(&symbols);
}

/* ---- the log ---- */

static uint64_t count_at(const struct profile_trace *trace, uint64_t address) {
    for (size_t i = 0; i < trace->room; i++)
        if (trace->slot[i].count && trace->slot[i].address == address)
            return trace->slot[i].count;
    return 0;
}

Test(profile, log_lines_are_counted_and_what_did_not_run_is_not) {
    static const char text[] =
        "Trace 0: 0x7fce44000100 [0000000000000000/0000008000001061/0000c4b0/ff020e01] \n"
        "Trace 0: 0x7fce44000200 [0000000000000000/0000008000001064/0000c4b0/ff020201] f\n"
        "Stopped execution of TB chain before 0x7fce44000200 [0000008000001064] f\n"
        "Trace 0: 0x7fce44000200 [0000000000000000/0000008000001064/0000c4b0/ff020201] f\n"
        "     3: v=0e e=0004 i=0 cpl=3 IP=0023:0000008000001064 pc=0000008000001064 SP=0:0\n"
        "RAX=0000000000000000 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000\n"
        "Trace 0: 0x7fce44000300 [0000000000000000/ffffffff8021a070/0000c4b0/ff020201] trap\n"
        "     4: v=20 e=0000 i=0 cpl=0 IP=0008:ffffffff8021a072 pc=ffffffff8021a072 SP=0:0\n"
        "     5: v=03 e=0000 i=1 cpl=0 IP=0008:ffffffff8021a072 pc=ffffffff8021a072 SP=0:0\n"
        "Trace 0: 0x7fce44000100 [0000000000000000/0000008000001061/0000c4b0/ff020e01] \n";
    for (size_t part = 1; part < sizeof(text); part += 7) {
        struct profile_trace trace = {0};
        for (size_t at = 0; at < sizeof(text) - 1; at += part)
            profile_trace_take(&trace, text + at,
                               part < sizeof(text) - 1 - at ? part : sizeof(text) - 1 - at);
        cr_expect_eq(trace.total, 2, "the last line may still be taken back");
        profile_trace_settle(&trace);
        cr_expect_eq(trace.total, 3);
        cr_expect_eq(count_at(&trace, 0x8000001061), 2);
        cr_expect_eq(count_at(&trace, 0x8000001064), 0);
        cr_expect_eq(count_at(&trace, 0xffffffff8021a070), 1);
        profile_trace_clear(&trace);
        cr_expect_eq(count_at(&trace, 0x8000001061), 0);
        profile_trace_free(&trace);
    }
}

Test(profile, many_addresses_are_kept_apart) {
    struct profile_trace trace = {0};
    char line[96];
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < 20000; i++) {
            int length =
                snprintf(line, sizeof(line), "Trace 0: 0x1 [0/%x/0/0] \n", 0x1000 + i * 16);
            profile_trace_take(&trace, line, (size_t)length);
        }
    profile_trace_settle(&trace);
    cr_expect_eq(trace.used, 20000);
    cr_expect_eq(trace.total, 40000);
    cr_expect_eq(count_at(&trace, 0x1000 + 19999 * 16), 2);
    profile_trace_free(&trace);
}

/* ---- samples ---- */

struct run {
    struct profile_readings readings;
    uint64_t clock;
};

/* The owner reads the clock that many instructions after the last reading of anybody. */
static void read_after(struct run *run, uint32_t owner, uint64_t instructions) {
    run->clock += instructions;
    cr_assert_eq(profile_readings_add(&run->readings, (struct profile_reading){run->clock, owner}),
                 0);
}

static double length(const struct run *run, const struct profile_stretches *stretches) {
    double sum = 0;
    for (size_t i = 0; i < stretches->count; i++)
        sum += stretches->item[i].weight *
               (double)(run->readings.item[stretches->item[i].last].clock -
                        run->readings.item[stretches->item[i].first].clock);
    return sum;
}

/* Expects stretches that add up to `median`; NaN: there are none. */
static void expect(const struct run *run, const struct result_op *op, const uint64_t *values,
                   uint32_t sums, size_t *from, double median) {
    struct profile_stretches stretches;
    struct error error = {""};
    int found = profile_match(&run->readings, op, values, sums, from, &stretches, &error);
    cr_expect_eq(found, median == median ? 0 : -ESRCH, "%s", error.text);
    if (!found)
        cr_expect_float_eq(length(run, &stretches), median, 1e-9);
    free(stretches.item);
}

static struct result_op op_of(uint32_t batch, uint32_t samples, uint32_t overheads) {
    return (struct result_op){
        .name = "op", .batch = batch, .samples = samples, .overheads = overheads};
}

Test(profile, the_samples_in_the_middle_are_taken_less_the_overhead) {
    struct run run = {.clock = 5};
    const uint64_t values[] = {140, 100, 130, 110, 10, 10}, lost[] = {140, 100, 131, 110, 10, 10};
    struct result_op op = op_of(10, 4, 2), next = op_of(1, 1, 0);
    size_t from = 0;
    read_after(&run, 7, 50); /* of somebody else, in between and around */
    for (int i = 0; i < 6; i++) {
        read_after(&run, 3, 17);
        read_after(&run, 7, values[i] / 2);
        read_after(&run, 3, values[i] - values[i] / 2);
    }
    read_after(&run, 3, 140);
    expect(&run, &op, lost, 10, &from, (double)NAN);
    cr_expect_eq(from, 0);
    expect(&run, &op, values, 10, &from, (120 - 10) / 10.0);
    expect(&run, &next, values, 10, &from, 140); /* the one that follows, not the first of all */
    cr_expect_eq(from, run.readings.count - 1);
    free(run.readings.item);
}

Test(profile, samples_may_be_sums_and_overheads_multiples) {
    struct run run = {0};
    const uint64_t sums[] = {100 + 102 + 104, 3 * 6}, scaled[] = {105, 8}, inner[] = {150};
    struct result_op op = op_of(3, 1, 1), one = op_of(1, 1, 1), whole = op_of(1, 1, 0);
    size_t from = 0;
    for (uint64_t i = 0; i < 3; i++) {
        read_after(&run, 0, 40);
        read_after(&run, 0, 100 + 2 * i);
    }
    for (int i = 0; i < 3; i++) {
        read_after(&run, 0, 33);
        read_after(&run, 0, 6);
    }
    expect(&run, &op, sums, 3, &from, (306 - 18) / 3.0);
    read_after(&run, 0, 40);
    read_after(&run, 0, 105);
    read_after(&run, 0, 33);
    read_after(&run, 0, 2);
    expect(&run, &one, scaled, 3, &from, 105 - 4 * 2);
    read_after(&run, 0, 40);
    for (int i = 0; i < 3; i++) /* an operation that reads the clock itself */
        read_after(&run, 0, 50);
    expect(&run, &whole, inner, 3, &from, 150);
    free(run.readings.item);
}
