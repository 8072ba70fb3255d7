/*
 * The start of the pipeline: draws packets of its flows, sends them in batches, and measures until the
 * last has reached the sink. The sink's sum must be that of the packets as they have to arrive.
 */
#include "bench.h"
#include "flows.h"
#include "link.h"
#include "packets_contract.h"

static struct bench bench;
static struct link next;
static sip_endpoint sink;
static uint32_t batch_packets;
static uint64_t draws, model_draws; /* the model draws the same packets later */
static uint64_t batches, packets, sum = PACKET_SUM_START;

static uint32_t draw_flow(uint64_t *state) { return packet_draw(state) >> 32 & (PACKET_FLOWS - 1); }

static sip_handle make_batch(void) {
    sip_handle batch = sip_block_for(next.endpoint, batch_packets * PACKET_SLOT_BYTES);
    if (!batch)
        sip_fail("no memory for packets");
    for (uint32_t at = PACKET_NOTE_BYTES; at < batch_packets * PACKET_SLOT_BYTES;
         at += PACKET_SLOT_BYTES)
        sip_msg_write(batch, at, flow_packet(draw_flow(&draws)), PACKET_BYTES);
    return batch;
}

static void send_batch(void) { link_send(&next, make_batch(), batch_packets * PACKET_SLOT_BYTES); }

static void ask_sink(uint32_t more) {
    batches += more;
    sip_handle block = sip_block_for(sink, PACKETS_TALLY_MAX_BYTES);
    if (!block || packets_send_tally(sink, block, batches))
        sip_fail("the sink could not be asked");
}

static sip_handle hear_sink(void) {
    struct sip_message message = packets_recv_tallied(sink);
    if (message.error)
        sip_fail("the sink has gone");
    return message.handle;
}

static void check(sip_handle answer) {
    for (; packets < batches * batch_packets; packets++)
        sum = flow_sum_add(sum, draw_flow(&model_draws));
    if (packets_tallied_get_packets(answer) != packets)
        sip_fail("packets were lost on the way");
    if (packets_tallied_get_checksum(answer) != sum)
        sip_fail("a packet arrived that is not what it has to be");
    sip_block_free(answer);
}

/* Sends and waits until all have arrived; what that took. */
static uint64_t send_all(uint32_t count) {
    ask_sink(count);
    uint64_t start = sip_clock();
    BENCH_LOOP(count, send_batch())
    sip_handle answer = hear_sink();
    uint64_t took = sip_clock() - start;
    check(answer);
    return took;
}

/* The same packets made and thrown away, which is the source's own work. */
static uint64_t make_all(uint32_t count) {
    uint64_t before = draws, start = sip_clock();
    BENCH_LOOP(count, sip_block_free(make_batch()))
    uint64_t took = sip_clock() - start;
    draws = before;
    return took;
}

int sip_main(void) {
    uint32_t rounds = packet_param("rounds", 1, 1 << 16, "param 'rounds' must be from 1 to 65536");
    batch_packets = packet_param("batch-packets", 8, PACKET_MAX_BATCH,
                                 "param 'batch-packets' must be from 1 to 32");
    uint64_t seed = (uint64_t)sip_param("seed", 1);
    flows_start(seed);
    draws = model_draws = seed * 2 + 1;
    next = link_to("in1");
    sink = sip_channel("tally");
    bench_start(&bench, "packet", RESULT_ONE_WAY);
    if ((uint64_t)bench.batch * rounds * PACKET_MAX_BATCH > UINT32_MAX)
        sip_fail("param 'rounds' is too large for this batch");
    bench.batch *= rounds;
    if (bench.warmup)
        send_all(bench.warmup);
    for (uint32_t sample = 0; sample < bench.samples; sample++)
        bench.values[sample] = send_all(bench.batch);
    for (uint32_t sample = 0; sample < bench.samples; sample++)
        bench.values[bench.samples + sample] = make_all(bench.batch);
    bench_count_start(&bench);
    send_all(bench.batch);
    bench_count_end(&bench);
    bench_finish(&bench, batch_packets, sum);
    return 0;
}
