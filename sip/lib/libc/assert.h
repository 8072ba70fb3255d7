/* <assert.h> for SIPs: a failed assertion is printed and ends the SIP as faulted. */
#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition)                                                                          \
    ((condition) ? (void)0 : libc_assert_failed(#condition, __FILE__, __LINE__))
#endif

#ifndef BULKHEAD_LIBC_ASSERT_H
#define BULKHEAD_LIBC_ASSERT_H

#define static_assert _Static_assert

void libc_assert_failed(const char *condition, const char *file, int line)
    __attribute__((noreturn));

#endif
