/* What the two ways of keeping floating-point registers share. */
#ifndef BULKHEAD_FPU_H
#define BULKHEAD_FPU_H

#include "guest-kernel/thread.h"

void fpu_enable(void);
/* Gives a thread fresh registers: zero, all exceptions masked. */
bool fpu_thread_made(struct thread *thread);

#endif
