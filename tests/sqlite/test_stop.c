/*
 * A database is whole after a stop at any write to the disk: what was committed is there, what was not is
 * gone. Each life of SQLite is a process of its own over one disk in shared memory.
 */
#include "sip/sqlite/database.h"
#include "sip/sqlite/vfs.h"
#include "sip/webfiles/disk_channel.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 1100u
#define TRANSACTIONS 6u
#define ROWS 60u    /* of a transaction: more than a page, so that each makes the file longer */
#define STOPPED 7   /* exit status at the write that was not made any more */
#define FOREVER ~0u /* writes */

static struct {
    uint8_t disk[BLOCKS][EXT2_BLOCK_BYTES];
    uint32_t writes;                   /* that are made yet */
    uint32_t committed;                /* transactions that SQLite said were */
    uint64_t digest[TRANSACTIONS + 1]; /* of all rows after so many */
    uint64_t found;
} * shared;

/* ---- what the SIP library and disk_channel.c would be ---- */

void sip_fail(const char *text) {
    fprintf(stderr, "%s\n", text);
    _exit(1);
}

uint32_t disk_connect(const char *channel) {
    (void)channel;
    return BLOCKS;
}

int disk_read(uint32_t block, uint32_t count, void *to) {
    memcpy(to, shared->disk[block], count * EXT2_BLOCK_BYTES);
    return 0;
}

int disk_write(uint32_t block, uint32_t count, const void *from) {
    if (shared->writes-- == 0)
        _exit(STOPPED);
    memcpy(shared->disk[block], from, count * EXT2_BLOCK_BYTES);
    return 0;
}

/* ---- lives ---- */

static int live(void (*life)(void), uint32_t writes) {
    int status = 0;
    shared->writes = writes;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        static uint8_t heap[2u << 20] __attribute__((aligned(8)));
        if (sqlite3_config(SQLITE_CONFIG_HEAP, heap, (int)sizeof heap, 32) ||
            sqlite3_initialize() || vfs_start("disk"))
            _exit(1);
        database_open(2);
        life();
        database_close();
        _exit(0);
    }
    cr_assert(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void insert_rows(uint32_t transaction) {
    database_begin();
    for (uint32_t i = 0; i < ROWS; i++) {
        struct reading reading = {.sensor = (transaction * 31 + i * 7) % 11, .value = i / 3.0};
        memset(reading.name, 'a' + (int)transaction, sizeof reading.name - 1);
        database_insert(&reading);
    }
    database_commit();
}

static void write_all(void) {
    for (uint32_t i = shared->committed; i < TRANSACTIONS; i++) {
        insert_rows(i);
        shared->committed = i + 1;
        if (shared->writes > FOREVER / 2)
            shared->digest[i + 1] = database_all(1);
    }
}

static void read_all(void) {
    database_check();
    shared->found = database_all(1);
}

static void empty(void) {
    memset(shared->disk, 0, sizeof shared->disk);
    shared->committed = 0;
}

Test(stop, at_any_write_leaves_whole_transactions) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(shared != MAP_FAILED);
    empty();
    cr_assert(live(read_all, FOREVER) == 0);
    shared->digest[0] = shared->found;
    cr_assert(live(write_all, FOREVER) == 0);
    uint32_t needed = FOREVER - shared->writes;
    cr_assert(needed > 40, "only %u writes", needed);
    for (uint32_t i = 0; i < TRANSACTIONS; i++)
        cr_assert(shared->digest[i] != shared->digest[i + 1]);

    uint32_t stops = 0;
    for (int status = STOPPED; status == STOPPED; stops++) {
        empty();
        status = live(write_all, stops);
        cr_assert(status == 0 || status == STOPPED, "stop %u: status %d", stops, status);
        uint32_t committed = shared->committed;
        cr_assert(live(read_all, FOREVER) == 0, "stop %u: not whole", stops);
        /* A commit may have been made that nobody was told of. */
        bool one_more = committed < TRANSACTIONS && shared->found == shared->digest[committed + 1];
        cr_assert(one_more || shared->found == shared->digest[committed],
                  "stop %u: not the rows of %u transactions", stops, committed);
        /* And it goes on from there. */
        shared->committed = committed + one_more;
        cr_assert(live(write_all, FOREVER / 2) == 0 && live(read_all, FOREVER) == 0);
        cr_assert(shared->found == shared->digest[TRANSACTIONS], "stop %u: other rows", stops);
    }
    cr_assert(stops > 40, "only %u stops", stops);
}
