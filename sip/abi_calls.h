/*
 * The calls, in the order of their numbers; also read by assembly. X(name, number of arguments).
 * Each takes and returns 64-bit words; a negative return is an enum abi_error. Names are given with
 * their length and need no NUL.
 *
 * The SIP and its run
 *   self()                          this SIP's number
 *   yield()                         lets another runnable thread go first
 *   exit(status)                    ends this SIP; does not return
 *   trap(kind, address)             ends this SIP as faulted (enum abi_trap); does not return
 *   print(text, bytes)              to the console
 *   param(name, bytes, fallback)    a workload parameter or setting, or `fallback`
 *   events(events)                  copies the counters out
 *   report(report)                  hands in a measurement
 *   fail(text, bytes)               ends the whole run as failed: an oracle did not hold
 * Blocks
 *   block_alloc(bytes, endpoint)    a handle of a cleared block with room for `bytes` of payload;
 *                                   `endpoint`: where it will be sent, 0 if that does not matter
 *   pages_alloc(pages)              as block_alloc, but whole pages of this SIP's own, never sent
 *   block_free(handle)              either kind
 * Channels
 *   endpoint(name, bytes)           this SIP's newest open end of the channel of that name
 *   send(endpoint, handle, type, bytes)  gives the block away; never blocks, never allocates
 *   recv(endpoint, flags)           handle | type << 32; blocks until there is one
 *   wait(endpoints, count)          blocks until one of uint32_t[count] has a message or is closed;
 *                                   its index
 *   channel_create(name, bytes)     a channel of a dynamic kind: client's end | server's end << 32
 *   close(endpoint)
 * Other SIPs; needs PLAN_RIGHT_CREATE
 *   sip_create(name, bytes)         a handle of a new SIP made from a template, not yet running
 *   sip_give(sip, endpoint, name, bytes)  gives it an end before it starts
 *   sip_start(sip)
 *   sip_wait(sip)                   blocks until it has ended: its exit status, or ABI_FAULTED | kind;
 *                                   the handle is gone then
 *   sip_kill(sip)                   ends it; needs PLAN_RIGHT_KILL
 * Threads of this SIP
 *   thread_create(entry, argument, stack, bytes)  starts entry(argument) on memory of this SIP
 *   thread_exit()                   does not return
 * Calibration; needs PLAN_RIGHT_CALIBRATE
 *   calibrate(number)               measures a primitive of guest-kernel/primitives.h and reports it;
 *                                   ABI_ENOENT past the last one
 * The device; only for the SIP that has one
 *   device(part)                    enum abi_device: a handle, never sent, or the physical address
 *   irq_wait(source)                enum abi_irq: blocks until the interrupt has come; the clock when the
 *                                   processor sent it to itself, else 0
 */
#ifndef BULKHEAD_ABI_CALLS_H
#define BULKHEAD_ABI_CALLS_H

#define ABI_CALLS(X)                                                                               \
    X(self, 0)                                                                                     \
    X(yield, 0)                                                                                    \
    X(exit, 1)                                                                                     \
    X(print, 2)                                                                                    \
    X(param, 3)                                                                                    \
    X(endpoint, 2)                                                                                 \
    X(events, 1)                                                                                   \
    X(report, 1)                                                                                   \
    X(block_alloc, 2)                                                                              \
    X(block_free, 1)                                                                               \
    X(send, 4)                                                                                     \
    X(recv, 2)                                                                                     \
    X(fail, 2)                                                                                     \
    X(trap, 2)                                                                                     \
    X(pages_alloc, 1)                                                                              \
    X(wait, 2)                                                                                     \
    X(channel_create, 2)                                                                           \
    X(close, 1)                                                                                    \
    X(sip_create, 2)                                                                               \
    X(sip_give, 4)                                                                                 \
    X(sip_start, 1)                                                                                \
    X(sip_wait, 1)                                                                                 \
    X(sip_kill, 1)                                                                                 \
    X(thread_create, 4)                                                                            \
    X(thread_exit, 0)                                                                              \
    X(calibrate, 1)                                                                                \
    X(device, 1)                                                                                   \
    X(irq_wait, 1)

#endif
