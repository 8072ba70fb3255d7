/* The signals that ask this process to end: noted, so that a guest is ended and a set is closed. */
#ifndef BULKHEAD_CANCEL_H
#define BULKHEAD_CANCEL_H

/* From now on SIGINT, SIGTERM and SIGHUP (unless ignored, as under nohup) are noted. */
void cancel_listen(void);
extern volatile int cancel_signal; /* 0, or the signal that came last */

#endif
