/* heap: a block of the exchange heap with room for `bytes`, got (cleared) and given back. */
#include "bench.h"

#define BYTES_MOST (256 << 10)

static struct bench bench;
static uint32_t bytes;

static void alloc_one(void) {
    sip_handle handle = sip_block(bytes);
    if (!handle || sip_block_free(handle))
        sip_fail("a block could not be allocated and freed");
}

/* The oracle: many blocks at a time are clear, apart from each other, and keep what is written. */
static uint64_t check(void) {
    enum {
        BLOCKS = 50
    };
    static sip_handle handle[BLOCKS];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        handle[i] = sip_block(bytes);
        if (!handle[i])
            sip_fail("no memory for fifty blocks");
        for (uint32_t at = 0; at < bytes; at++)
            if (sip_msg_ld8(handle[i], at))
                sip_fail("a fresh block is not clear");
        sip_fill(handle[i], bytes, i + 1);
    }
    for (uint32_t i = 0; i < BLOCKS; i++) {
        sum = sum * 31 + sip_checksum(handle[i], bytes);
        if (sip_block_free(handle[i]) || sip_block_free(handle[i]) != ABI_EHANDLE)
            sip_fail("a block is not freed exactly once");
    }
    return sum;
}

int sip_main(void) {
    int64_t size = sip_param("bytes", 10);
    if (size < 1 || size > BYTES_MOST)
        sip_fail("param 'bytes' must be from 1 to 256K");
    bytes = (uint32_t)size;
    uint64_t oracle = check();
    BENCH(&bench, "heap", RESULT_SINGLE, alloc_one(), );
    bench_finish(&bench, 1, oracle);
    return 0;
}
