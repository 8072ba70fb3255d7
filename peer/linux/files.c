/*
 * webfiles: the reads of sip/webfiles/web-client.c by open, read and close from a tmpfs: the same files,
 * drawn in the same order, gone over as often, so that the checksum is the same.
 */
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CLASSES 4
#define FILES 9
#define PIECE_BYTES 65536
#define HEADER_BYTES 8 /* of a write request, which is filled with its data */
#define NAME_BYTES 160
#define PRIME 0x100000001b3ull
#define SUM_START 0xcbf29ce484222325ull

static const uint32_t base_bytes[CLASSES] = {1u << 10, 10u << 10, 100u << 10, 1u << 20};
static const uint32_t class_percent[CLASSES] = {35, 50, 14, 1};
static const uint32_t zipf[FILES] = {2520, 1260, 840, 630, 504,
                                     420,  360,  315, 280}; /* 2520 / rank */
#define ZIPF_SUM 7129

static char names[CLASSES][FILES][NAME_BYTES];
static uint64_t sums[CLASSES][FILES];
static uint8_t buffer[HEADER_BYTES + PIECE_BYTES];
static uint64_t draws;
static uint32_t passes;

static uint32_t draw_by(const uint32_t *weights, uint32_t sum) {
    uint32_t left = (uint32_t)((peer_random(&draws) >> 32) * sum >> 32), which = 0;
    while (left >= weights[which])
        left -= weights[which++];
    return which;
}

static void draw_file(uint32_t *class, uint32_t *file) {
    *class = draw_by(class_percent, 100);
    *file = draw_by(zipf, ZIPF_SUM);
}

static void draw_anew(void) { draws = bench.seed * 2 + 1; }

static uint64_t add_up(uint64_t sum, const uint8_t *from, size_t bytes) {
    for (size_t at = 0; at < bytes; at += 8) {
        uint64_t word;
        memcpy(&word, from + at, sizeof(word));
        sum = (sum ^ word) * PRIME; /* FNV-1a, eight bytes a step */
    }
    return sum;
}

static void write_file(uint32_t class, uint32_t file) {
    size_t bytes = (size_t)base_bytes[class] * (file + 1);
    uint64_t sum = SUM_START;
    int fd = open(names[class][file], O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        peer_fail("a file could not be made");
    for (size_t at = 0; at < bytes; at += PIECE_BYTES) {
        size_t count = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
        peer_fill(buffer, HEADER_BYTES + count, bench.seed + (class * FILES + file) * 1024 + at);
        sum = add_up(sum, buffer + HEADER_BYTES, count);
        if (write(fd, buffer + HEADER_BYTES, count) != (ssize_t)count)
            peer_fail("a file could not be written");
    }
    close(fd);
    sums[class][file] = sum;
}

static void read_file(uint32_t class, uint32_t file) {
    uint64_t sum = SUM_START;
    ssize_t got;
    int fd = open(names[class][file], O_RDONLY);
    if (fd < 0)
        peer_fail("a file could not be opened");
    while ((got = read(fd, buffer, PIECE_BYTES)) > 0) {
        uint64_t before = sum;
        for (uint32_t pass = 0; pass < passes; pass++)
            sum = add_up(before, buffer, (size_t)got);
    }
    close(fd);
    errno = EBADMSG;
    if (sum != sums[class][file])
        peer_fail("a file has other bytes than were written");
}

static void read_drawn(void) {
    uint32_t class, file;
    draw_file(&class, &file);
    read_file(class, file);
}

static uint64_t oracle(uint32_t reads) { /* of which files were read, and what is in them */
    uint64_t sum = SUM_START;
    uint32_t class, file;
    draw_anew();
    for (uint32_t i = 0; i < reads; i++) {
        draw_file(&class, &file);
        sum = (sum ^ sums[class][file]) * PRIME;
    }
    return sum;
}

/* One sample of all the reads: files differ so much in size that fewer would not be comparable. */
void measure_webfiles(const struct peer_cell *cell, struct outcome *outcome) {
    uint32_t reads = (uint32_t)cell->param[1].value, class, file;
    passes = (uint32_t)cell->param[0].value;
    for (uint32_t i = 0; i < CLASSES * FILES; i++) {
        snprintf(names[i / FILES][i % FILES], NAME_BYTES, "%s/%u", peer_folder(), i);
        write_file(i / FILES, i % FILES);
    }
    draw_anew();
    BENCH_LOOP(bench.warmup, read_drawn())
    draw_anew();
    uint64_t start = bench_clock();
    BENCH_LOOP(reads, read_drawn())
    bench.values[0] = bench_clock() - start;
    draw_anew();
    start = bench_clock();
    BENCH_LOOP(reads, draw_file(&class, &file))
    bench.values[1] = bench_clock() - start;
    outcome->oracle = oracle(reads);
    outcome->operations = reads;
    outcome->samples = 1;
    for (uint32_t i = 0; i < CLASSES * FILES; i++)
        unlink(names[i / FILES][i % FILES]);
}
