/* <errno.h> for SIPs: one variable, shared by the SIP's threads; numbers as on Linux. */
#ifndef BULKHEAD_LIBC_ERRNO_H
#define BULKHEAD_LIBC_ERRNO_H

extern int errno;

#define ENOMEM 12
#define EINVAL 22
#define EDOM 33
#define ERANGE 34
#define EILSEQ 84
#define EOVERFLOW 75

#endif
