/*
 * Starts a program, collects what it writes, and ends it in time. It knows nothing of guests.
 */
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 50     /* how soon a cancel is noticed */
#define GRACE_MS 10000 /* from a timeout's signal to the kill */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Reads what is there. Returns 0 at the end of the stream. */
static int text_read(int fd, struct child_text *text, int echo) {
    char buffer[4096];
    ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return 0;
    if (echo)
        fwrite(buffer, 1, (size_t)got, stderr);
    size_t room = CHILD_TEXT_BYTES - 1 - text->length;
    size_t take = (size_t)got < room ? (size_t)got : room;
    memcpy(text->text + text->length, buffer, take);
    text->length += take;
    text->text[text->length] = '\0';
    return 1;
}

/* In the new process. Only async-signal-safe calls: other threads may hold locks. */
static void child_become(const struct child *child, int output, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group: ending the guest is our part */
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
        _exit(127);
    for (size_t i = 0; i < child->inherits; i++)
        fcntl(child->inherit[i], F_SETFD, 0);
    if (child->console_write >= 0)
        fcntl(child->console_write, F_SETFD, 0);
    execve(child->argv[0], child->argv, child->environment ? child->environment : environ);
    static const char text[] = "cannot be executed\n";
    if (write(2, text, sizeof(text) - 1) < 0)
        _exit(126);
    _exit(127);
}

/*
 * Waits for the end, reading both streams; they end as the process does, which wakes the poll. Kills
 * the process when it must end now.
 */
static void child_wait(const struct child *child, pid_t pid, int output,
                       struct child_result *result) {
    int64_t deadline = now_ms() + child->timeout_ms;
    int64_t grace = child->timeout_signal ? GRACE_MS : 0;
    int console = child->console_read;
    while (waitpid(pid, &result->wait_status, WNOHANG) == 0) {
        struct pollfd wait[] = {{.fd = console, .events = POLLIN},
                                {.fd = output, .events = POLLIN}};
        poll(wait, 2, console < 0 && output < 0 ? 1 : POLL_MS);
        if (wait[0].revents && !text_read(console, &result->console, child->verbose))
            console = -1;
        if (wait[1].revents && !text_read(output, &result->output, 0))
            output = -1;
        if (child->cancel && *child->cancel)
            result->cancelled = 1;
        else if (!result->timed_out && now_ms() >= deadline) {
            result->timed_out = 1;
            if (child->timeout_signal)
                kill(pid, child->timeout_signal);
        }
        if (result->cancelled || (result->timed_out && now_ms() >= deadline + grace))
            kill(pid, SIGKILL);
    }
    /* The writers are gone: what is left in the pipes ends by itself. */
    while (console >= 0 && text_read(console, &result->console, child->verbose))
        ;
    while (output >= 0 && text_read(output, &result->output, 0))
        ;
}

int child_run(const struct child *child, struct child_result *result, struct error *error) {
    int status = 0, output[2] = {-1, -1};
    pid_t pid = -1, parent = getpid();
    *result = (struct child_result){0};
    result->console.text = calloc(1, CHILD_TEXT_BYTES);
    result->output.text = calloc(1, CHILD_TEXT_BYTES);
    if (!result->console.text || !result->output.text)
        status = error_set(error, -ENOMEM, "out of memory for the output of %s", child->argv[0]);
    else if (pipe2(output, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        status = error_set(error, -errno, "cannot start %s: %s", child->argv[0], strerror(errno));
    if (pid == 0)
        child_become(child, output[1], parent);
    if (child->console_write >= 0)
        close(child->console_write);
    if (output[1] >= 0)
        close(output[1]);
    if (pid > 0)
        child_wait(child, pid, output[0], result);
    if (output[0] >= 0)
        close(output[0]);
    if (child->console_read >= 0)
        close(child->console_read);
    return status;
}

char *child_find(const char *program) {
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        char *full = NULL;
        if (length && asprintf(&full, "%.*s/%s", (int)length, path, program) < 0)
            return NULL;
        if (full && !access(full, X_OK))
            return full;
        free(full);
        path += length + (path[length] == ':');
    }
    return NULL;
}
