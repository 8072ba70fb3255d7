/* Notes the signals that ask this process to end; what is then to be done is up to who looks. */
#include "cancel.h"
#include <signal.h>
#include <stddef.h>

volatile int cancel_signal;

static void cancel_note(int signal) { cancel_signal = signal; }

void cancel_listen(void) {
    struct sigaction action = {.sa_handler = cancel_note}, before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, &before);
    if (before.sa_handler == SIG_IGN) /* under nohup */
        sigaction(SIGHUP, &before, NULL);
}
