/*
 * WebFiles: makes a set of files on the file server, then reads files of it as clients of a web server
 * would. A class of files is drawn by its share, a file of the class by Zipf's law; the file is opened,
 * read to its end and closed, which is one operation. All bytes must be those that were written.
 */
#include "bench.h"
#include "files_contract.h"

#include <string.h>

#define CLASSES 4u
#define FILES 9u /* of a class */
#define PIECE_BYTES FILES_DATA_MAX_BYTES

static const uint32_t base_bytes[CLASSES] = {1u << 10, 10u << 10, 100u << 10, 1u << 20};
static const uint32_t class_percent[CLASSES] = {35, 50, 14, 1};
static const uint32_t zipf[FILES] = {2520, 1260, 840, 630, 504,
                                     420,  360,  315, 280}; /* 2520 / rank */
#define ZIPF_SUM 7129u

static struct bench bench;
static sip_endpoint server;
static sip_handle held; /* the last answer's block, for the next request if it has room; or 0 */
static uint64_t sums[CLASSES][FILES];
static uint64_t seed, draws;
static uint32_t passes;

/* ---- what is read ---- */

static uint32_t draw(uint32_t below) { /* xorshift64*, Vigna 2016 */
    draws ^= draws >> 12;
    draws ^= draws << 25;
    draws ^= draws >> 27;
    return (uint32_t)((draws * 0x2545f4914f6cdd1dull >> 32) * below >> 32);
}

static uint32_t draw_by(const uint32_t *weights, uint32_t sum) {
    uint32_t left = draw(sum), which = 0;
    while (left >= weights[which])
        left -= weights[which++];
    return which;
}

static void draw_file(uint32_t *class, uint32_t *file) {
    *class = draw_by(class_percent, 100);
    *file = draw_by(zipf, ZIPF_SUM);
}

static void draw_anew(void) { draws = seed * 2 + 1; }

static uint32_t file_bytes(uint32_t class, uint32_t file) { return base_bytes[class] * (file + 1); }

/* Adds `bytes` of payload to a sum, in their order; all files are whole words. */
static uint64_t add_up(uint64_t sum, sip_handle handle, uint32_t from, uint32_t bytes) {
    for (uint32_t at = from; at < from + bytes; at += 8)
        sum = (sum ^ sip_msg_ld64(handle, at)) * 0x100000001b3ull; /* FNV-1a, eight bytes a step */
    return sum;
}
#define SUM_START 0xcbf29ce484222325ull

/* ---- requests ---- */

static sip_handle request(uint32_t bytes) {
    sip_handle block = held;
    held = 0;
    if (block && sip_message_bytes(block) >= bytes)
        return block;
    if (block)
        sip_block_free(block);
    block = sip_block_for(server, bytes);
    if (!block)
        sip_fail("no memory for a request");
    return block;
}

static sip_handle expect(struct sip_message message, const char *otherwise) {
    if (__builtin_expect(message.error != 0, 0))
        sip_fail(otherwise);
    return held = message.handle;
}

#define PATH_BYTES 13u /* of /classN/fileN, and 7 of the class alone */
#define FOLDER_BYTES 7u

static sip_handle request_path(uint32_t class, uint32_t file, uint32_t bytes) {
    char path[PATH_BYTES + 1] = "/class0/file1";
    sip_handle block = request(bytes);
    path[FOLDER_BYTES - 1] += (char)class;
    path[PATH_BYTES - 1] += (char)file;
    sip_msg_write(block, FILES_OPEN_NAME_OFFSET, path, bytes);
    return block;
}

static void close_file(void) {
    if (files_send_close(server, request(0)))
        sip_fail("a file could not be closed");
    expect(files_recv_closed(server), "closing a file failed");
}

/* ---- writing the set ---- */

static void write_file(uint32_t class, uint32_t file) {
    uint32_t bytes = file_bytes(class, file);
    uint64_t sum = SUM_START;
    if (files_send_create(server, request_path(class, file, PATH_BYTES), PATH_BYTES))
        sip_fail("a file could not be made");
    expect(files_recv_opened(server), "making a file failed");
    for (uint32_t at = 0; at < bytes; at += PIECE_BYTES) {
        uint32_t count = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
        sip_handle block = request(FILES_WRITE_MIN_BYTES + count);
        sip_fill(block, FILES_WRITE_MIN_BYTES + count, seed + (class * FILES + file) * 1024 + at);
        sum = add_up(sum, block, FILES_WRITE_DATA_OFFSET, count);
        if (files_send_write(server, block, at, count))
            sip_fail("a file could not be written");
        expect(files_recv_written(server), "writing a file failed");
    }
    close_file();
    sums[class][file] = sum;
}

static void write_set(void) {
    for (uint32_t class = 0; class < CLASSES; class ++) {
        if (files_send_folder(server, request_path(class, 0, FOLDER_BYTES), FOLDER_BYTES))
            sip_fail("a folder could not be made");
        expect(files_recv_made(server), "making a folder failed");
        for (uint32_t file = 0; file < FILES; file++)
            write_file(class, file);
    }
}

/* ---- reading ---- */

/* The client's use of the bytes: goes over all of them `times` times. */
static uint64_t use(uint64_t sum, sip_handle data, uint32_t bytes, uint32_t times) {
    uint64_t before = sum;
    for (; times; times--)
        sum = add_up(before, data, 0, bytes);
    return sum;
}

static void read_file(uint32_t class, uint32_t file, uint32_t times) {
    uint32_t bytes = file_bytes(class, file);
    uint64_t sum = SUM_START;
    if (files_send_open(server, request_path(class, file, PATH_BYTES), PATH_BYTES))
        sip_fail("a file could not be opened");
    if (files_opened_get_size(expect(files_recv_opened(server), "opening a file failed")) != bytes)
        sip_fail("a file has another size than was written");
    for (uint32_t at = 0; at < bytes; at += PIECE_BYTES) {
        uint32_t count = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
        if (files_send_read(server, request(FILES_READ_MAX_BYTES), at, count))
            sip_fail("a file could not be read");
        sip_handle data = expect(files_recv_data(server), "reading a file failed");
        if (files_data_get_data_bytes(data) != count)
            sip_fail("a file is shorter than was written");
        sum = use(sum, data, count, times);
    }
    close_file();
    if (times && sum != sums[class][file])
        sip_fail("a file has other bytes than were written");
}

static void read_drawn(void) {
    uint32_t class, file;
    draw_file(&class, &file);
    read_file(class, file, passes);
}

static uint64_t oracle(void) { /* of all files, and of which ones were read */
    uint64_t sum = SUM_START;
    uint32_t class, file;
    draw_anew();
    for (uint32_t i = 0; i < bench.batch; i++) {
        draw_file(&class, &file);
        sum = (sum ^ sums[class][file]) * 0x100000001b3ull;
    }
    return sum;
}

/* One sample of all the reads: files differ so much in size that fewer would not be comparable. */
static void measure(void) {
    uint32_t class, file;
    draw_anew();
    bench_count_start(&bench);
    uint64_t start = sip_clock();
    BENCH_LOOP(bench.batch, read_drawn())
    bench.values[0] = sip_clock() - start;
    bench_count_end(&bench);
    draw_anew();
    start = sip_clock();
    BENCH_LOOP(bench.batch, draw_file(&class, &file))
    bench.values[1] = sip_clock() - start;
}

int sip_main(void) {
    int64_t reads = sip_param("reads", 1000), times = sip_param("passes", 1);
    if (reads < 1 || reads > 1 << 24)
        sip_fail("'reads' is not from 1 to 16M");
    if (times < 0 || times > 1000)
        sip_fail("'passes' is not from 0 to 1000");
    server = sip_channel("files");
    seed = (uint64_t)sip_param("seed", 1);
    passes = (uint32_t)times;
    bench_start(&bench, "read-file", RESULT_ROUND_TRIP);
    bench.samples = 1;
    bench.batch = (uint32_t)reads;
    write_set();
    draw_anew();
    BENCH_LOOP(bench.warmup, read_drawn())
    measure();
    for (uint32_t i = 0; i < CLASSES * FILES; i++)
        read_file(i / FILES, i % FILES, 1); /* those too that were not drawn, or not looked at */
    bench_finish(&bench, 1, oracle());
    return 0;
}
