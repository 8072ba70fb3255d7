/*
 * The database of the benchmark: one table of readings with an index. Everything that SQLite refuses ends
 * the run with its own words. Results are added to a digest, which is the oracle.
 */
#ifndef BULKHEAD_SQLITE_DATABASE_H
#define BULKHEAD_SQLITE_DATABASE_H

#include <stdint.h>

struct reading {
    uint32_t sensor;
    double value;
    char name[48];
};

/* Opens it, with a page cache of so many pages; makes the table if it is not there. */
void database_open(uint32_t cache_pages);
void database_close(void);
void database_begin(void);
void database_commit(void);
void database_rollback(void);
/* Adds a reading; ids count from 1. */
void database_insert(const struct reading *reading);

/* Each returns `digest` with its result added. */
uint64_t database_find(uint64_t digest, uint32_t id);                   /* one row by its key */
uint64_t database_average(uint64_t digest, uint32_t sensor);            /* rows by the index */
uint64_t database_scan(uint64_t digest, uint32_t first, uint32_t last); /* a range of keys */
uint64_t database_all(uint64_t digest);                                 /* every row */

/* PRAGMA integrity_check says `ok`, or the run fails. */
void database_check(void);

#endif
