/*
 * The checked part of an image: the SIP's module and how it is run. Everything here was translated
 * from WebAssembly or is inlined into it; entry and memory functions are runtime.c.
 */
struct Z_image_instance_t;
#define SIP_EXPORTS /* not inlined, so that a crash report can name it */                          \
    static unsigned Z_imageZ_sip_main(struct Z_image_instance_t *) __attribute__((noinline));

#include "module.h"

int32_t sip_image_run(void) {
    sip_module_start();
#if SIP_THREADS > 1
    sip_threads[0].stack_limit = sip_stack_limit;
#endif
    return (int32_t)Z_imageZ_sip_main(SIP_FIRST_INSTANCE);
}
