/* What every file of the kernel uses: printing, panics, memory helpers, and the result region. */
#ifndef BULKHEAD_KERNEL_H
#define BULKHEAD_KERNEL_H

#include "domain-config/plan.h"
#include "guest-kernel/memlayout.h"
#include "guest-kernel/result.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Formats: %s %c %d %u %x %p, with l for 64 bits, and a width for %s %u %x. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_write(const char *text, uint64_t bytes);
void console_flush(void);                         /* until all of it has left the port */
void console_start(struct result_header *result); /* from now on also into the result's log */
/*
 * Without a host that did it: sets the serial port up for 115200 baud, 8 bits, no parity, 1 stop bit if
 * there is one, and from now on prints to the screen too.
 */
void console_start_port(void);
bool console_has_port(void);
void console_port_write(const char *text, uint64_t bytes); /* there only, lines ended by CR LF */
int console_port_read(void);                               /* a byte that came in, or -1 */
void format_text(char *to, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void format_list(char *to, size_t room, const char *format, va_list list);

/* A broken invariant of the kernel: prints, marks the run as failed, ends it. */
void panic(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
#define PANIC(...) panic(__FILE__, __LINE__, __VA_ARGS__)
#define ASSERT(expression)                                                                         \
    do {                                                                                           \
        if (!(expression))                                                                         \
            PANIC("broken invariant: %s", #expression);                                            \
    } while (0)

/* Ends the run with a verdict that the host will read. The message of the first call stays. */
void run_end(enum result_state state, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

void *memset(void *to, int byte, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
bool string_equal(const char *a, const char *b);

/* What the user's tables under KPTI map of the kernel's data. */
#define TRAMPOLINE __attribute__((section(".trampoline")))
extern uint8_t trampoline_data[], trampoline_data_end[];

/* All of physical memory is mapped at PHYS_VA. */
static inline void *phys_pointer(uint64_t pa) { return (void *)(PHYS_VA + pa); }
static inline uint64_t phys_address(const void *pointer) { return (uint64_t)pointer - PHYS_VA; }
/* Physical address of something in the kernel image. */
static inline uint64_t kernel_address(const void *pointer) { return (uint64_t)pointer - KERNEL_VA; }

static inline uint64_t round_up(uint64_t value, uint64_t unit) {
    return (value + unit - 1) & ~(unit - 1);
}

extern struct result_header *kernel_result; /* NULL until the plan is accepted */
extern const struct plan_header *kernel_plan;

extern uint8_t kernel_text[], kernel_text_end[], kernel_rodata[], kernel_rodata_end[],
    kernel_data[], kernel_end[];

#endif
