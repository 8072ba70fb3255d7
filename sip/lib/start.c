/* Entry of an unchecked SIP, and the table that the kernel keeps in its image. */
#include "sip.h"

const abi_function *sip_calls;
struct abi_slot sip_slots[ABI_SLOTS] __attribute__((aligned(4096)));

void sip_entry(const abi_function *calls) __attribute__((noreturn, used));

void sip_entry(const abi_function *calls) {
    sip_calls = calls;
    sip_call_exit(sip_main());
    __builtin_trap();
}

struct thread_start { /* at the top of the new thread's stack */
    void (*entry)(uint32_t argument);
    uint32_t argument;
};

static void thread_entry(const struct thread_start *start) {
    start->entry(start->argument);
    SIP_CALL0(ABI_thread_exit);
    __builtin_trap();
}

int64_t sip_thread(void (*entry)(uint32_t), uint32_t argument, void *stack, uint32_t bytes) {
    if (bytes < sizeof(struct thread_start))
        return ABI_EINVAL;
    uint32_t room = (bytes - (uint32_t)sizeof(struct thread_start)) & ~15u;
    struct thread_start *start = (struct thread_start *)((uint8_t *)stack + room);
    *start = (struct thread_start){entry, argument};
    return sip_call(ABI_thread_create, SIP_POINTER(thread_entry), SIP_POINTER(start),
                    SIP_POINTER(stack), room);
}
