/* The run-time of checked code in a host process: traps unwind to the caller of sip_host_run(). */
#include "host_runtime.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

struct abi_slot sip_slots[ABI_SLOTS] __attribute__((aligned(4096)));
uint64_t sip_stack_limit;
static jmp_buf trapped;

static int64_t host_print(uint64_t text, uint64_t bytes, uint64_t c, uint64_t d) {
    (void)c, (void)d;
    fwrite((const void *)(uintptr_t)text, 1, bytes, stdout);
    return ABI_OK;
}

static int64_t host_refuse(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    (void)a, (void)b, (void)c, (void)d;
    fprintf(stderr, "a kernel call that a host process does not have: run this in the guest\n");
    exit(3);
}

static const abi_function host_calls[ABI_CALL_COUNT] = {
    [0 ... ABI_print - 1] = host_refuse,
    [ABI_print] = host_print,
    [ABI_print + 1 ... ABI_CALL_COUNT - 1] = host_refuse,
};
const abi_function *sip_calls = host_calls;

void sip_trap(uint32_t kind) { longjmp(trapped, (int)kind); }

uint32_t sip_host_run(uint32_t (*function)(uint32_t), uint32_t argument, uint64_t stack_bytes,
                      uint32_t *result) {
    sip_stack_limit = (uint64_t)(uintptr_t)__builtin_frame_address(0) - stack_bytes;
    int kind = setjmp(trapped);
    if (kind == 0)
        *result = function(argument);
    return (uint32_t)kind;
}
