/*
 * disk: `bytes` are read from a block driver, and written to it; round trips, from one place to the next.
 * What was read is then owned by this SIP, where the driver put it. What is written is copied into a new
 * message first, which belongs to the operation: the driver keeps the message.
 */
#include "bench.h"
#include "blocks_contract.h"

#define SECTOR_BYTES 512u
#define WORDS_MOST (BLOCKS_DATA_MAX_BYTES / 8)

static struct bench bench;
static sip_endpoint disk;
static sip_handle held;           /* what was read last: the next request */
static uint64_t data[WORDS_MOST]; /* what is written; the first word is the place */
static uint32_t bytes, sectors;   /* of one operation */
static uint64_t places, place;    /* in operations' sizes; the last one */

static void step(void) { place = place + 1 == places ? 0 : place + 1; }

static sip_handle expect(struct sip_message message, const char *otherwise) {
    if (__builtin_expect(message.error != 0, 0))
        sip_fail(otherwise);
    return message.handle;
}

static void read_at(uint64_t at) {
    if (blocks_send_read(disk, held, at * sectors, sectors))
        sip_fail("the disk could not be asked");
    held = expect(blocks_recv_data(disk), "the disk did not read");
}

static void write_at(uint64_t at) {
    sip_handle block = sip_block_for(disk, BLOCKS_WRITE_MIN_BYTES + bytes);
    if (__builtin_expect(!block, 0))
        sip_fail("no memory for what is written");
    data[0] = at;
    blocks_write_write_data(block, 0, data, bytes);
    if (blocks_send_write(disk, block, at * sectors, bytes))
        sip_fail("the disk could not be given data");
    sip_block_free(expect(blocks_recv_written(disk), "the disk did not write"));
}

static void read_next(void) {
    step();
    read_at(place);
}

static void write_next(void) {
    step();
    write_at(place);
}

/* What is held must be what was written at `place`. */
static void verify(void) {
    if (blocks_data_get_data_bytes(held) != bytes || sip_msg_ld64(held, 0) != place)
        sip_fail("the disk read another place than it was asked for");
    for (uint32_t i = 1; i < bytes / 8; i++)
        if (sip_msg_ld64(held, i * 8) != data[i])
            sip_fail("a word on the disk is not what was written");
}

static void verify_written(void) {
    read_at(place);
    verify();
}

static void data_fill(uint64_t seed) {
    sip_handle block = sip_block(bytes);
    if (!block)
        sip_fail("no memory for the data");
    sip_fill(block, bytes, seed);
    sip_msg_read(block, 0, data, bytes);
    sip_block_free(block);
}

/* The oracle: the disk keeps what is written, all over, and is asked for nothing beyond its end. */
static uint64_t check(uint64_t seed) {
    uint64_t sum = bytes;
    data_fill(seed);
    for (uint64_t at = 0; at < places; at++)
        write_at(at);
    for (place = 0; place < places; place++) {
        read_at(place);
        verify();
        sum = sum * 31 + sip_checksum(held, bytes);
    }
    place = 0;
    if (blocks_send_read(disk, held, places * sectors, sectors))
        sip_fail("the disk could not be asked");
    held = expect(sip_recv(disk), "the disk has gone");
    if (sip_message_bytes(held) != BLOCKS_FAILED_MAX_BYTES)
        sip_fail("the disk read beyond its end");
    sip_block_free(held);
    held = sip_block_for(disk, BLOCKS_READ_MAX_BYTES);
    if (!held)
        sip_fail("no memory for a request");
    return sum;
}

static void measure_size(void) {
    held = sip_block_for(disk, BLOCKS_MEASURED_MAX_BYTES);
    if (!held || blocks_send_measure(disk, held))
        sip_fail("the disk could not be asked");
    held = expect(blocks_recv_measured(disk), "the disk does not tell its size");
    if (blocks_measured_get_block_bytes(held) != SECTOR_BYTES)
        sip_fail("the disk has blocks of another size than 512 bytes");
    places = blocks_measured_get_blocks(held) / sectors;
}

static void disk_open(void) {
    int64_t size = sip_param("bytes", 4096);
    if (size < SECTOR_BYTES || size > BLOCKS_DATA_MAX_BYTES || size & (size - 1))
        sip_fail("param 'bytes' must be a power of two from 512 to 64K");
    bytes = (uint32_t)size;
    sectors = bytes / SECTOR_BYTES;
    disk = sip_channel("disk");
    measure_size();
}

int sip_main(void) {
    disk_open();
    uint64_t seed = (uint64_t)sip_param("seed", 1), oracle = check(seed);
    BENCH(&bench, "disk-read", RESULT_ROUND_TRIP, read_next(), verify());
    bench_finish(&bench, 1, oracle);
    oracle = check(seed + 1);
    BENCH(&bench, "disk-write", RESULT_ROUND_TRIP, write_next(), verify_written());
    bench_finish(&bench, 1, oracle);
    return 0;
}
