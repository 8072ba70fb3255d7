/*
 * The imports of imports.h as the generated C calls them: each translates and bounds-checks its
 * pointers, then calls the kernel through the table that the SIP was started with. Messages and the
 * clock never leave the image. The first argument is the state of the calling thread.
 */
#ifndef BULKHEAD_HOST_H
#define BULKHEAD_HOST_H

#include "sip/abi.h"
#include "prelude.h"

#if SIP_THREADS > 1

/*
 * The kernel may take the processor from a thread between a check and the access, and another thread
 * could then give the block away. So a thread says which block it uses, and one that gives a block
 * away says so and waits for the others to be done. Only the compiler could reorder these words: a
 * SIP's threads share one processor.
 */
struct Z_sip_instance_t {
    volatile u32 uses;   /* a handle, 0: none */
    volatile u32 leaves; /* the same */
};
static struct Z_sip_instance_t *sip_thread_state(u32 number);
static u64 host_call(enum abi_call call, u64 a, u64 b, u64 c, u64 d);

static inline void host_use(struct Z_sip_instance_t *thread, u32 handle) {
    thread->uses = handle;
    for (u32 i = 0; i < SIP_THREADS; i++) {
        while (UNLIKELY(handle && sip_thread_state(i)->leaves == handle)) {
            thread->uses = 0;
            host_call(ABI_yield, 0, 0, 0, 0);
            thread->uses = handle;
        }
    }
    __asm__ volatile("" ::: "memory");
}
static inline void host_used(struct Z_sip_instance_t *thread) {
    __asm__ volatile("" ::: "memory");
    thread->uses = 0;
}
static inline void host_leave(struct Z_sip_instance_t *thread, u32 handle) {
    thread->leaves = handle;
    for (u32 i = 0; i < SIP_THREADS; i++)
        while (UNLIKELY(handle && sip_thread_state(i)->uses == handle))
            host_call(ABI_yield, 0, 0, 0, 0);
}
static inline void host_left(struct Z_sip_instance_t *thread) { thread->leaves = 0; }

#else

struct Z_sip_instance_t;
#define host_use(thread, handle) ((void)0)
#define host_used(thread) ((void)0)
#define host_leave(thread, handle) ((void)0)
#define host_left(thread) ((void)0)

#endif

#define HOST(result, name, ...)                                                                    \
    static inline result Z_sipZ_##name(struct Z_sip_instance_t *thread __attribute__((unused)),    \
                                       ##__VA_ARGS__)

static inline u64 host_call(enum abi_call call, u64 a, u64 b, u64 c, u64 d) {
    return (u64)sip_calls[call](a, b, c, d);
}

/* The address of `bytes` bytes of linear memory, as the kernel wants it. */
static inline u64 host_range(u32 pointer, u64 bytes) {
    return (u64)(uintptr_t)sip_range(pointer, bytes);
}

HOST(u64, self) { return host_call(ABI_self, 0, 0, 0, 0); }
HOST(u64, yield) { return host_call(ABI_yield, 0, 0, 0, 0); }
HOST(u64, exit, u64 status) { return host_call(ABI_exit, status, 0, 0, 0); }
HOST(u64, print, u32 text, u64 bytes) {
    return host_call(ABI_print, host_range(text, bytes), bytes, 0, 0);
}
HOST(u64, param, u32 name, u64 bytes, u64 fallback) {
    return host_call(ABI_param, host_range(name, bytes), bytes, fallback, 0);
}
HOST(u64, endpoint, u32 name, u64 bytes) {
    return host_call(ABI_endpoint, host_range(name, bytes), bytes, 0, 0);
}
HOST(u64, events, u32 events) {
    return host_call(ABI_events, host_range(events, sizeof(struct abi_events)), 0, 0, 0);
}
HOST(u64, report, u32 report) {
    struct abi_report copy; /* not in linear memory: nothing can change it after the check */
    __builtin_memcpy(&copy, sip_range(report, sizeof(copy)), sizeof(copy));
    if (UNLIKELY(copy.values > UINT32_MAX))
        sip_trap(ABI_TRAP_BOUNDS);
    copy.values = host_range((u32)copy.values, ((u64)copy.samples + copy.overheads) * sizeof(u64));
    return host_call(ABI_report, (u64)(uintptr_t)&copy, 0, 0, 0);
}
HOST(u64, pages_alloc, u64 pages) { return host_call(ABI_pages_alloc, pages, 0, 0, 0); }
HOST(u64, wait, u32 endpoints, u64 count) {
    u64 bytes = count <= SIP_MEMORY_BYTES ? count * sizeof(u32) : UINT64_MAX;
    return host_call(ABI_wait, host_range(endpoints, bytes), count, 0, 0);
}
HOST(u64, channel_create, u32 name, u64 bytes) {
    return host_call(ABI_channel_create, host_range(name, bytes), bytes, 0, 0);
}
HOST(u64, close, u64 endpoint) { return host_call(ABI_close, endpoint, 0, 0, 0); }
HOST(u64, sip_create, u32 name, u64 bytes) {
    return host_call(ABI_sip_create, host_range(name, bytes), bytes, 0, 0);
}
HOST(u64, sip_give, u64 sip, u64 endpoint, u32 name, u64 bytes) {
    return host_call(ABI_sip_give, sip, endpoint, host_range(name, bytes), bytes);
}
HOST(u64, sip_start, u64 sip) { return host_call(ABI_sip_start, sip, 0, 0, 0); }
HOST(u64, sip_wait, u64 sip) { return host_call(ABI_sip_wait, sip, 0, 0, 0); }
HOST(u64, sip_kill, u64 sip) { return host_call(ABI_sip_kill, sip, 0, 0, 0); }
HOST(u64, calibrate, u64 primitive) { return host_call(ABI_calibrate, primitive, 0, 0, 0); }
HOST(u64, device, u64 part) { return host_call(ABI_device, part, 0, 0, 0); }
HOST(u64, irq_wait, u64 source) { return host_call(ABI_irq_wait, source, 0, 0, 0); }
HOST(u64, block_alloc, u64 bytes, u64 endpoint) {
    return host_call(ABI_block_alloc, bytes, endpoint, 0, 0);
}
HOST(u64, block_free, u64 handle) {
    host_leave(thread, (u32)handle);
    u64 error = host_call(ABI_block_free, handle, 0, 0, 0);
    host_left(thread);
    return error;
}
HOST(u64, send, u64 endpoint, u64 handle, u64 type, u64 bytes) {
    host_leave(thread, (u32)handle);
    u64 error = host_call(ABI_send, endpoint, handle, type, bytes);
    host_left(thread);
    return error;
}
HOST(u64, recv, u64 endpoint, u64 flags) { return host_call(ABI_recv, endpoint, flags, 0, 0); }
HOST(u64, fail, u32 text, u64 bytes) {
    return host_call(ABI_fail, host_range(text, bytes), bytes, 0, 0);
}
static u64 sip_thread_start(u32 entry, u32 argument); /* threads.h */
HOST(u64, thread_create, u32 entry, u32 argument) { return sip_thread_start(entry, argument); }

/*
 * `bytes` bytes at `offset` from the start of a block, header included. A slot that is not owned has
 * no bytes, so that one compare is also the ownership check; the tag finds the SIP's stale handles.
 */
static inline __attribute__((always_inline)) u8 *host_block(u32 handle, u64 offset, u64 bytes) {
    const struct abi_slot *slot = &sip_slots[handle & ABI_SLOT_MASK];
    if (UNLIKELY(slot->tag != handle))
        sip_trap(ABI_TRAP_HANDLE);
    if (UNLIKELY(offset + bytes > slot->bytes))
        sip_trap(slot->bytes ? ABI_TRAP_BOUNDS : ABI_TRAP_HANDLE);
#ifdef SIP_MASKED
    u64 outside; /* all ones if so, also where the compare above was only predicted */
    __asm__("cmpq %1, %2\n\tsbbq %0, %0"
            : "=r"(outside)
            : "r"(offset + bytes), "r"((u64)slot->bytes)
            : "cc");
    offset &= ~outside;
#endif
    return (u8 *)slot->base + offset;
}

#define HOST_PAYLOAD(handle, offset, bytes)                                                        \
    host_block(handle, (u64)(offset) + sizeof(struct abi_message), bytes)
#define HOST_HEADER(handle)                                                                        \
    ((struct abi_message *)host_block(handle, 0, sizeof(struct abi_message)))

/* `access` with the block held, see host_use(). */
#define HOST_WITH(handle, access)                                                                  \
    do {                                                                                           \
        host_use(thread, handle);                                                                  \
        access;                                                                                    \
        host_used(thread);                                                                         \
    } while (0)

HOST(u32, message_bytes, u32 handle) {
    u32 bytes;
    HOST_WITH(handle, (void)HOST_HEADER(handle); bytes = sip_slots[handle & ABI_SLOT_MASK].bytes);
    return bytes - (u32)sizeof(struct abi_message);
}
HOST(u64, message_word, u32 handle) {
    u64 word;
    HOST_WITH(handle, word = HOST_HEADER(handle)->word);
    return word;
}
HOST(void, message_set_word, u32 handle, u64 word) {
    HOST_WITH(handle, HOST_HEADER(handle)->word = word);
}

#define DEFINE_FIELD(bits, wide)                                                                   \
    HOST(wide, load##bits, u32 handle, u32 offset) {                                               \
        u##bits value;                                                                             \
        HOST_WITH(handle, __builtin_memcpy(&value, HOST_PAYLOAD(handle, offset, sizeof(value)),    \
                                           sizeof(value)));                                        \
        return value;                                                                              \
    }                                                                                              \
    HOST(void, store##bits, u32 handle, u32 offset, wide value) {                                  \
        u##bits stored = (u##bits)value;                                                           \
        HOST_WITH(handle, __builtin_memcpy(HOST_PAYLOAD(handle, offset, sizeof(stored)), &stored,  \
                                           sizeof(stored)));                                       \
    }
DEFINE_FIELD(8, u32)
DEFINE_FIELD(16, u32)
DEFINE_FIELD(32, u32)
DEFINE_FIELD(64, u64)

HOST(void, read, u32 handle, u32 offset, u32 to, u32 bytes) {
    u8 *target = sip_range(to, bytes);
    HOST_WITH(handle, memcpy(target, HOST_PAYLOAD(handle, offset, bytes), bytes));
}
HOST(void, write, u32 handle, u32 offset, u32 from, u32 bytes) {
    const u8 *source = sip_range(from, bytes);
    HOST_WITH(handle, memcpy(HOST_PAYLOAD(handle, offset, bytes), source, bytes));
}

/* One access as written, and none of the compiler's before a store or after a load is moved across it. */
#define DEFINE_DEVICE(bits, wide)                                                                  \
    HOST(wide, device_load##bits, u32 handle, u32 offset) {                                        \
        u##bits value;                                                                             \
        HOST_WITH(handle, value = *(const volatile u##bits *)(const void *)host_block(             \
                              handle, offset, sizeof(value)));                                     \
        __asm__ volatile("" ::: "memory");                                                         \
        return value;                                                                              \
    }                                                                                              \
    HOST(void, device_store##bits, u32 handle, u32 offset, wide value) {                           \
        __asm__ volatile("" ::: "memory");                                                         \
        HOST_WITH(handle, *(volatile u##bits *)(void *)host_block(                                 \
                              handle, offset, sizeof(u##bits)) = (u##bits)value);                  \
    }
DEFINE_DEVICE(8, u32)
DEFINE_DEVICE(16, u32)
DEFINE_DEVICE(32, u32)
DEFINE_DEVICE(64, u64)

HOST(u64, time_now) {
    u32 low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (u64)high << 32 | low;
}
HOST(u64, time_bare) {
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

/* A locked access to two cache lines would stop all processors, so it must be aligned. */
static inline __attribute__((always_inline)) u64 *host_atomic(u32 word) {
    if (UNLIKELY(word % sizeof(u64)))
        sip_trap(ABI_TRAP_BOUNDS);
    return (u64 *)(void *)sip_at(word, sizeof(u64));
}
HOST(u64, atomic_add, u32 word, u64 value) {
    __asm__ volatile("lock xaddq %0, %1" : "+r"(value), "+m"(*host_atomic(word))::"memory", "cc");
    return value;
}
HOST(u64, atomic_compare_exchange, u32 word, u64 expected, u64 wanted) {
    __asm__ volatile("lock cmpxchgq %2, %1"
                     : "+a"(expected), "+m"(*host_atomic(word))
                     : "r"(wanted)
                     : "memory", "cc");
    return expected;
}

#undef HOST
#endif
