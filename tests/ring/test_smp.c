/*
 * Both ends on their own threads (RING_SMP=1): an honest pair that sleeps on doorbells, and a peer
 * that rewrites memory while it is read. Speaks TAP by itself: Criterion's shared arena and
 * ThreadSanitizer want the same addresses. A lost wake-up shows as a time-out.
 */
#include "channel-dev/ring.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#if !RING_SMP
#error "this test is about two processors"
#endif

#define ENTRIES 16u
#define MESSAGES 200000u
#define MAX_LEN 4096u

static _Alignas(64) unsigned char bytes[RING_BYTES(ENTRIES)];
static struct ring_memory memory;
static uint64_t cookies[ENTRIES];
static struct ring_driver driver;
static struct ring_device device;
static sem_t work, room;
static uint64_t payload[ENTRIES]; /* plain memory that the ring must order */

static void post(void *semaphore) { sem_post(semaphore); }

static void set_up(void) {
    memory = ring_layout(bytes, ENTRIES);
    sem_init(&work, 0, 0);
    sem_init(&room, 0, 0);
    ring_driver_init(&driver, &memory, ENTRIES, cookies, post, &work);
    ring_device_init(&device, &memory, ENTRIES, MAX_LEN, post, &room);
}

/* A payload word is free again when its descriptor is: buffer = message modulo ENTRIES. */
static void *send_all(void *unused) {
    (void)unused;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        while (ring_full(&driver)) {
            if (driver.broken)
                return "broken";
            if (!ring_driver_enable_events(&driver))
                sem_wait(&room);
        }
        payload[i % ENTRIES] = i * 3;
        ring_push_free(&driver, (uintptr_t)&payload[i % ENTRIES], 8, 0);
        ring_driver_kick(&driver);
    }
    return NULL;
}

static void *receive_all(void *unused) {
    (void)unused;
    for (uint64_t i = 0; i < MESSAGES;) {
        struct ring_element element;
        int got = ring_pop(&device, &element);
        if (got < 0)
            return "broken";
        if (got == 0) {
            if (!ring_device_enable_events(&device))
                sem_wait(&work);
            continue;
        }
        if (*(uint64_t *)(uintptr_t)element.addr != i * 3)
            return "wrong message";
        ring_complete(&device, 0);
        ring_device_kick(&device);
        i++;
    }
    return NULL;
}

static bool two_threads(void) {
    set_up();
    pthread_t sender, receiver;
    void *sent, *received;
    pthread_create(&sender, NULL, send_all, NULL);
    pthread_create(&receiver, NULL, receive_all, NULL);
    pthread_join(sender, &sent);
    pthread_join(receiver, &received);
    if (sent || received)
        printf("# sender: %s, receiver: %s\n", sent ? (char *)sent : "fine",
               received ? (char *)received : "fine");
    return !sent && !received;
}

/*
 * The one order that needs a fence: the sender pushes and asks whether to notify just as the receiver
 * asks for events and looks a last time. If both say no, the message is lost in a sleep.
 */
#if defined(__SANITIZE_THREAD__) || defined(THREAD_SANITIZER)
#define CLOSE_MEETINGS 1000u /* it looks for races, not for this order */
#define MEETINGS 20000u
#else
#define CLOSE_MEETINGS 100000u /* where both ends were on a processor: enough, or */
#define MEETINGS 1500000u      /* so many in all, on a busy host */
#endif
static atomic_uint sender_at, receiver_at;
static atomic_bool enough;
static bool told[2], saw[2]; /* by parity of the meeting */

/* Returns whether the other end was there soon. */
static bool meet(atomic_uint *mine, atomic_uint *other, unsigned round) {
    unsigned spins = 1;
    atomic_store(mine, round);
    for (; atomic_load(other) < round; spins++)
        if (spins % 512 == 0)
            sched_yield(); /* one processor serves both */
    return spins < 512;
}

/*
 * Makes the bad order likely where there is no fence: both lines are in both caches, so that the load
 * is served at once while the store still asks for its line; and each end comes first now and then.
 */
static void provoke(unsigned delay) {
    (void)RING_LOAD(memory.avail->idx);
    (void)RING_LOAD(memory.used->ring[ENTRIES - 1].len); /* beside avail_event */
    for (unsigned i = 0; i < delay; i++)
        __asm__ volatile("");
}

static void *push_at_meetings(void *unused) {
    (void)unused;
    for (unsigned i = 1; !atomic_load(&enough); i++) {
        meet(&sender_at, &receiver_at, 2 * i);
        provoke(i % 31);
        if (ring_push(&driver, 0, 0, 0))
            return "push failed";
        told[i % 2] = ring_driver_should_notify(&driver);
        meet(&sender_at, &receiver_at, 2 * i + 1);
    }
    return NULL;
}

static bool no_wakeup_is_lost(void) {
    set_up();
    pthread_t sender;
    void *sent;
    unsigned lost = 0, close = 0, i = 0;
    pthread_create(&sender, NULL, push_at_meetings, NULL);
    while (!atomic_load(&enough)) {
        struct ring_element element;
        i++;
        close += meet(&receiver_at, &sender_at, 2 * i);
        provoke(i % 7);
        saw[i % 2] = ring_device_enable_events(&device);
        atomic_store(&enough, close == CLOSE_MEETINGS || i == MEETINGS);
        meet(&receiver_at, &sender_at, 2 * i + 1);
        lost += !told[i % 2] && !saw[i % 2];
        if (ring_pop(&device, &element) == 1)
            ring_complete(&device, 0);
    }
    pthread_join(sender, &sent);
    printf("# %u of %u wake-ups lost, %u of them close\n", lost, i, close);
    return !sent && !lost;
}

/* Two rings, so that the hostile thread plays the sender of one and the receiver of the other. */
static _Alignas(64) unsigned char other_bytes[RING_BYTES(ENTRIES)];
static struct ring_memory other;
static atomic_bool stop;

static void *scribble(void *unused) {
    (void)unused;
    for (uint32_t i = 0; !atomic_load(&stop); i++) {
        struct ring_desc *desc = &memory.desc[i % ENTRIES];
        RING_STORE(desc->len, i % 3 ? i % 64 : i << 20);
        RING_STORE(desc->rest, i % 7 ? 0 : i);
        RING_STORE(memory.avail->ring[i % ENTRIES], (uint16_t)(i % 5 ? i % ENTRIES : i));
        RING_STORE(other.used->idx, (uint16_t)(i / 8));
    }
    return NULL;
}

/* What ring_pop or ring_push has checked is what it uses, however fast the peer changes it. */
static bool memory_changes_while_it_is_read(void) {
    set_up();
    other = ring_layout(other_bytes, ENTRIES);
    ring_driver_init(&driver, &other, ENTRIES, cookies, post, &work);
    pthread_t hostile;
    pthread_create(&hostile, NULL, scribble, NULL);
    unsigned popped = 0, refused = 0, wrong = 0, reset = 0;
    while (popped < 200000 || refused < 2000 || reset < 200) {
        struct ring_element element;
        RING_STORE_RELEASE(memory.avail->idx, (uint16_t)(device.last_avail + 1));
        if (ring_pop(&device, &element) == 1) {
            wrong += element.id >= ENTRIES || element.len > MAX_LEN;
            ring_complete(&device, 0);
            popped++;
        } else {
            refused++;
            ring_device_init(&device, &memory, ENTRIES, MAX_LEN, post, &room);
        }
        int got = ring_push(&driver, 0, 0, 0);
        wrong += driver.avail_idx - (driver.full_at - ENTRIES) > ENTRIES && !driver.broken;
        if (got == -RING_BROKEN) {
            reset++;
            ring_driver_init(&driver, &other, ENTRIES, cookies, post, &work);
        }
    }
    atomic_store(&stop, true);
    pthread_join(hostile, NULL);
    if (wrong)
        printf("# %u times a lie was believed, in %u messages\n", wrong, popped);
    return !wrong;
}

int main(void) {
    static const struct {
        const char *name;
        bool (*run)(void);
    } test[] = {
        {"two threads that sleep", two_threads},
        {"no wake-up is lost", no_wakeup_is_lost},
        {"memory changes while it is read", memory_changes_while_it_is_read},
    };
    int failed = 0;
    printf("1..%zu\n", sizeof test / sizeof *test);
    for (size_t i = 0; i < sizeof test / sizeof *test; i++) {
        bool ok = test[i].run();
        printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, test[i].name);
        failed += !ok;
    }
    return failed != 0;
}
