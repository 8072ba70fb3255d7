/*
 * The device of the plan: its registers and memory for one SIP alone, and its interrupt as something that
 * this SIP waits for. The kernel knows where the device is and how to stop it, not how to drive it.
 */
#ifndef BULKHEAD_DEVICE_H
#define BULKHEAD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct sip;
struct trap_frame;

/* Finds the device that the plan wants; ends the run as unavailable where it is not. */
void device_start(void);

/* The calls device and irq_wait; see sip/abi_calls.h. */
int64_t device_take(struct sip *sip, uint64_t part);
int64_t device_wait(struct sip *sip, uint64_t source);

/* Its SIP has ended: the device is stopped, so that it writes no memory that others get. */
void device_release(const struct sip *sip);

/*
 * An interrupt. `in_sip`: it hit code of a SIP, so that the kernel's own state is in order. False: the
 * vector is nobody's. Where a thread was woken and SIPs are preempted, it does not return.
 */
bool device_interrupt(const struct trap_frame *frame, bool in_sip);

/* How much of the clock has passed while nothing could run but for the device's interrupt. */
uint64_t device_idle(void);

/* Whether a thread waits for an interrupt: then the boot thread takes its turns, and listens. */
bool device_waited_for(void);
/*
 * On the boot thread: lets an interrupt in and wakes who waits for it. Sleeps until one comes if nothing
 * else can run. False: nobody waits, or nobody is left who could want anything.
 */
bool device_listen(void);

#endif
