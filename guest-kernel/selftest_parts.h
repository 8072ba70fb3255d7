/* What the files of self-tests share. A test is a function that returns NULL or what did not hold. */
#ifndef BULKHEAD_SELFTEST_PARTS_H
#define BULKHEAD_SELFTEST_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return #condition;                                                                     \
    } while (0)
#define VECTOR_DIVIDE 0
#define VECTOR_ILLEGAL 6
#define VECTOR_PAGE_FAULT 14

/* One line of TAP. `skip` says what could not be tested here; NULL: all of it was. */
void selftest_report(const char *name, const char *failure, const char *skip);

/* Probes each do one thing that may trap. */
void probe_read(uint64_t address);
void probe_write(uint64_t address);
void probe_call(uint64_t address);
bool traps_with(void (*probe)(uint64_t), uint64_t argument, uint64_t vector);

const char *test_composed(void); /* selftest_composed.c */
void selftest_mechanisms(void);  /* after loading: what the mechanisms of the plan stop */

#endif
