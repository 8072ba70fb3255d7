/*
 * wait-set: two threads of one SIP and an event for each; one sets the other's and waits for its own, a
 * round trip. An event is a direction of a channel of depth 1: to set it is to send an empty message,
 * to wait is to wait for the endpoint and to take the message, which clears it.
 */
#include "bench.h"

#define EVENT 1u
#define CHECKED_TRIPS 100u

static struct bench bench;
static struct sip_ends ends;
static sip_handle token; /* of the thread that runs */
static volatile uint64_t waits;
static uint8_t stack[16384] __attribute__((aligned(16)));

static int64_t event_wait(const sip_endpoint *end) {
    int64_t error = sip_wait_any(end, 1);
    if (__builtin_expect(error != 0, 0))
        return error;
    struct sip_message message = sip_poll(*end);
    token = message.handle;
    return message.error;
}

static int64_t event_set(sip_endpoint end) { return sip_send(end, token, EVENT, 0); }

static void second_thread(uint32_t unused) {
    (void)unused;
    while (!event_wait(&ends.server)) {
        waits++;
        if (event_set(ends.server))
            sip_fail("the second thread could not set an event");
    } /* closed: the measurement is over */
}

static void round_trip(void) {
    if (__builtin_expect(event_set(ends.client) != 0, 0))
        sip_fail("an event could not be set");
    if (__builtin_expect(event_wait(&ends.client) != 0, 0))
        sip_fail("an event could not be waited for");
}

/* The oracle: the second thread waits as often as it is woken, and an event that is set stays so. */
static uint64_t check(void) {
    for (uint32_t i = 0; i < CHECKED_TRIPS; i++)
        round_trip();
    if (waits != CHECKED_TRIPS || sip_poll(ends.client).error != ABI_EEMPTY)
        sip_fail("a thread was woken more or less often than its event was set");
    if (event_set(ends.client))
        sip_fail("an event could not be set");
    while (waits == CHECKED_TRIPS)
        sip_yield(); /* the second thread sets ours before anybody waits */
    if (event_wait(&ends.client) || waits != CHECKED_TRIPS + 1)
        sip_fail("an event that was set before did not end the wait");
    return waits;
}

int sip_main(void) {
    ends = sip_channel_create("events");
    if (!ends.client || sip_thread(second_thread, 0, stack, sizeof stack))
        sip_fail("a channel and a thread could not be created");
    token = sip_block_for(ends.client, 0);
    if (!token)
        sip_fail("no memory for an empty message");
    uint64_t oracle = check();
    BENCH(&bench, "wait-set", RESULT_ROUND_TRIP, round_trip(), );
    bench_finish(&bench, 1, oracle);
    return 0;
}
