/* What SQLite wants of <time.h> as it is built here: types that it names. There is no clock. */
#ifndef BULKHEAD_SQLITE_TIME_H
#define BULKHEAD_SQLITE_TIME_H

typedef long long time_t;
struct tm {
    int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
};

#endif
