/* Threads of checked and masked code, whose other half is sip/toolchain/threads.h. */
#include "sip.h"

struct thread_start { /* at the top of the new thread's stack in linear memory */
    void (*entry)(uint32_t argument);
    uint32_t argument;
};

static __attribute__((noinline)) void thread_run(const struct thread_start *start) {
    start->entry(start->argument);
}

/* Must not use the stack itself: it still has the stack pointer of the first thread. */
static void thread_entry(uint32_t start) {
    __asm__ volatile(".globaltype __stack_pointer, i32\n\t"
                     "local.get %0\n\t"
                     "global.set __stack_pointer"
                     :
                     : "r"(start));
    thread_run((const struct thread_start *)start);
}

int64_t sip_thread(void (*entry)(uint32_t), uint32_t argument, void *stack, uint32_t bytes) {
    uint32_t top = ((uint32_t)stack + bytes - (uint32_t)sizeof(struct thread_start)) & ~15u;
    if (bytes < sizeof(struct thread_start) || top < (uint32_t)stack)
        return ABI_EINVAL;
    struct thread_start *start = (struct thread_start *)top;
    *start = (struct thread_start){entry, argument};
    return sip_import_thread_create(thread_entry, top);
}
