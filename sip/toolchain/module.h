/*
 * Includes the generated C of one module between what it needs before and after. All of it is local to
 * the including file: sip_module_start() makes the instance ready, and an export can be called as
 * Z_imageZ_NAME(SIP_INSTANCE, ...) if SIP_EXPORTS declares it static. The command line names the
 * files: SIP_CONSTANTS, SIP_HEADER, SIP_GENERATED.
 */
#ifndef BULKHEAD_MODULE_H
#define BULKHEAD_MODULE_H

#include SIP_CONSTANTS

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

    static Z_image_instance_t sip_instance;
#define SIP_INSTANCE (&sip_instance)

#include SIP_GENERATED

static inline void sip_module_start(void) {
    Z_image_init_module();
#if SIP_HAS_IMPORTS
    Z_image_instantiate(SIP_INSTANCE, 0);
#else
    Z_image_instantiate(SIP_INSTANCE);
#endif
}

#endif
