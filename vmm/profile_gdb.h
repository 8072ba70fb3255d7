/*
 * A guest under QEMU's debugger stub: stops it where it reads its clock, and has QEMU log what runs in
 * between. The protocol is GDB's remote serial protocol; QEMU's own commands go through it too.
 */
#ifndef BULKHEAD_PROFILE_GDB_H
#define BULKHEAD_PROFILE_GDB_H

#include "profile_trace.h"
#include "backend.h"

struct profile_gdb {
    int socket;                  /* to the stub */
    int log;                     /* read end of the pipe that QEMU logs to, non-blocking */
    struct profile_trace *trace; /* which takes what is logged */
    const volatile int *cancel;  /* gives up when it becomes non-zero; may be NULL */
    void (*waiting)(void *);     /* called now and then while the guest runs; may be NULL */
    void *waiting_context;
    char text[8192]; /* received and not used yet */
    size_t have;
};

struct profile_registers {
    uint64_t rip;
    uint64_t clock; /* edx:eax, as RDTSC leaves it */
};

/* Each returns 0, or a negative errno and a sentence: -EPIPE when QEMU has ended, -EINTR when cancelled. */
int profile_gdb_start(struct profile_gdb *gdb, struct error *error);
int profile_gdb_break(struct profile_gdb *gdb, uint64_t address, int set, struct error *error);
int profile_gdb_registers(struct profile_gdb *gdb, struct profile_registers *registers,
                          struct error *error);
/* Logging is of every single instruction. What has been logged is in the trace when this returns. */
int profile_gdb_logging(struct profile_gdb *gdb, int on, struct error *error);
/* One instruction, a breakpoint on it notwithstanding. */
int profile_gdb_step(struct profile_gdb *gdb, struct error *error);
/* Until the next breakpoint. */
int profile_gdb_go(struct profile_gdb *gdb, struct error *error);
/* Has QEMU end. */
void profile_gdb_end(struct profile_gdb *gdb);

#endif
