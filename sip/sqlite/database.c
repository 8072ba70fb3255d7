/* Tables and statements; vfs.c has the files. */
#include "database.h"

#include "sip.h"

#include <sqlite3.h>
#include <string.h>

enum {
    INSERT,
    BEGIN,
    COMMIT,
    ROLLBACK,
    FIND,
    AVERAGE,
    SCAN,
    ALL,
    CHECK,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [INSERT] = "INSERT INTO readings(sensor, value, name) VALUES (?1, ?2, ?3)",
    [BEGIN] = "BEGIN",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [FIND] = "SELECT sensor, value, name FROM readings WHERE id = ?1",
    [AVERAGE] = "SELECT count(*), avg(value), max(value) FROM readings WHERE sensor = ?1",
    [SCAN] = ("SELECT count(*), round(avg(value), 3), sum(value * value), min(name) FROM readings "
              "WHERE id BETWEEN ?1 AND ?2"),
    [ALL] = "SELECT id, sensor, value, name FROM readings ORDER BY sensor, value",
    [CHECK] = "PRAGMA integrity_check",
};

static sqlite3 *database;
static sqlite3_stmt *statements[STATEMENTS];

static void fail(const char *what) {
    static char text[200];
    sqlite3_snprintf(sizeof text, text, "%s: %s", what,
                     database ? sqlite3_errmsg(database) : "no database");
    sip_fail(text);
}

static void run(const char *text) {
    if (sqlite3_exec(database, text, NULL, NULL, NULL))
        fail(text);
}

/* ---- statements ---- */

static sqlite3_stmt *statement(uint32_t which) {
    if (!statements[which] &&
        sqlite3_prepare_v3(database, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                           &statements[which], NULL))
        fail(texts[which]);
    return statements[which];
}

static bool step(uint32_t which) {
    int result = sqlite3_step(statements[which]);
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE || sqlite3_reset(statements[which]))
        fail(texts[which]);
    return false;
}

static void run_once(uint32_t which) {
    statement(which);
    if (step(which))
        fail(texts[which]);
}

static void give_number(uint32_t which, int place, uint32_t value) {
    if (sqlite3_bind_int64(statement(which), place, value))
        fail(texts[which]);
}

/* ---- results ---- */

static uint64_t add_word(uint64_t digest, uint64_t word) {
    return (digest ^ word) * 0x100000001b3ull; /* FNV-1a, eight bytes a step */
}

/* A value by its type and all its bits: two that print the same are not the same. */
static uint64_t add_value(uint64_t digest, sqlite3_stmt *row, int column) {
    int type = sqlite3_column_type(row, column);
    uint64_t word = 0;
    if (type == SQLITE_INTEGER) {
        word = (uint64_t)sqlite3_column_int64(row, column);
    } else if (type == SQLITE_FLOAT) {
        double value = sqlite3_column_double(row, column);
        memcpy(&word, &value, sizeof word);
    } else if (type == SQLITE_TEXT) {
        for (const unsigned char *text = sqlite3_column_text(row, column); *text; text++)
            digest = add_word(digest, *text);
    }
    return add_word(add_word(digest, (uint64_t)type), word);
}

static uint64_t add_rows(uint64_t digest, uint32_t which) {
    sqlite3_stmt *rows = statement(which);
    while (step(which))
        for (int column = 0; column < sqlite3_column_count(rows); column++)
            digest = add_value(digest, rows, column);
    return digest;
}

/* ---- what main.c uses ---- */

void database_open(uint32_t cache_pages) {
    static char text[64];
    if (sqlite3_open("readings", &database))
        fail("the database could not be opened");
    sqlite3_snprintf(sizeof text, text, "PRAGMA cache_size = %u", cache_pages);
    run(text);
    run("CREATE TABLE IF NOT EXISTS"
        " readings(id INTEGER PRIMARY KEY, sensor INTEGER, value REAL, name TEXT)");
    run("CREATE INDEX IF NOT EXISTS by_sensor ON readings(sensor)");
}

void database_close(void) {
    for (uint32_t i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(statements[i]);
        statements[i] = NULL;
    }
    if (sqlite3_close(database))
        fail("the database could not be closed");
    database = NULL;
}

void database_begin(void) { run_once(BEGIN); }
void database_commit(void) { run_once(COMMIT); }
void database_rollback(void) { run_once(ROLLBACK); }

void database_insert(const struct reading *reading) {
    sqlite3_stmt *insert = statement(INSERT);
    if (sqlite3_bind_int64(insert, 1, reading->sensor) ||
        sqlite3_bind_double(insert, 2, reading->value) ||
        sqlite3_bind_text(insert, 3, reading->name, -1, SQLITE_STATIC) || step(INSERT))
        fail(texts[INSERT]);
}

uint64_t database_find(uint64_t digest, uint32_t id) {
    give_number(FIND, 1, id);
    return add_rows(digest, FIND);
}

uint64_t database_average(uint64_t digest, uint32_t sensor) {
    give_number(AVERAGE, 1, sensor);
    return add_rows(digest, AVERAGE);
}

uint64_t database_scan(uint64_t digest, uint32_t first, uint32_t last) {
    give_number(SCAN, 1, first);
    give_number(SCAN, 2, last);
    return add_rows(digest, SCAN);
}

uint64_t database_all(uint64_t digest) { return add_rows(digest, ALL); }

void database_check(void) {
    sqlite3_stmt *check = statement(CHECK);
    if (!step(CHECK) || strcmp((const char *)sqlite3_column_text(check, 0), "ok") != 0)
        fail("the database is not whole");
    if (step(CHECK))
        fail("the database is not whole");
}
