/*
 * Where assembly finds things: offsets in struct thread and struct cpu, checked by thread.c. Code that
 * is composed or copied names kernel variables by their absolute addresses, which fit 32 bits signed.
 */
#ifndef BULKHEAD_OFFSETS_H
#define BULKHEAD_OFFSETS_H

#define THREAD_RSP 0
#define THREAD_ROOT 8
#define THREAD_KSTACK_TOP 16
#define THREAD_USER_ROOT 24
#define THREAD_DOMAIN 32
#define THREAD_FPU 40
#define THREAD_SSP 48
#define THREAD_FLUSHES 56
#define THREAD_PKRU 64
#define THREAD_ENTRY 68
#define THREAD_CET 72

#define CPU_USER_RSP 0
#define CPU_STACK_LIMIT 8
#define CPU_KERNEL_ROOT 16
#define CPU_USER_ROOT 24
#define CPU_SAFE_ROOT 32
#define CPU_LAST_RING3 40
#define CPU_SCRATCH 48 /* two */
#define CPU_IRET 64    /* five */
#define CPU_SELECTOR 104

#define OFFSET_TEXT_(x) #x
#define OFFSET_TEXT(x) OFFSET_TEXT_(x) /* for code in strings */

#endif
