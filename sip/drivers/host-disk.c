/*
 * disk-read and disk-write as of workload `disk`, on a disk outside of the guest. First it is seen that
 * the disk holds what the host put there, which no SIP wrote. An operation is timed twice over: as a
 * whole, and without the time in which the processor had nothing to do but to wait for the disk.
 */
#include "bench.h"
#include "disk_content.h"

#define sip_main disk_main
#include "sip/micro/disk.c"
#undef sip_main

static struct bench elapsed; /* `bench` has the time without waiting */

static void verify_host(uint64_t seed) {
    uint32_t count = BLOCKS_DATA_MAX_BYTES / SECTOR_BYTES;
    uint64_t blocks = DISK_CONTENT_BYTES / SECTOR_BYTES;
    if (places * sectors != blocks)
        sip_fail("the disk has another size than the host's");
    for (uint64_t at = 0; at < blocks; at += count) {
        if (blocks_send_read(disk, held, at, count))
            sip_fail("the disk could not be asked");
        held = expect(blocks_recv_data(disk), "the disk did not read");
        for (uint32_t i = 0; i < WORDS_MOST; i++)
            if (sip_msg_ld64(held, i * 8) != disk_content_word(seed, at * (SECTOR_BYTES / 8) + i))
                sip_fail("a word on the disk is not what the host put there");
    }
}

#define MEASURE(name, operation, verification)                                                     \
    do {                                                                                           \
        bench_start(&bench, name, RESULT_ROUND_TRIP);                                              \
        bench_start(&elapsed, name "-elapsed", RESULT_ROUND_TRIP);                                 \
        elapsed.report.kind |= RESULT_OUTSIDE;                                                     \
        BENCH_LOOP(bench.warmup, operation)                                                        \
        for (uint32_t sample = 0; sample < bench.samples; sample++) {                              \
            uint64_t idle = (uint64_t)sip_param("idle", 0), start = sip_clock();                   \
            BENCH_LOOP(bench.batch, operation)                                                     \
            uint64_t all = sip_clock() - start;                                                    \
            elapsed.values[sample] = all;                                                          \
            bench.values[sample] = all - ((uint64_t)sip_param("idle", 0) - idle);                  \
            verification;                                                                          \
        }                                                                                          \
        for (uint32_t sample = 0; sample < bench.samples; sample++) {                              \
            uint64_t start = sip_clock();                                                          \
            BENCH_LOOP(bench.batch, )                                                              \
            bench.values[bench.samples + sample] = sip_clock() - start;                            \
            elapsed.values[bench.samples + sample] = bench.values[bench.samples + sample];         \
        }                                                                                          \
        bench_count_start(&bench);                                                                 \
        BENCH_LOOP(bench.batch, operation)                                                         \
        bench_count_end(&bench);                                                                   \
        __builtin_memcpy(elapsed.report.events, bench.report.events, sizeof bench.report.events);  \
    } while (0)

int sip_main(void) {
    uint64_t seed = (uint64_t)sip_param("seed", 1);
    disk_open();
    verify_host(seed);
    uint64_t oracle = check(seed);
    MEASURE("disk-read", read_next(), verify());
    bench_finish(&bench, 1, oracle);
    bench_finish(&elapsed, 1, oracle);
    oracle = check(seed + 1);
    MEASURE("disk-write", write_next(), verify_written());
    bench_finish(&bench, 1, oracle);
    bench_finish(&elapsed, 1, oracle);
    return 0;
}
