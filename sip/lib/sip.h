/*
 * The SIP library: what a SIP may call, the same for every safety kind. In unchecked code these are
 * calls through the table of functions that the kernel gave; in checked and masked code they are
 * imports that the run-time checks and passes on. Errors are the negative values of enum abi_error.
 *
 * Messages are blocks of the exchange heap, named by handles. Payload offsets count from 0 after the
 * block's struct abi_message.
 */
#ifndef BULKHEAD_SIP_LIB_H
#define BULKHEAD_SIP_LIB_H

#include "guest-kernel/result.h"
#include "sip/abi.h"
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

typedef uint32_t sip_handle;   /* of a block; 0: none */
typedef uint32_t sip_endpoint; /* of a channel; 0: none */
typedef uint32_t sip_child;    /* a SIP that this one created; 0: none */

struct sip_ends { /* of a channel that this SIP created; both 0: none */
    sip_endpoint client, server;
};

struct sip_message {   /* what sip_recv returns */
    sip_handle handle; /* 0: none, see error */
    uint32_t type;
    int64_t error; /* enum abi_error */
};

/* The SIP itself. What it returns is its exit status: anything but 0 fails the run. */
int sip_main(void);

#ifdef __wasm__
#include "sip_wasm.h"
#else
#include "sip_native.h"
#endif

/* ---- the same for all kinds ---- */

static inline struct sip_message sip_message_from(int64_t got) {
    if (got < 0)
        return (struct sip_message){.error = got};
    return (struct sip_message){.handle = (uint32_t)got, .type = (uint32_t)(got >> 32)};
}

/* Waits for a message and becomes the owner of its block. */
static inline struct sip_message sip_recv(sip_endpoint endpoint) {
    return sip_message_from(sip_call_recv(endpoint, 0));
}
/* As sip_recv, but returns ABI_EEMPTY instead of waiting. */
static inline struct sip_message sip_poll(sip_endpoint endpoint) {
    return sip_message_from(sip_call_recv(endpoint, ABI_RECV_POLL));
}
/* Gives the block away. On an error other than ABI_OK it is still the caller's. */
static inline int64_t sip_send(sip_endpoint endpoint, sip_handle handle, uint32_t type,
                               uint32_t bytes) {
    return sip_call_send(endpoint, handle, type, bytes);
}
/*
 * The same for a block that came on another channel, from whose heap this one may not take blocks: then
 * a copy goes and the block is freed.
 */
int64_t sip_pass_on(sip_endpoint endpoint, sip_handle handle, uint32_t type, uint32_t bytes);
static inline uint32_t sip_zero_if_error(int64_t value) { return value < 0 ? 0 : (uint32_t)value; }

/* A cleared block with room for `bytes` of payload, or 0. */
static inline sip_handle sip_block(uint32_t bytes) {
    return sip_zero_if_error(sip_call_block_alloc(bytes, 0));
}
/* The same, for messages on this channel: where its blocks are in a heap of its own, from that one. */
static inline sip_handle sip_block_for(sip_endpoint endpoint, uint32_t bytes) {
    return sip_zero_if_error(sip_call_block_alloc(bytes, endpoint));
}
/* Cleared pages that are this SIP's own and are never sent, as a block; 0: no memory. Payload access
   starts 16 bytes into the first page, as with any block. */
static inline sip_handle sip_pages(uint32_t pages) {
    return sip_zero_if_error(sip_call_pages_alloc(pages));
}
/* Waits until one of the channels has a message or is closed; its index, or an error. */
static inline int64_t sip_wait_any(const sip_endpoint *endpoints, uint32_t count) {
    return sip_call_wait(endpoints, count);
}
static inline int64_t sip_close(sip_endpoint endpoint) { return sip_call_close(endpoint); }
static inline int64_t sip_start(sip_child child) { return sip_call_sip_start(child); }
/* Waits for the end of a child: its exit status, or ABI_FAULTED | enum abi_trap. */
static inline int64_t sip_wait(sip_child child) { return sip_call_sip_wait(child); }
static inline int64_t sip_kill(sip_child child) { return sip_call_sip_kill(child); }
static inline int64_t sip_block_free(sip_handle handle) { return sip_call_block_free(handle); }
static inline uint32_t sip_self(void) { return (uint32_t)sip_call_self(); }
static inline void sip_yield(void) { sip_call_yield(); }

/*
 * The device of this SIP: its registers, and memory that it shares, as blocks of this SIP's own; 0: it has
 * none. Both are accessed by
 *   uint32_t sip_device_ld32(sip_handle handle, uint32_t offset);
 *   void sip_device_st32(sip_handle handle, uint32_t offset, uint32_t value);
 * and the like for 8, 16 and 64 bits: one access as it is written, naturally aligned, `offset` bytes from
 * the start of the block. What was stored before such a store is seen by the device before it. The memory
 * also takes sip_msg_read() and the others, whose offsets begin 16 bytes further on.
 */
static inline sip_handle sip_device_registers(void) {
    return sip_zero_if_error(sip_call_device(ABI_DEVICE_REGISTERS));
}
static inline sip_handle sip_device_memory(void) {
    return sip_zero_if_error(sip_call_device(ABI_DEVICE_MEMORY));
}
/* Where that memory is to the device. */
static inline int64_t sip_device_address(void) { return sip_call_device(ABI_DEVICE_ADDRESS); }
/* Waits for an interrupt, see enum abi_irq. */
static inline int64_t sip_irq_wait(enum abi_irq source) {
    return sip_call_irq_wait((uint32_t)source);
}

/* Ends the whole run as failed, with a sentence: an oracle did not hold. */
void sip_fail(const char *text) __attribute__((noreturn));
void sip_print(const char *text);
/* A parameter of the workload, or one of warmup, batch, samples, seed. */
int64_t sip_param(const char *name, int64_t fallback);
/*
 * This SIP's end of a channel; fails the run when the workload does not connect it. After a peer was
 * started again, the same name leads to the new channel.
 */
sip_endpoint sip_channel(const char *name);
/* A channel of a dynamic kind of the workload, both ends here. */
struct sip_ends sip_channel_create(const char *name);
/* A SIP from a template of the workload, not yet running; 0: not possible. */
sip_child sip_create(const char *name);
/* Gives it an end, which it finds by sip_channel(name). */
int64_t sip_give(sip_child child, sip_endpoint endpoint, const char *name);
/*
 * A second thread: entry(argument) on `bytes` of stack; when entry returns, the thread ends. Checked
 * code uses the memory for its own stack and gets a native one besides.
 */
int64_t sip_thread(void (*entry)(uint32_t), uint32_t argument, void *stack, uint32_t bytes);

/*
 * One step on an aligned word of this SIP's memory, as all its threads see it: adds to the word, or puts
 * `wanted` there if it is `expected`. Returns what was there before.
 *   uint64_t sip_atomic_add(uint64_t *word, uint64_t value);
 *   uint64_t sip_atomic_compare_exchange(uint64_t *word, uint64_t expected, uint64_t wanted);
 * The clock, fenced and not:
 *   uint64_t sip_clock(void);
 *   uint64_t sip_clock_bare(void);
 */

/*
 * The oracle of messages. sip_fill writes `bytes` of payload that depend on the seed; sip_checksum
 * adds payload up (order-sensitive), so that any wrong, missing or swapped byte changes it.
 */
void sip_fill(sip_handle handle, uint32_t bytes, uint64_t seed);
uint64_t sip_checksum(sip_handle handle, uint32_t bytes);

#endif
