/*
 * The kernel's self-tests, run on the real boot path when the plan asks for it: TAP on the console,
 * counts in the result region. A failed test fails the run.
 */
#ifndef BULKHEAD_SELFTEST_H
#define BULKHEAD_SELFTEST_H

void selftest_run(void);    /* before any SIP is loaded */
void selftest_spaces(void); /* after loading: what every domain's tables let through */
void selftest_end(void);    /* the plan line; ends the run if a test failed */

#endif
