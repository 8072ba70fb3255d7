/* The SIP library's lowest level for unchecked code: the table of calls, and plain pointers. */
#ifndef BULKHEAD_SIP_NATIVE_H
#define BULKHEAD_SIP_NATIVE_H

extern const abi_function *sip_calls;        /* set by sip_entry before sip_main */
extern struct abi_slot sip_slots[ABI_SLOTS]; /* written by the kernel */

static inline int64_t sip_call(enum abi_call call, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    return sip_calls[call](a, b, c, d);
}

#define SIP_POINTER(pointer) ((uint64_t)(uintptr_t)(pointer))
/* A call with no arguments does not set registers for them. */
#define SIP_CALL0(call) (((int64_t(*)(void))(void *)sip_calls[call])())

static inline int64_t sip_call_self(void) { return SIP_CALL0(ABI_self); }
static inline int64_t sip_call_yield(void) { return SIP_CALL0(ABI_yield); }
static inline int64_t sip_call_exit(int64_t status) {
    return sip_call(ABI_exit, (uint64_t)status, 0, 0, 0);
}
static inline int64_t sip_call_print(const char *text, uint32_t bytes) {
    return sip_call(ABI_print, SIP_POINTER(text), bytes, 0, 0);
}
static inline int64_t sip_call_param(const char *name, uint32_t bytes, int64_t fallback) {
    return sip_call(ABI_param, SIP_POINTER(name), bytes, (uint64_t)fallback, 0);
}
static inline int64_t sip_call_endpoint(const char *name, uint32_t bytes) {
    return sip_call(ABI_endpoint, SIP_POINTER(name), bytes, 0, 0);
}
static inline int64_t sip_call_events(struct abi_events *events) {
    return sip_call(ABI_events, SIP_POINTER(events), 0, 0, 0);
}
static inline int64_t sip_call_report(struct abi_report *report) {
    return sip_call(ABI_report, SIP_POINTER(report), 0, 0, 0);
}
static inline int64_t sip_call_block_alloc(uint32_t bytes, sip_endpoint endpoint) {
    return sip_call(ABI_block_alloc, bytes, endpoint, 0, 0);
}
static inline int64_t sip_call_pages_alloc(uint32_t pages) {
    return sip_call(ABI_pages_alloc, pages, 0, 0, 0);
}
static inline int64_t sip_call_wait(const sip_endpoint *endpoints, uint32_t count) {
    return sip_call(ABI_wait, SIP_POINTER(endpoints), count, 0, 0);
}
static inline int64_t sip_call_channel_create(const char *name, uint32_t bytes) {
    return sip_call(ABI_channel_create, SIP_POINTER(name), bytes, 0, 0);
}
static inline int64_t sip_call_close(sip_endpoint endpoint) {
    return sip_call(ABI_close, endpoint, 0, 0, 0);
}
static inline int64_t sip_call_sip_create(const char *name, uint32_t bytes) {
    return sip_call(ABI_sip_create, SIP_POINTER(name), bytes, 0, 0);
}
static inline int64_t sip_call_sip_give(sip_child child, sip_endpoint endpoint, const char *name,
                                        uint32_t bytes) {
    return sip_call(ABI_sip_give, child, endpoint, SIP_POINTER(name), bytes);
}
static inline int64_t sip_call_sip_start(sip_child child) {
    return sip_call(ABI_sip_start, child, 0, 0, 0);
}
static inline int64_t sip_call_sip_wait(sip_child child) {
    return sip_call(ABI_sip_wait, child, 0, 0, 0);
}
static inline int64_t sip_call_sip_kill(sip_child child) {
    return sip_call(ABI_sip_kill, child, 0, 0, 0);
}
static inline int64_t sip_call_calibrate(uint32_t primitive) {
    return sip_call(ABI_calibrate, primitive, 0, 0, 0);
}
static inline int64_t sip_call_device(uint32_t part) { return sip_call(ABI_device, part, 0, 0, 0); }
static inline int64_t sip_call_irq_wait(uint32_t source) {
    return sip_call(ABI_irq_wait, source, 0, 0, 0);
}
static inline int64_t sip_call_block_free(sip_handle handle) {
    return sip_call(ABI_block_free, handle, 0, 0, 0);
}
static inline int64_t sip_call_send(sip_endpoint endpoint, sip_handle handle, uint32_t type,
                                    uint32_t bytes) {
    return sip_call(ABI_send, endpoint, handle, type, bytes);
}
static inline int64_t sip_call_recv(sip_endpoint endpoint, uint32_t flags) {
    return sip_call(ABI_recv, endpoint, flags, 0, 0);
}
static inline int64_t sip_call_fail(const char *text, uint32_t bytes) {
    return sip_call(ABI_fail, SIP_POINTER(text), bytes, 0, 0);
}

/* Clock: TSC, fenced so that earlier work is done and later work not begun (Intel SDM 2B, RDTSC). */
static inline uint64_t sip_clock(void) {
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
    return low | (uint64_t)high << 32;
}

/* Not fenced: may be read before earlier work is done. */
static inline uint64_t sip_clock_bare(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

/* Written out, or the compiler would take another instruction where the result is not used. */
static inline uint64_t sip_atomic_add(uint64_t *word, uint64_t value) {
    __asm__ volatile("lock xaddq %0, %1" : "+r"(value), "+m"(*word)::"memory", "cc");
    return value;
}
static inline uint64_t sip_atomic_compare_exchange(uint64_t *word, uint64_t expected,
                                                   uint64_t wanted) {
    __asm__ volatile("lock cmpxchgq %2, %1"
                     : "+a"(expected), "+m"(*word)
                     : "r"(wanted)
                     : "memory", "cc");
    return expected;
}

/* The header of a message that this SIP owns: the sender's word, and bytes of payload. */
static inline struct abi_message *sip_header(sip_handle handle) {
    return sip_slots[handle & ABI_SLOT_MASK].base;
}
static inline uint64_t sip_message_word(sip_handle handle) { return sip_header(handle)->word; }
static inline void sip_message_set_word(sip_handle handle, uint64_t word) {
    sip_header(handle)->word = word;
}
static inline uint32_t sip_message_bytes(sip_handle handle) {
    return sip_slots[handle & ABI_SLOT_MASK].bytes - (uint32_t)sizeof(struct abi_message);
}

/* Payload access: plain loads and stores at the block that the kernel put into the slot. */
static inline uint8_t *sip_payload(sip_handle handle) {
    return (uint8_t *)(sip_header(handle) + 1);
}
#define SIP_ACCESSORS(bits)                                                                        \
    static inline uint##bits##_t sip_msg_ld##bits(sip_handle handle, uint32_t offset) {            \
        uint##bits##_t value;                                                                      \
        __builtin_memcpy(&value, sip_payload(handle) + offset, sizeof value);                      \
        return value;                                                                              \
    }                                                                                              \
    static inline void sip_msg_st##bits(sip_handle handle, uint32_t offset,                        \
                                        uint##bits##_t value) {                                    \
        __builtin_memcpy(sip_payload(handle) + offset, &value, sizeof value);                      \
    }
SIP_ACCESSORS(8)
SIP_ACCESSORS(16)
SIP_ACCESSORS(32)
SIP_ACCESSORS(64)
#define SIP_DEVICE_ACCESSORS(bits)                                                                 \
    static inline uint##bits##_t sip_device_ld##bits(sip_handle handle, uint32_t offset) {         \
        const void *at = (const uint8_t *)sip_header(handle) + offset;                             \
        uint##bits##_t value = *(const volatile uint##bits##_t *)at;                               \
        __asm__ volatile("" ::: "memory");                                                         \
        return value;                                                                              \
    }                                                                                              \
    static inline void sip_device_st##bits(sip_handle handle, uint32_t offset,                     \
                                           uint##bits##_t value) {                                 \
        void *at = (uint8_t *)sip_header(handle) + offset;                                         \
        __asm__ volatile("" ::: "memory");                                                         \
        *(volatile uint##bits##_t *)at = value;                                                    \
    }
SIP_DEVICE_ACCESSORS(8)
SIP_DEVICE_ACCESSORS(16)
SIP_DEVICE_ACCESSORS(32)
SIP_DEVICE_ACCESSORS(64)
static inline void sip_msg_read(sip_handle handle, uint32_t offset, void *to, uint32_t bytes) {
    __builtin_memcpy(to, sip_payload(handle) + offset, bytes);
}
static inline void sip_msg_write(sip_handle handle, uint32_t offset, const void *from,
                                 uint32_t bytes) {
    __builtin_memcpy(sip_payload(handle) + offset, from, bytes);
}

#endif
