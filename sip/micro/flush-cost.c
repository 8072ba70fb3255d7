/*
 * flush-cost: a SIP gives `freed` pages back, which takes them out of its page tables and flushes them
 * from the TLB, and then walks through `pages` others. `flush-cost`: how much longer that takes than
 * the walk alone. `flush-free`: giving back alone. `flush-walk`: the walk with nothing given back.
 */
#include "bench.h"
#include "touch_area.h"

#define PAGE_BYTES 4096u
#define MAX_FREED 512

static struct bench walk, giving, cost;
static struct area area;
static uint32_t freed;
static sip_handle block; /* 0: given back */

static void verify(void) {
    if (!area_is_whole(&area))
        sip_fail("a walk did not end where it began");
}

static void give_back(void) {
    if (sip_block_free(block))
        sip_fail("pages could not be given back");
    block = 0;
}

/* Both the pages to be given back and those to be walked through have been used. */
static void prepare(void) {
    if (block)
        give_back();
    block = sip_pages(freed);
    if (!block)
        sip_fail(
            "there is not enough memory for the pages to give back: fewer, or more by --memory");
    for (uint32_t page = 0; page < freed; page++)
        sip_msg_st64(block, page * PAGE_BYTES, page);
    area_walk(&area);
}

static void give_back_and_walk(void) {
    give_back();
    area_walk(&area);
}

int sip_main(void) {
    int64_t pages = sip_param("freed", 1);
    if (pages < 1 || pages > MAX_FREED)
        sip_fail("param 'freed' must be from 1 to 512");
    freed = (uint32_t)pages;
    area_of_pages(&area, 0);
    uint64_t oracle = area_checksum(&area);
    BENCH_EACH(&walk, "flush-walk", RESULT_SINGLE, , area_walk(&area), verify(), );
    BENCH_EACH(&giving, "flush-free", RESULT_SINGLE, prepare(), give_back(), verify(), );
    BENCH_EACH(&cost, "flush-cost", RESULT_SINGLE, prepare(), give_back_and_walk(), verify(),
               area_walk(&area));
    bench_finish(&walk, 1, oracle);
    bench_finish(&giving, 1, oracle);
    bench_finish(&cost, 1, oracle);
    return 0;
}
