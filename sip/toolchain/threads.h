/*
 * Threads of checked and masked code: included after the generated C by module.h. Each thread has an
 * instance of its own, so its own globals, over the one linear memory, and a native stack from a pool
 * of the image. SIP_THREADS, the first thread included, is fixed when the image is built.
 */
#ifndef BULKHEAD_THREADS_H
#define BULKHEAD_THREADS_H

static void sip_module_start(void) {
    Z_image_init_module();
#if SIP_HAS_IMPORTS
    Z_image_instantiate(SIP_FIRST_INSTANCE, SIP_FIRST_STATE);
#else
    Z_image_instantiate(SIP_FIRST_INSTANCE);
#endif
}

#if SIP_THREADS == 1

static u64 sip_thread_start(u32 entry, u32 argument) {
    (void)entry;
    (void)argument;
    return (u64)ABI_ENOMEM;
}

#else

/* The stack on which a thread ends is the highest: the kernel refuses a stack below the thread's. */
static struct {
    u8 thread[SIP_THREADS - 1][SIP_STACK_BYTES];
    u8 end[SIP_STACK_SLACK_BYTES];
} sip_stacks __attribute__((aligned(16)));

static __attribute__((noreturn)) void sip_thread_last_call(void) {
    host_call(ABI_thread_exit, 0, 0, 0, 0);
    __builtin_unreachable();
}

/*
 * Another thread may take the stack as soon as it is marked as free, so the thread leaves it before.
 * All can share the last stack: none needs what it wrote there once the kernel has the call.
 */
static void sip_thread_end(struct sip_thread *thread) {
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "movb $0, (%1)\n\t"
                     "call %P2\n\t"
                     "ud2"
                     :
                     : "r"(sip_stacks.end + sizeof(sip_stacks.end)), "r"(&thread->taken),
                       "i"(sip_thread_last_call)
                     : "memory");
    __builtin_unreachable();
}

static void sip_thread_run(struct sip_thread *thread) {
    thread->entry(&thread->instance, thread->argument);
    sip_thread_end(thread);
}

static u64 sip_thread_start(u32 entry, u32 argument) {
#if SIP_TABLE_ENTRIES
    static const u8 parameter[] = {WASM_RT_I32};
    sip_thread_function function = (sip_thread_function)sip_function(
        sip_threads[0].instance.w2c_T0.data, entry, sip_function_type(1, 0, parameter));
    for (u32 i = 1; i < SIP_THREADS; i++) {
        struct sip_thread *thread = &sip_threads[i];
        u8 *stack = sip_stacks.thread[i - 1];
        if (__atomic_exchange_n(&thread->taken, true, __ATOMIC_ACQ_REL))
            continue;
        thread->instance = sip_threads[0].instance;
        thread->instance.Z_sip_instance = &thread->state;
        thread->state = (struct Z_sip_instance_t){0, 0};
        thread->stack_limit = (u64)(uintptr_t)stack + SIP_STACK_SLACK_BYTES;
        thread->entry = function;
        thread->argument = argument;
        u64 error = host_call(ABI_thread_create, (u64)(uintptr_t)sip_thread_run,
                              (u64)(uintptr_t)thread, (u64)(uintptr_t)stack, SIP_STACK_BYTES);
        if (error)
            thread->taken = false;
        return error;
    }
    return (u64)ABI_ENOMEM;
#else
    (void)argument;
    (void)entry;
    sip_trap(ABI_TRAP_CALL);
#endif
}

#endif
#endif
