/*
 * The run-time of a checked or masked image: entry, trap, and the memory functions that compilers
 * call. Freestanding; the checks themselves are in prelude.h and host.h.
 */
#include "runtime.h"
#include "trap.h"

#include <stddef.h>

const abi_function *sip_calls;
struct abi_slot sip_slots[ABI_SLOTS] __attribute__((aligned(4096)));
uint64_t sip_stack_limit;

extern const uint64_t sip_note_stack_bytes; /* in the note, see sip.ld */

void sip_trap(uint32_t kind) {
    const char *next = __builtin_return_address(0); /* may be the start of another function */
    sip_calls[ABI_trap](kind, (uint64_t)(uintptr_t)(next - 1), 0, 0);
    __builtin_unreachable();
}

/* Called once, at the top of a stack of the size that the note asks for. */
void sip_entry(const abi_function *calls) {
    uint64_t top = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    sip_calls = calls;
    sip_stack_limit = top - sip_note_stack_bytes + SIP_STACK_SLACK_BYTES;
    calls[ABI_exit]((uint64_t)(int64_t)sip_image_run(), 0, 0, 0);
    __builtin_unreachable();
}

/* Below this many bytes, starting the processor's string unit costs more than a loop. */
#define STRING_UNIT_BYTES 128

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    unsigned char *target = to;
    const unsigned char *source = from;
    if (bytes >= STRING_UNIT_BYTES) {
        size_t words = bytes / 8;
        bytes %= 8;
        __asm__ volatile("rep movsq" : "+D"(target), "+S"(source), "+c"(words)::"memory");
    }
    for (; bytes >= 8; bytes -= 8, target += 8, source += 8) {
        uint64_t word;
        __builtin_memcpy(&word, source, 8);
        __builtin_memcpy(target, &word, 8);
    }
    while (bytes--)
        *target++ = *source++;
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    unsigned char *target = to;
    const unsigned char *source = from;
    if ((uintptr_t)to - (uintptr_t)from >= bytes)
        return memcpy(to, from, bytes);
    while (bytes >= 8) {
        uint64_t word;
        bytes -= 8;
        __builtin_memcpy(&word, source + bytes, 8);
        __builtin_memcpy(target + bytes, &word, 8);
    }
    while (bytes--)
        target[bytes] = source[bytes];
    return to;
}

void *memset(void *to, int value, size_t bytes) {
    unsigned char *target = to;
    uint64_t word = (uint8_t)value * 0x0101010101010101u;
    if (bytes >= STRING_UNIT_BYTES) {
        size_t words = bytes / 8;
        bytes %= 8;
        __asm__ volatile("rep stosq" : "+D"(target), "+c"(words) : "a"(word) : "memory");
    }
    for (; bytes >= 8; bytes -= 8, target += 8)
        __builtin_memcpy(target, &word, 8);
    while (bytes--)
        *target++ = (unsigned char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < bytes; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}
