/*
 * The start by multiboot2, on a machine that nobody but the boot loader looks after. What the kernel
 * does only there (a serial port to set up, a screen, results as lines of text) asks
 * multiboot_started(); how the lines look is docs/bare-metal.md's.
 */
#ifndef BULKHEAD_MULTIBOOT_H
#define BULKHEAD_MULTIBOOT_H

#include "guest-kernel/result.h"
#include <stdbool.h>
#include <stdint.h>

#define MULTIBOOT_MAGIC 0x36d76289u /* in eax, from the loader */

/*
 * Takes over what the loader says at info_pa, moves the plan to the end of the memory that the run may
 * use, and returns the physical address of a struct start_info with that memory and that plan.
 */
uint32_t multiboot_start(uint32_t info_pa);
bool multiboot_started(void);

struct multiboot_machine {
    char loader[48];   /* its name and version */
    char firmware[8];  /* who made the ACPI tables; empty if there are none */
    const char *about; /* the text that follows the plan in its module */
    uint32_t about_bytes;
};
extern struct multiboot_machine multiboot_machine;

/* At the end: shows a summary, and sends the whole result as lines over the serial port. */
void metal_report(enum result_state state, const char *message);
/* For ever: sends the lines again whenever an `r` comes in over the serial port. */
void metal_halt(void) __attribute__((noreturn));

#endif
