/*
 * sqlite-insert and sqlite-select: rows go into a table, so many a transaction; the database is opened
 * anew, so that all of it comes from the disk, checked and read whole; then seeded queries read it.
 */
#include "bench.h"
#include "database.h"
#include "vfs.h"

#include <sqlite3.h>
#include <string.h>

#define DIGEST_START 0xcbf29ce484222325ull
#define SCAN_ROWS 50u
#define SENSOR_ROWS 16u /* on average */

static struct bench bench;
static uint64_t draws;
static uint32_t inserts, per_transaction, selects, sensors;
static uint64_t answers; /* the digest of all queries */

static uint32_t draw(uint32_t below) { /* xorshift64*, Vigna 2016 */
    draws ^= draws >> 12;
    draws ^= draws << 25;
    draws ^= draws >> 27;
    return (uint32_t)((draws * 0x2545f4914f6cdd1dull >> 32) * below >> 32);
}

static void draw_anew(uint64_t seed) { draws = seed * 2 + 1; }

static void draw_reading(struct reading *reading) {
    reading->sensor = draw(sensors);
    reading->value = draw(1u << 30) / 977.0;
    for (uint32_t i = 0; i < sizeof reading->name - 1; i++)
        reading->name[i] = (char)('a' + draw(26));
}

/* ---- one operation ---- */

static uint32_t row; /* of its transaction */

static void insert(void) {
    static struct reading reading;
    draw_reading(&reading);
    if (row == 0)
        database_begin();
    database_insert(&reading);
    if (++row == per_transaction) {
        database_commit();
        row = 0;
    }
}

static void end_inserts(void) { /* the last transaction may be a smaller one */
    if (row)
        database_commit();
    row = 0;
}

/* 70 % by key, 20 % by the index, 10 % over a range of keys. */
static void select(bool ask) {
    uint32_t kind = draw(10), id = 1 + draw(inserts), sensor = draw(sensors);
    if (!ask)
        return;
    if (kind < 7)
        answers = database_find(answers, id);
    else if (kind < 9)
        answers = database_average(answers, sensor);
    else
        answers = database_scan(answers, id, id + SCAN_ROWS - 1);
}

/* ---- measuring: one sample of all, since operations differ in size ---- */

static void begin(const char *name, uint32_t operations) {
    bench_start(&bench, name, RESULT_SINGLE);
    bench.samples = 1;
    bench.batch = operations;
}

static void measure_inserts(const char *name, uint64_t seed) {
    static struct reading unused;
    begin(name, inserts);
    draw_anew(seed);
    if (bench.warmup) { /* rows that are not kept */
        database_begin();
        for (uint32_t i = 0; i < bench.warmup; i++) {
            draw_reading(&unused);
            database_insert(&unused);
        }
        database_rollback();
    }
    draw_anew(seed);
    bench_count_start(&bench);
    uint64_t start = sip_clock();
    BENCH_LOOP(inserts, insert())
    end_inserts();
    bench.values[0] = sip_clock() - start;
    bench_count_end(&bench);
    draw_anew(seed);
    start = sip_clock();
    BENCH_LOOP(inserts, draw_reading(&unused))
    bench.values[1] = sip_clock() - start;
}

static void measure_selects(const char *name, uint64_t seed) {
    begin(name, selects);
    draw_anew(seed);
    BENCH_LOOP(bench.warmup, select(true))
    answers = DIGEST_START;
    draw_anew(seed);
    bench_count_start(&bench);
    uint64_t start = sip_clock();
    BENCH_LOOP(selects, select(true))
    bench.values[0] = sip_clock() - start;
    bench_count_end(&bench);
    draw_anew(seed);
    start = sip_clock();
    BENCH_LOOP(selects, select(false))
    bench.values[1] = sip_clock() - start;
}

static uint32_t param(const char *name, int64_t fallback, int64_t most, const char *otherwise) {
    int64_t value = sip_param(name, fallback);
    if (value < 1 || value > most)
        sip_fail(otherwise);
    return (uint32_t)value;
}

int sip_main(void) {
    static uint8_t heap[2u << 20] __attribute__((aligned(8)));
    static const char first[] = "disk", second[] = "disk-2";
    /* Of two of these SIPs, one has the channel that the other has not; their rows differ. */
    bool is_first = sip_call_endpoint(first, sizeof first - 1) >= 0;
    uint64_t seed = (uint64_t)sip_param("seed", 1) + !is_first;
    inserts = param("inserts", 1000, 40000, "'inserts' is not from 1 to 40000");
    per_transaction = param("rows", 1, 40000, "'rows' is not from 1 to 40000");
    sensors = (inserts + SENSOR_ROWS - 1) / SENSOR_ROWS;
    selects = param("selects", 1000, 1 << 24, "'selects' is not from 1 to 16M");
    uint32_t pages = param("cache", 16, 256, "'cache' is not from 1 to 256");
    if (sqlite3_config(SQLITE_CONFIG_HEAP, heap, (int)sizeof heap, 32) || sqlite3_initialize())
        sip_fail("SQLite could not be started");
    if (vfs_start(is_first ? first : second))
        sip_fail("the disk is too small, or could not be read");

    database_open(pages);
    measure_inserts(is_first ? "sqlite-insert" : "sqlite-insert-2", seed);
    database_close();
    database_open(pages);
    database_check();
    bench_finish(&bench, 1, database_all(DIGEST_START));
    measure_selects(is_first ? "sqlite-select" : "sqlite-select-2", seed);
    bench_finish(&bench, 1, answers);
    database_close();
    return 0;
}
