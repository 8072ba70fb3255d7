/* page-alloc: `pages` pages of this SIP's own, got and given back. */
#include "bench.h"

#define PAGES_MOST 32768

static struct bench bench;
static uint32_t pages;

static void alloc_one(void) {
    sip_handle handle = sip_pages(pages);
    if (!handle || sip_block_free(handle))
        sip_fail("pages could not be allocated and freed");
}

/* The oracle: fresh pages are clear, hold what is written, and a freed handle is refused. */
static uint64_t check(void) {
    sip_handle handle = sip_pages(pages);
    uint32_t last = pages * 4096 - (uint32_t)sizeof(struct abi_message) - 8;
    if (!handle)
        sip_fail("no memory for the pages");
    if (sip_msg_ld64(handle, 0) || sip_msg_ld64(handle, last))
        sip_fail("a fresh page is not clear");
    sip_msg_st64(handle, last, 0x0123456789abcdef);
    uint64_t seen = sip_msg_ld64(handle, last);
    if (sip_block_free(handle) || sip_block_free(handle) != ABI_EHANDLE)
        sip_fail("pages are not freed exactly once");
    return seen + pages;
}

int sip_main(void) {
    int64_t number = sip_param("pages", 1);
    if (number < 1 || number > PAGES_MOST)
        sip_fail("param 'pages' must be from 1 to 32768");
    pages = (uint32_t)number;
    uint64_t oracle = check();
    BENCH(&bench, "page-alloc", RESULT_SINGLE, alloc_one(), );
    bench_finish(&bench, 1, oracle);
    return 0;
}
