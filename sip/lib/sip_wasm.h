/* The SIP library's lowest level for checked and masked code: imports that the run-time checks. */
#ifndef BULKHEAD_SIP_WASM_H
#define BULKHEAD_SIP_WASM_H

#include "sip/toolchain/imports.h"

static inline int64_t sip_call_self(void) { return sip_import_self(); }
static inline int64_t sip_call_yield(void) { return sip_import_yield(); }
static inline int64_t sip_call_exit(int64_t status) { return sip_import_exit(status); }
static inline int64_t sip_call_print(const char *text, uint32_t bytes) {
    return sip_import_print(text, bytes);
}
static inline int64_t sip_call_param(const char *name, uint32_t bytes, int64_t fallback) {
    return sip_import_param(name, bytes, fallback);
}
static inline int64_t sip_call_endpoint(const char *name, uint32_t bytes) {
    return sip_import_endpoint(name, bytes);
}
static inline int64_t sip_call_events(struct abi_events *events) {
    return sip_import_events(events);
}
static inline int64_t sip_call_report(struct abi_report *report) {
    return sip_import_report(report);
}
static inline int64_t sip_call_block_alloc(uint32_t bytes, sip_endpoint endpoint) {
    return sip_import_block_alloc(bytes, endpoint);
}
static inline int64_t sip_call_pages_alloc(uint32_t pages) { return sip_import_pages_alloc(pages); }
static inline int64_t sip_call_wait(const sip_endpoint *endpoints, uint32_t count) {
    return sip_import_wait(endpoints, count);
}
static inline int64_t sip_call_channel_create(const char *name, uint32_t bytes) {
    return sip_import_channel_create(name, bytes);
}
static inline int64_t sip_call_close(sip_endpoint endpoint) { return sip_import_close(endpoint); }
static inline int64_t sip_call_sip_create(const char *name, uint32_t bytes) {
    return sip_import_sip_create(name, bytes);
}
static inline int64_t sip_call_sip_give(sip_child child, sip_endpoint endpoint, const char *name,
                                        uint32_t bytes) {
    return sip_import_sip_give(child, endpoint, name, bytes);
}
static inline int64_t sip_call_sip_start(sip_child child) { return sip_import_sip_start(child); }
static inline int64_t sip_call_sip_wait(sip_child child) { return sip_import_sip_wait(child); }
static inline int64_t sip_call_sip_kill(sip_child child) { return sip_import_sip_kill(child); }
static inline int64_t sip_call_calibrate(uint32_t primitive) {
    return sip_import_calibrate(primitive);
}
static inline int64_t sip_call_device(uint32_t part) { return sip_import_device(part); }
static inline int64_t sip_call_irq_wait(uint32_t source) { return sip_import_irq_wait(source); }
static inline int64_t sip_call_block_free(sip_handle handle) {
    return sip_import_block_free(handle);
}
static inline int64_t sip_call_send(sip_endpoint endpoint, sip_handle handle, uint32_t type,
                                    uint32_t bytes) {
    return sip_import_send(endpoint, handle, type, bytes);
}
static inline int64_t sip_call_recv(sip_endpoint endpoint, uint32_t flags) {
    return sip_import_recv(endpoint, flags);
}
static inline int64_t sip_call_fail(const char *text, uint32_t bytes) {
    return sip_import_fail(text, bytes);
}
static inline uint64_t sip_clock(void) { return sip_import_time_now(); }
static inline uint64_t sip_clock_bare(void) { return sip_import_time_bare(); }
static inline uint64_t sip_atomic_add(uint64_t *word, uint64_t value) {
    return sip_import_atomic_add(word, value);
}
static inline uint64_t sip_atomic_compare_exchange(uint64_t *word, uint64_t expected,
                                                   uint64_t wanted) {
    return sip_import_atomic_compare_exchange(word, expected, wanted);
}

static inline uint64_t sip_message_word(sip_handle handle) {
    return sip_import_message_word(handle);
}
static inline void sip_message_set_word(sip_handle handle, uint64_t word) {
    sip_import_message_set_word(handle, word);
}
static inline uint32_t sip_message_bytes(sip_handle handle) {
    return sip_import_message_bytes(handle);
}
#define SIP_ACCESSORS(bits)                                                                        \
    static inline uint##bits##_t sip_msg_ld##bits(sip_handle handle, uint32_t offset) {            \
        return (uint##bits##_t)sip_import_load##bits(handle, offset);                              \
    }                                                                                              \
    static inline void sip_msg_st##bits(sip_handle handle, uint32_t offset,                        \
                                        uint##bits##_t value) {                                    \
        sip_import_store##bits(handle, offset, value);                                             \
    }
SIP_ACCESSORS(8)
SIP_ACCESSORS(16)
SIP_ACCESSORS(32)
SIP_ACCESSORS(64)
#define SIP_DEVICE_ACCESSORS(bits)                                                                 \
    static inline uint##bits##_t sip_device_ld##bits(sip_handle handle, uint32_t offset) {         \
        return (uint##bits##_t)sip_import_device_load##bits(handle, offset);                       \
    }                                                                                              \
    static inline void sip_device_st##bits(sip_handle handle, uint32_t offset,                     \
                                           uint##bits##_t value) {                                 \
        sip_import_device_store##bits(handle, offset, value);                                      \
    }
SIP_DEVICE_ACCESSORS(8)
SIP_DEVICE_ACCESSORS(16)
SIP_DEVICE_ACCESSORS(32)
SIP_DEVICE_ACCESSORS(64)
static inline void sip_msg_read(sip_handle handle, uint32_t offset, void *to, uint32_t bytes) {
    sip_import_read(handle, offset, to, bytes);
}
static inline void sip_msg_write(sip_handle handle, uint32_t offset, const void *from,
                                 uint32_t bytes) {
    sip_import_write(handle, offset, from, bytes);
}

#endif
