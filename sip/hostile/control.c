/*
 * The controller: for each attack of the range that the run asks for, makes an attacker, gives it its
 * order, waits for its end, asks the victims and the bystander, and prints one line:
 *     attack NUMBER status HEX evidence HEX lost HEX
 * Lost is how many pages of memory did not come back. Evidence is what the controller itself could confirm, as bits.
 */
#include "done.h"
#include "hostile.h"
#include <string.h>

_Static_assert(sizeof(struct order) <= 128, "fits the controller's messages");

enum confirmed {
    CONFIRMED_PEER_HARMED = 1,
    CONFIRMED_SERVICE_HARMED = 2,
    CONFIRMED_SECRET = 4,
    CONFIRMED_KERNEL = 8,
    CONFIRMED_PRIVILEGED = 16,
    CONFIRMED_SENT = 32,
    CONFIRMED_HIJACKED = 128,
    CONFIRMED_PARAM = 64, /* a parameter of the run, in the kernel's memory, was changed */
};

struct victim {
    sip_endpoint watch;
    struct target target;
    uint64_t secret;
};

static const struct {
    const char *template;
} attacks[] = {
#define X(name, template) {template},
    ATTACKS(X)
#undef X
};

static struct victim peer, service;
static sip_endpoint pulse;
static uint64_t canary;

static struct sip_message ask(sip_endpoint channel, const void *question, uint32_t bytes) {
    enum {
        BYTES = 128
    }; /* whatever is asked: the answer has to fit as well */
    sip_handle block = sip_block_for(channel, BYTES);
    if (!block)
        sip_fail("the controller has no memory for a message");
    if (bytes)
        sip_msg_write(block, 0, question, bytes);
    if (echo_send_ping(channel, block, BYTES))
        sip_fail("the controller could not send");
    return sip_recv(channel);
}

/* Whether a victim was harmed since it was last asked. */
static uint64_t ask_victim(struct victim *victim) {
    struct sip_message message = ask(victim->watch, NULL, 0);
    if (message.error)
        sip_fail("a victim is gone");
    sip_msg_read(message.handle, 0, &victim->target, sizeof victim->target);
    uint64_t harmed = sip_msg_ld64(message.handle, sizeof victim->target);
    uint64_t secret = sip_msg_ld64(message.handle, sizeof victim->target + 8);
    if (!harmed)
        victim->secret = secret;
    sip_block_free(message.handle);
    return harmed;
}

/* The bystander's work goes on. */
static void feel_pulse(void) {
    static uint64_t last;
    uint64_t rounds = last;
    for (uint32_t tries = 0; rounds == last && tries < 3; tries++) {
        struct sip_message message = ask(pulse, NULL, 0);
        if (message.error)
            sip_fail("the bystander is gone");
        rounds = sip_msg_ld64(message.handle, 0);
        sip_block_free(message.handle);
    }
    if (rounds == last)
        sip_fail("the bystander no longer gets on");
    last = rounds;
}

static uint64_t confirm(struct sip_message answer, bool *kill) {
    struct proof proof;
    if (sip_message_bytes(answer.handle) < sizeof proof)
        return 0;
    sip_msg_read(answer.handle, 0, &proof, sizeof proof);
    switch (proof.evidence) {
    case EVIDENCE_SECRET:
        return proof.value == peer.secret || proof.value == service.secret ? CONFIRMED_SECRET : 0;
    case EVIDENCE_KERNEL:
        return CONFIRMED_KERNEL;
    case EVIDENCE_PRIVILEGED:
        return CONFIRMED_PRIVILEGED;
    case EVIDENCE_HIJACKED:
        return CONFIRMED_HIJACKED;
    case EVIDENCE_KILL_ME:
        *kill = true;
        return 0;
    case EVIDENCE_SENT:
        /* The attacker said 1 in it, sent it, and gave way: what does it say now? */
        for (uint32_t i = 0; i < 4; i++)
            sip_yield();
        return sip_msg_ld64(answer.handle, 8) != 1 ? CONFIRMED_SENT : 0;
    default:
        return 0;
    }
}

static void print_hex(char *to, uint64_t value) {
    for (uint32_t i = 0; i < 16; i++)
        to[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
}

static void print_line(uint32_t number, uint64_t status, uint64_t evidence, int64_t lost) {
    char line[] = "attack 0000000000000000 status 0000000000000000 evidence 0000000000000000 "
                  "lost 0000000000000000\n";
    print_hex(line + 7, number);
    print_hex(line + 31, status);
    print_hex(line + 57, evidence);
    print_hex(line + 79, (uint64_t)lost);
    sip_print(line);
}

static int64_t carry_out(uint32_t number, uint64_t *confirmed) {
    struct sip_ends ends = sip_channel_create("orders");
    sip_child child = sip_create(attacks[number].template);
    if (!ends.client || !child || sip_give(child, ends.server, "orders") || sip_start(child))
        sip_fail("an attacker could not be made");
    struct order order = {.attack = number,
                          .megabytes = (uint32_t)sip_param("memory", 0),
                          .peer = peer.target,
                          .service = service.target};
    struct sip_message answer = ask(ends.client, &order, sizeof order);
    uint64_t evidence = 0;
    bool kill = false;
    if (!answer.error)
        evidence |= confirm(answer, &kill);
    for (uint32_t i = 0; kill && i < 3; i++)
        sip_yield();
    if (kill && sip_kill(child))
        sip_fail("an attacker could not be killed");
    int64_t status = sip_wait(child);
    if (sip_recv(ends.client).error != ABI_ECLOSED || sip_close(ends.client))
        sip_fail("the end of an attacker was not noticed at its channel");
    if (!answer.error)
        sip_block_free(answer.handle);
    evidence |= ask_victim(&peer) ? CONFIRMED_PEER_HARMED : 0;
    evidence |= ask_victim(&service) ? CONFIRMED_SERVICE_HARMED : 0;
    uint64_t now = (uint64_t)sip_param("canary", 0);
    evidence |= now != canary ? CONFIRMED_PARAM : 0;
    canary = now;
    feel_pulse();
    *confirmed |= evidence;
    return status;
}

/*
 * Again, as often as the run asks for it: at first the kernel's pools may grow to what the attack
 * needs, the last time all memory has to come back.
 */
static void report_on(uint32_t number) {
    uint64_t confirmed = 0;
    int64_t status = carry_out(number, &confirmed), lost = 0;
    for (int64_t left = sip_param("again", 0); left > 0; left--) {
        int64_t before = sip_param("free-pages", 0);
        if (carry_out(number, &confirmed) != status)
            sip_fail("the same attack ended in two ways");
        lost = before - sip_param("free-pages", 0);
    }
    print_line(number, (uint64_t)status, confirmed, lost);
}

int sip_main(void) {
    peer.watch = sip_channel("watch-peer");
    service.watch = sip_channel("watch-service");
    pulse = sip_channel("pulse");
    canary = (uint64_t)sip_param("canary", 0);
    ask_victim(&peer);
    ask_victim(&service);
    feel_pulse();
    uint32_t last = (uint32_t)sip_param("last", 0);
    for (uint32_t number = (uint32_t)sip_param("first", 0); number <= last; number++)
        report_on(number);
    done("attacks");
    return 0;
}
