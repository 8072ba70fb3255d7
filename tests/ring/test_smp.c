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
static struct ring_slot slot[ENTRIES];
static struct ring_driver driver;
static struct ring_device device;
static sem_t work, room;
static uint64_t payload[ENTRIES]; /* plain memory that the ring must order */

static void post(void *semaphore) { sem_post(semaphore); }

static void set_up(void) {
    memory = ring_layout(bytes, ENTRIES);
    sem_init(&work, 0, 0);
    sem_init(&room, 0, 0);
    ring_driver_init(&driver, &memory, ENTRIES, slot, post, &work);
    ring_device_init(&device, &memory, ENTRIES, MAX_LEN, post, &room);
}

/* Half of the payload words are free while half are in flight: buffer = message modulo ENTRIES. */
static void *send_all(void *unused) {
    (void)unused;
    bool busy[ENTRIES] = {false};
    for (uint64_t i = 0; i < MESSAGES; i++) {
        uint64_t cookie;
        int got;
        while ((got = ring_reap(&driver, &cookie)) > 0 || busy[i % ENTRIES]) {
            if (got > 0)
                busy[cookie] = false;
            else if (got < 0)
                return "broken";
            else if (!ring_driver_enable_events(&driver))
                sem_wait(&room);
        }
        busy[i % ENTRIES] = true;
        payload[i % ENTRIES] = i * 3;
        if (ring_push(&driver, (uintptr_t)&payload[i % ENTRIES], 8, i % ENTRIES))
            return "push failed";
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
        ring_complete(&device, element.id, 0);
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
#define MEETINGS 20000u /* it looks for races, not for this order */
#else
#define MEETINGS 300000u
#endif
static atomic_uint sender_at, receiver_at;
static bool told[2], saw[2]; /* by parity of the meeting */

static void meet(atomic_uint *mine, atomic_uint *other, unsigned round) {
    atomic_store(mine, round);
    for (unsigned spins = 1; atomic_load(other) < round; spins++)
        if (spins % 512 == 0)
            sched_yield(); /* one processor serves both */
}

static void *push_at_meetings(void *unused) {
    (void)unused;
    for (unsigned i = 1; i <= MEETINGS; i++) {
        meet(&sender_at, &receiver_at, 2 * i);
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
    unsigned lost = 0;
    pthread_create(&sender, NULL, push_at_meetings, NULL);
    for (unsigned i = 1; i <= MEETINGS; i++) {
        struct ring_element element;
        meet(&receiver_at, &sender_at, 2 * i);
        saw[i % 2] = ring_device_enable_events(&device);
        meet(&receiver_at, &sender_at, 2 * i + 1);
        lost += !told[i % 2] && !saw[i % 2];
        if (ring_pop(&device, &element) != 1)
            break;
        ring_complete(&device, element.id, 0);
    }
    pthread_join(sender, &sent);
    if (lost)
        printf("# %u of %u lost\n", lost, MEETINGS);
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
        RING_STORE(desc->tail, i % 3 ? i % 64 : (uint64_t)i << 20);
        RING_STORE(memory.avail->ring[i % ENTRIES], (uint16_t)(i % 5 ? i % ENTRIES : i));
        RING_STORE(other.used->ring[i % ENTRIES].id, i % 5 ? i % ENTRIES : i);
    }
    return NULL;
}

/* What ring_pop has checked is what it returns, however fast the sender changes it. */
static bool memory_changes_while_it_is_read(void) {
    set_up();
    other = ring_layout(other_bytes, ENTRIES);
    ring_driver_init(&driver, &other, ENTRIES, slot, post, &work);
    pthread_t hostile;
    pthread_create(&hostile, NULL, scribble, NULL);
    unsigned popped = 0, refused = 0, wrong = 0, reset = 0;
    while (popped < 200000 || refused < 2000 || reset < 200) {
        struct ring_element element;
        uint64_t cookie;
        RING_STORE_RELEASE(memory.avail->idx, (uint16_t)(device.last_avail + 1));
        if (ring_pop(&device, &element) == 1) {
            wrong += element.id >= ENTRIES || element.len > MAX_LEN;
            ring_complete(&device, element.id, 0);
            popped++;
        } else {
            refused++;
            ring_device_init(&device, &memory, ENTRIES, MAX_LEN, post, &room);
        }
        RING_STORE_RELEASE(other.used->idx, driver.avail_idx);
        if (ring_reap(&driver, &cookie) < 0 || ring_push(&driver, 0, 0, 0)) {
            reset++;
            ring_driver_init(&driver, &other, ENTRIES, slot, post, &work);
        }
    }
    atomic_store(&stop, true);
    pthread_join(hostile, NULL);
    if (wrong)
        printf("# %u of %u messages were not what had been checked\n", wrong, popped);
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
