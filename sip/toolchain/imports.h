/*
 * The outside world of checked and masked SIPs, as their C code sees it: included by sip.h when the
 * target is WebAssembly. The kernel calls take and return what sip/abi.h says. Calls on messages do
 * not fail: a handle that is stale or an offset outside of the block ends the SIP.
 */
#ifndef BULKHEAD_IMPORTS_H
#define BULKHEAD_IMPORTS_H

#include "sip/abi.h"

#define SIP_IMPORT(name) __attribute__((import_module("sip"), import_name(#name)))

SIP_IMPORT(self) int64_t sip_import_self(void);
SIP_IMPORT(yield) int64_t sip_import_yield(void);
SIP_IMPORT(exit) int64_t sip_import_exit(int64_t status); /* does not return */
SIP_IMPORT(print) int64_t sip_import_print(const char *text, uint64_t bytes);
SIP_IMPORT(param) int64_t sip_import_param(const char *name, uint64_t bytes, int64_t fallback);
SIP_IMPORT(endpoint) int64_t sip_import_endpoint(const char *name, uint64_t bytes);
SIP_IMPORT(events) int64_t sip_import_events(struct abi_events *events);
SIP_IMPORT(report) int64_t sip_import_report(const struct abi_report *report);
SIP_IMPORT(pages_alloc) int64_t sip_import_pages_alloc(uint64_t pages);
SIP_IMPORT(wait) int64_t sip_import_wait(const uint32_t *endpoints, uint64_t count);
SIP_IMPORT(channel_create)
int64_t sip_import_channel_create(const char *name, uint64_t bytes);
SIP_IMPORT(close) int64_t sip_import_close(uint64_t endpoint);
SIP_IMPORT(sip_create) int64_t sip_import_sip_create(const char *name, uint64_t bytes);
SIP_IMPORT(sip_give)
int64_t sip_import_sip_give(uint64_t sip, uint64_t endpoint, const char *name, uint64_t bytes);
SIP_IMPORT(sip_start) int64_t sip_import_sip_start(uint64_t sip);
SIP_IMPORT(sip_wait) int64_t sip_import_sip_wait(uint64_t sip);
SIP_IMPORT(sip_kill) int64_t sip_import_sip_kill(uint64_t sip);
SIP_IMPORT(calibrate) int64_t sip_import_calibrate(uint64_t primitive);
SIP_IMPORT(block_alloc) int64_t sip_import_block_alloc(uint64_t bytes, uint64_t endpoint);
SIP_IMPORT(block_free) int64_t sip_import_block_free(uint64_t handle);
SIP_IMPORT(send)
int64_t sip_import_send(uint64_t endpoint, uint64_t handle, uint64_t type, uint64_t bytes);
SIP_IMPORT(recv) int64_t sip_import_recv(uint64_t endpoint, uint64_t flags);
SIP_IMPORT(fail) int64_t sip_import_fail(const char *text, uint64_t bytes);
/* Runs entry(argument) on a native stack of the image; the entry sets its own stack pointer. */
SIP_IMPORT(thread_create)
int64_t sip_import_thread_create(void (*entry)(uint32_t), uint32_t argument);

SIP_IMPORT(device) int64_t sip_import_device(uint64_t part);
SIP_IMPORT(irq_wait) int64_t sip_import_irq_wait(uint64_t source);

/* The header of an owned block: bytes of payload that were sent, and the sender's word. */
SIP_IMPORT(message_bytes) uint32_t sip_import_message_bytes(uint32_t handle);
SIP_IMPORT(message_word) uint64_t sip_import_message_word(uint32_t handle);
SIP_IMPORT(message_set_word) void sip_import_message_set_word(uint32_t handle, uint64_t word);

/* One field of the payload at `offset` bytes, aligned or not. */
SIP_IMPORT(load8) uint32_t sip_import_load8(uint32_t handle, uint32_t offset);
SIP_IMPORT(load16) uint32_t sip_import_load16(uint32_t handle, uint32_t offset);
SIP_IMPORT(load32) uint32_t sip_import_load32(uint32_t handle, uint32_t offset);
SIP_IMPORT(load64) uint64_t sip_import_load64(uint32_t handle, uint32_t offset);
SIP_IMPORT(store8) void sip_import_store8(uint32_t handle, uint32_t offset, uint32_t value);
SIP_IMPORT(store16) void sip_import_store16(uint32_t handle, uint32_t offset, uint32_t value);
SIP_IMPORT(store32) void sip_import_store32(uint32_t handle, uint32_t offset, uint32_t value);
SIP_IMPORT(store64) void sip_import_store64(uint32_t handle, uint32_t offset, uint64_t value);

/* Copies between the payload at `offset` and the SIP's own memory. */
SIP_IMPORT(read)
void sip_import_read(uint32_t handle, uint32_t offset, void *to, uint32_t bytes);
SIP_IMPORT(write)
void sip_import_write(uint32_t handle, uint32_t offset, const void *from, uint32_t bytes);

/* One access to a block that a device changes too, at `offset` bytes from its start. */
SIP_IMPORT(device_load8) uint32_t sip_import_device_load8(uint32_t handle, uint32_t offset);
SIP_IMPORT(device_load16) uint32_t sip_import_device_load16(uint32_t handle, uint32_t offset);
SIP_IMPORT(device_load32) uint32_t sip_import_device_load32(uint32_t handle, uint32_t offset);
SIP_IMPORT(device_load64) uint64_t sip_import_device_load64(uint32_t handle, uint32_t offset);
SIP_IMPORT(device_store8)
void sip_import_device_store8(uint32_t handle, uint32_t offset, uint32_t value);
SIP_IMPORT(device_store16)
void sip_import_device_store16(uint32_t handle, uint32_t offset, uint32_t value);
SIP_IMPORT(device_store32)
void sip_import_device_store32(uint32_t handle, uint32_t offset, uint32_t value);
SIP_IMPORT(device_store64)
void sip_import_device_store64(uint32_t handle, uint32_t offset, uint64_t value);

/* The time-stamp counter, fenced on both sides, and as it is. */
SIP_IMPORT(time_now) uint64_t sip_import_time_now(void);
SIP_IMPORT(time_bare) uint64_t sip_import_time_bare(void);

/* One step on an aligned word of the SIP's memory: what was there before. A word that is not ends the
   SIP. */
SIP_IMPORT(atomic_add) uint64_t sip_import_atomic_add(uint64_t *word, uint64_t value);
SIP_IMPORT(atomic_compare_exchange)
uint64_t sip_import_atomic_compare_exchange(uint64_t *word, uint64_t expected, uint64_t wanted);

#endif
