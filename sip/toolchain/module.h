/*
 * Includes the generated C of one module between what it needs before and after. All of it is local to
 * the including file: sip_module_start() makes the first thread's instance ready, and an export can
 * be called as Z_imageZ_NAME(SIP_FIRST_INSTANCE, ...) if SIP_EXPORTS declares it static. The command
 * line names the files: SIP_CONSTANTS, SIP_HEADER, SIP_GENERATED.
 */
#ifndef BULKHEAD_MODULE_H
#define BULKHEAD_MODULE_H

#include SIP_CONSTANTS

#include "runtime.h"

#include "prelude.h"
#include "host.h"

struct Z_image_instance_t;
static void Z_image_init_module(void);
static void Z_image_free(struct Z_image_instance_t *);
static wasm_rt_memory_t *Z_imageZ_memory(struct Z_image_instance_t *);
#if SIP_HAS_IMPORTS
static void Z_image_instantiate(struct Z_image_instance_t *, struct Z_sip_instance_t *);
#else
static void Z_image_instantiate(struct Z_image_instance_t *);
#endif
SIP_EXPORTS /* declarations of the functions that the rules make the module export */

#include SIP_HEADER

#if SIP_THREADS == 1

    static Z_image_instance_t sip_instance;
#define SIP_FIRST_INSTANCE (&sip_instance)
#define SIP_FIRST_STATE 0
#define SIP_INSTANCE SIP_FIRST_INSTANCE
#define SIP_STACK_LIMIT sip_stack_limit

#else

    typedef void (*sip_thread_function)(Z_image_instance_t *, u32);

static struct sip_thread {
    Z_image_instance_t instance; /* first: generated code knows its thread by this address */
    struct Z_sip_instance_t state;
    u64 stack_limit;
    sip_thread_function entry;
    u32 argument;
    bool taken; /* all else belongs to who set it */
} sip_threads[SIP_THREADS];
#define SIP_FIRST_INSTANCE (&sip_threads[0].instance)
#define SIP_FIRST_STATE (&sip_threads[0].state)
#define SIP_INSTANCE instance /* the parameter of every generated function */
#define SIP_STACK_LIMIT (((const struct sip_thread *)instance)->stack_limit)

static struct Z_sip_instance_t *sip_thread_state(u32 number) { return &sip_threads[number].state; }

#endif

#include SIP_GENERATED

#include "threads.h"

#endif
