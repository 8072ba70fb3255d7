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
#include <stdint.h>

typedef uint32_t sip_handle;   /* of a block; 0: none */
typedef uint32_t sip_endpoint; /* of a channel; 0: none */

struct sip_message { /* what sip_recv returns */
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
/* A cleared block with room for `bytes` of payload, or 0. */
static inline sip_handle sip_block(uint32_t bytes) {
    int64_t handle = sip_call_block_alloc(bytes);
    return handle < 0 ? 0 : (sip_handle)handle;
}
static inline int64_t sip_block_free(sip_handle handle) { return sip_call_block_free(handle); }
static inline uint32_t sip_self(void) { return (uint32_t)sip_call_self(); }
static inline void sip_yield(void) { sip_call_yield(); }

/* Ends the whole run as failed, with a sentence: an oracle did not hold. */
void sip_fail(const char *text) __attribute__((noreturn));
void sip_print(const char *text);
/* A parameter of the workload, or one of warmup, batch, samples, seed. */
int64_t sip_param(const char *name, int64_t fallback);
/* This SIP's end of a channel; fails the run when the workload does not connect it. */
sip_endpoint sip_channel(const char *name);

/*
 * The oracle of messages. sip_fill writes `bytes` of payload that depend on the seed; sip_checksum
 * adds payload up (order-sensitive), so that any wrong, missing or swapped byte changes it.
 */
void sip_fill(sip_handle handle, uint32_t bytes, uint64_t seed);
uint64_t sip_checksum(sip_handle handle, uint32_t bytes);

#endif
