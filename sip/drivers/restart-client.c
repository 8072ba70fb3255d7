/* Asks a driver that faults for the size of its disk until it has an answer, then measures one more. */
#include "bench.h"
#include "blocks_contract.h"

static struct bench bench;

static sip_handle ask(void) {
    for (;;) {
        sip_endpoint disk = sip_channel("disk");
        sip_handle block = sip_block_for(disk, BLOCKS_MEASURED_MAX_BYTES);
        if (block && !blocks_send_measure(disk, block)) {
            struct sip_message message = blocks_recv_measured(disk);
            if (!message.error)
                return message.handle;
        } else if (block) {
            sip_block_free(block);
        }
        sip_close(disk);
    }
}

int sip_main(void) {
    uint64_t oracle = blocks_measured_get_blocks(ask());
    bench_start(&bench, "measure", RESULT_ROUND_TRIP);
    for (uint32_t i = 0; i < 2 * bench.samples; i++)
        bench.values[i] = 0;
    bench_count_start(&bench);
    sip_block_free(ask());
    bench_count_end(&bench);
    bench_finish(&bench, 1, oracle);
    return 0;
}
