/*
 * <stdlib.h> for SIPs: what a freestanding library needs of it. malloc() and its kin hand out an arena
 * whose size is HEAP of bulkhead_sip(); all but them and rand() may be used from several threads.
 */
#ifndef BULKHEAD_LIBC_STDLIB_H
#define BULKHEAD_LIBC_STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 0x7fffffff

typedef struct {
    int quot, rem;
} div_t;
typedef struct {
    long quot, rem;
} ldiv_t;
typedef struct {
    long long quot, rem;
} lldiv_t;

/* Aligned to 16 bytes; NULL and ENOMEM when the arena has no such piece. */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *old, size_t bytes);
void free(void *old);

void exit(int status) __attribute__((noreturn)); /* of the SIP, with all its threads */
void abort(void) __attribute__((noreturn));      /* the SIP ends as faulted */

/* Heapsort: never more than n log n compares, no recursion, not stable. */
void qsort(void *base, size_t count, size_t bytes, int (*compare)(const void *, const void *));
void *bsearch(const void *key, const void *base, size_t count, size_t bytes,
              int (*compare)(const void *, const void *));

/* ERANGE and the nearest number when the text's does not fit; EINVAL for an unknown base. */
long strtol(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
long long strtoll(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);
int atoi(const char *text);
long atol(const char *text);
long long atoll(const char *text);

int abs(int value);
long labs(long value);
long long llabs(long long value);
div_t div(int value, int by);
ldiv_t ldiv(long value, long by);
lldiv_t lldiv(long long value, long long by);

int rand(void);
void srand(unsigned seed);

#endif
