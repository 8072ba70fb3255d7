/* The conversation with QEMU's debugger stub. See profile_gdb.h. */
#include "profile_gdb.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define POLL_MS 50
#define RAX 0 /* places in the reply to `g`, of 16 digits each */
#define RDX 3
#define RIP 16

static int gone(struct error *error) { return error_set(error, -EPIPE, "QEMU has ended"); }

/* Takes what has been logged so far. */
static void log_take(struct profile_gdb *gdb) {
    char text[65536];
    ssize_t got;
    while ((got = read(gdb->log, text, sizeof(text))) > 0)
        profile_trace_take(gdb->trace, text, (size_t)got);
}

static int packet_send(struct profile_gdb *gdb, const char *text, struct error *error) {
    char packet[512];
    unsigned char sum = 0;
    for (const char *at = text; *at; at++)
        sum = (unsigned char)(sum + *at);
    int length = snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
    if (send(gdb->socket, packet, (size_t)length, MSG_NOSIGNAL) != length)
        return gone(error);
    return 0;
}

/* Moves a whole packet from what was received into `reply`, cut to its room. Returns 1 if there is one. */
static int packet_take(struct profile_gdb *gdb, char *reply, size_t bytes) {
    gdb->text[gdb->have] = '\0';
    char *start = strchr(gdb->text, '$'), *end = start ? strchr(start, '#') : NULL;
    if (!end || end + 3 > gdb->text + gdb->have)
        return 0;
    *end = '\0';
    snprintf(reply, bytes, "%s", start + 1);
    end += 3; /* a socket loses nothing: the sum is not looked at */
    gdb->have -= (size_t)(end - gdb->text);
    memmove(gdb->text, end, gdb->have);
    return 1;
}

/* The next packet; takes the log meanwhile, so that QEMU never waits for room in the pipe. */
static int packet_receive(struct profile_gdb *gdb, char *reply, size_t bytes, struct error *error) {
    while (!packet_take(gdb, reply, bytes)) {
        struct pollfd wait[] = {{.fd = gdb->socket, .events = POLLIN},
                                {.fd = gdb->log, .events = POLLIN}};
        poll(wait, 2, POLL_MS);
        if (gdb->cancel && *gdb->cancel)
            return error_set(error, -EINTR, "interrupted");
        if (wait[1].revents & POLLIN)
            log_take(gdb);
        if (gdb->waiting)
            gdb->waiting(gdb->waiting_context);
        if (!wait[0].revents)
            continue;
        ssize_t got =
            recv(gdb->socket, gdb->text + gdb->have, sizeof(gdb->text) - 1 - gdb->have, 0);
        if (got <= 0)
            return gone(error);
        gdb->have += (size_t)got;
    }
    if (send(gdb->socket, "+", 1, MSG_NOSIGNAL) != 1)
        return gone(error);
    log_take(gdb);
    return 0;
}

static int ask(struct profile_gdb *gdb, const char *text, char *reply, size_t bytes,
               struct error *error) {
    int status = packet_send(gdb, text, error);
    return status ? status : packet_receive(gdb, reply, bytes, error);
}

static int expect_ok(struct profile_gdb *gdb, const char *text, struct error *error) {
    char reply[64];
    int status = ask(gdb, text, reply, sizeof(reply), error);
    if (!status && strcmp(reply, "OK"))
        status =
            error_set(error, -EPROTO, "QEMU's debugger stub answers \"%s\" to \"%s\"", reply, text);
    return status;
}

/* A command of QEMU's monitor. What it prints comes in packets that begin with O. */
static int monitor(struct profile_gdb *gdb, const char *command, struct error *error) {
    char text[256] = "qRcmd,", reply[64];
    size_t length = strlen(text);
    for (const char *at = command; *at; at++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%02x", *at);
    int status = ask(gdb, text, reply, sizeof(reply), error);
    while (!status && reply[0] == 'O' && strcmp(reply, "OK"))
        status = packet_receive(gdb, reply, sizeof(reply), error);
    if (!status && strcmp(reply, "OK"))
        status = error_set(error, -EPROTO, "QEMU's monitor does not take \"%s\"", command);
    return status;
}

int profile_gdb_start(struct profile_gdb *gdb, struct error *error) {
    return expect_ok(gdb, "Qqemu.sstep=1", error); /* a step is as any instruction */
}

int profile_gdb_break(struct profile_gdb *gdb, uint64_t address, int set, struct error *error) {
    char text[64];
    snprintf(text, sizeof(text), "%c0,%llx,1", set ? 'Z' : 'z', (unsigned long long)address);
    return expect_ok(gdb, text, error);
}

static uint64_t register_read(const char *text, int index) {
    uint64_t value = 0; /* little-endian, as bytes of two digits */
    for (int byte = 7; byte >= 0; byte--) {
        char digits[3] = {text[index * 16 + byte * 2], text[index * 16 + byte * 2 + 1], '\0'};
        value = value << 8 | strtoul(digits, NULL, 16);
    }
    return value;
}

int profile_gdb_registers(struct profile_gdb *gdb, struct profile_registers *registers,
                          struct error *error) {
    char reply[4096];
    int status = ask(gdb, "g", reply, sizeof(reply), error);
    if (status)
        return status;
    if (strlen(reply) < (RIP + 1) * 16)
        return error_set(error, -EPROTO, "QEMU's debugger stub does not tell the registers");
    registers->rip = register_read(reply, RIP);
    registers->clock =
        (register_read(reply, RDX) & 0xffffffff) << 32 | (register_read(reply, RAX) & 0xffffffff);
    return 0;
}

int profile_gdb_logging(struct profile_gdb *gdb, int on, struct error *error) {
    int status = monitor(gdb, on ? "singlestep on" : "singlestep off", error);
    if (!status)
        status = monitor(gdb, on ? "log exec,nochain,int" : "log none", error);
    return status;
}

/* A reply that tells of a stop begins with T or S; with W or X, the program has ended. */
static int run_until_stop(struct profile_gdb *gdb, const char *how, struct error *error) {
    char reply[64] = "";
    int status = ask(gdb, how, reply, sizeof(reply), error);
    if (status)
        return status;
    if (reply[0] == 'W' || reply[0] == 'X')
        return gone(error);
    if (reply[0] != 'T' && reply[0] != 'S')
        return error_set(error, -EPROTO, "QEMU's debugger stub answers \"%s\" to \"%s\"", reply,
                         how);
    return 0;
}

int profile_gdb_step(struct profile_gdb *gdb, struct error *error) {
    struct profile_registers at = {0};
    int status = profile_gdb_registers(gdb, &at, error);
    if (!status)
        status = profile_gdb_break(gdb, at.rip, 0, error);
    if (!status)
        status = run_until_stop(gdb, "s", error);
    if (!status)
        status = profile_gdb_break(gdb, at.rip, 1, error);
    return status;
}

int profile_gdb_go(struct profile_gdb *gdb, struct error *error) {
    return run_until_stop(gdb, "c", error);
}

void profile_gdb_end(struct profile_gdb *gdb) { packet_send(gdb, "k", &(struct error){""}); }
