/* <inttypes.h> for SIPs: the formats of printf for the types of <stdint.h>. */
#ifndef BULKHEAD_LIBC_INTTYPES_H
#define BULKHEAD_LIBC_INTTYPES_H

#include <stdint.h>

#if __SIZEOF_LONG__ == 8
#define LIBC_64 "l"
#else
#define LIBC_64 "ll"
#endif

#define PRId8 "d"
#define PRId16 "d"
#define PRId32 "d"
#define PRId64 LIBC_64 "d"
#define PRIdMAX LIBC_64 "d"
#define PRIdPTR "ld"
#define PRIi8 "i"
#define PRIi16 "i"
#define PRIi32 "i"
#define PRIi64 LIBC_64 "i"
#define PRIiMAX LIBC_64 "i"
#define PRIiPTR "li"
#define PRIu8 "u"
#define PRIu16 "u"
#define PRIu32 "u"
#define PRIu64 LIBC_64 "u"
#define PRIuMAX LIBC_64 "u"
#define PRIuPTR "lu"
#define PRIx8 "x"
#define PRIx16 "x"
#define PRIx32 "x"
#define PRIx64 LIBC_64 "x"
#define PRIxMAX LIBC_64 "x"
#define PRIxPTR "lx"
#define PRIX8 "X"
#define PRIX16 "X"
#define PRIX32 "X"
#define PRIX64 LIBC_64 "X"
#define PRIXMAX LIBC_64 "X"
#define PRIXPTR "lX"
#define PRIo8 "o"
#define PRIo16 "o"
#define PRIo32 "o"
#define PRIo64 LIBC_64 "o"
#define PRIoMAX LIBC_64 "o"
#define PRIoPTR "lo"

#endif
