/* The parts of the library that are not inlined: text, parameters, and the oracle of messages. */
#include "sip.h"
#include <string.h>

void sip_fail(const char *text) {
    sip_call_fail(text, (uint32_t)strlen(text));
    __builtin_trap();
}

void sip_print(const char *text) { sip_call_print(text, (uint32_t)strlen(text)); }

int64_t sip_param(const char *name, int64_t fallback) {
    return sip_call_param(name, (uint32_t)strlen(name), fallback);
}

sip_endpoint sip_channel(const char *name) {
    int64_t endpoint = sip_call_endpoint(name, (uint32_t)strlen(name));
    if (endpoint < 0)
        sip_fail("the workload does not give this SIP the channel that it asks for");
    return (sip_endpoint)endpoint;
}

struct sip_ends sip_channel_create(const char *name) {
    int64_t ends = sip_call_channel_create(name, (uint32_t)strlen(name));
    if (ends < 0)
        return (struct sip_ends){0, 0};
    return (struct sip_ends){(sip_endpoint)ends, (sip_endpoint)(ends >> 32)};
}

sip_child sip_create(const char *name) {
    return sip_zero_if_error(sip_call_sip_create(name, (uint32_t)strlen(name)));
}

int64_t sip_give(sip_child child, sip_endpoint endpoint, const char *name) {
    return sip_call_sip_give(child, endpoint, name, (uint32_t)strlen(name));
}

/* xorshift64*, Vigna 2016: cheap and without short periods. */
static uint64_t random_step(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

void sip_fill(sip_handle handle, uint32_t bytes, uint64_t seed) {
    uint64_t state = seed * 2 + 1;
    uint32_t at = 0;
    for (; at + 8 <= bytes; at += 8)
        sip_msg_st64(handle, at, random_step(&state));
    for (; at < bytes; at++)
        sip_msg_st8(handle, at, (uint8_t)(random_step(&state) >> 56));
}

uint64_t sip_checksum(sip_handle handle, uint32_t bytes) {
    uint64_t sum = 0xcbf29ce484222325ull ^ bytes; /* FNV-1a, eight bytes a step */
    uint32_t at = 0;
    for (; at + 8 <= bytes; at += 8)
        sum = (sum ^ sip_msg_ld64(handle, at)) * 0x100000001b3ull;
    for (; at < bytes; at++)
        sum = (sum ^ sip_msg_ld8(handle, at)) * 0x100000001b3ull;
    return sum;
}

int64_t sip_pass_on(sip_endpoint endpoint, sip_handle handle, uint32_t type, uint32_t bytes) {
    uint8_t piece[512];
    int64_t error = sip_send(endpoint, handle, type, bytes);
    if (error != ABI_EINVAL)
        return error;
    sip_handle copy = sip_block_for(endpoint, bytes);
    if (!copy)
        return ABI_ENOMEM;
    sip_message_set_word(copy, sip_message_word(handle));
    for (uint32_t at = 0; at < bytes; at += sizeof piece) {
        uint32_t count = bytes - at < sizeof piece ? bytes - at : (uint32_t)sizeof piece;
        sip_msg_read(handle, at, piece, count);
        sip_msg_write(copy, at, piece, count);
    }
    error = sip_send(endpoint, copy, type, bytes);
    sip_block_free(error ? copy : handle);
    return error;
}
