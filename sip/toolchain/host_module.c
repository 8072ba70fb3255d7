/*
 * One module inside a host program: SIP_FUNCTION(argument) makes a fresh instance of it and calls its
 * export SIP_NAME. Linear memory keeps what the last call left there, but for initialised data.
 */
#define SIP_JOIN_(a, b) a##b
#define SIP_JOIN(a, b) SIP_JOIN_(a, b)
#define SIP_CALL SIP_JOIN(Z_imageZ_, SIP_NAME)

struct Z_image_instance_t;
#define SIP_EXPORTS static unsigned SIP_CALL(struct Z_image_instance_t *, unsigned);

#include "module.h"

u32 SIP_FUNCTION(u32 argument);
u32 SIP_FUNCTION(u32 argument) {
    sip_module_start();
    return SIP_CALL(SIP_FIRST_INSTANCE, argument);
}
