/* What the two ends of ping-pong agree on. */
#ifndef BULKHEAD_PING_PONG_H
#define BULKHEAD_PING_PONG_H

enum ping_type {
    PING = 0,     /* comes back as PONG, payload untouched */
    PONG = 1,
    VERIFY = 2,   /* payload is checked; comes back as VERIFIED with the checksum in the word */
    VERIFIED = 3,
};

#endif
