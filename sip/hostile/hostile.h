/*
 * What the SIPs of the break-out suite share. The controller makes one attacker for each attack, sends
 * it an order, waits for its end, and then asks the victims whether they were harmed. It judges
 * nothing: it prints what happened, and tests/breakout/breakout.py compares that with the table.
 */
#ifndef BULKHEAD_HOSTILE_H
#define BULKHEAD_HOSTILE_H

#include "attacks.h" /* generated from tests/breakout/attacks.table */
#include "echo_contract.h"
#include "guest-kernel/memlayout.h"

enum {
    SECRET_WORDS = 512
};
#define SECRET_MAGIC                                                                               \
    0x53b7d09e1f6a42c5ull /* first word of a victim's page, its complement second */
#define SECRET_AT 3       /* the word that is worth stealing */

/* Where an unchecked victim keeps what an attacker would like to have; 0 in checked code. */
struct target {
    uint64_t page;     /* of SECRET_WORDS words */
    uint64_t block;    /* a block of the exchange heap */
    uint64_t pages;    /* a page of its own */
    uint64_t function; /* leaves a mark when called */
};

struct order {
    uint32_t attack;    /* enum attack */
    uint32_t megabytes; /* of memory that the machine has */
    struct target peer, service;
};

/* What an attacker got hold of, told to the controller in a pong: proof that an attack succeeded. */
enum evidence {
    EVIDENCE_NONE,
    EVIDENCE_SECRET,     /* the value is a victim's secret */
    EVIDENCE_KERNEL,     /* the value was read from, or written to, the kernel's memory */
    EVIDENCE_PRIVILEGED, /* a privileged instruction was carried out */
    EVIDENCE_SENT,       /* the value of this message was changed after it was sent */
    EVIDENCE_HIJACKED,   /* code ran that the program never goes to */
    EVIDENCE_KILL_ME,    /* no proof: asks the controller to end this SIP */
};
struct proof {
    uint64_t evidence; /* enum evidence */
    uint64_t value;
};

/* How an attacker exits. */
enum {
    REFUSED = 0, /* every call was refused with the right error */
    DONE = 100,  /* the attack ran to its end and nothing stopped it */
    WRONG = 200, /* plus the number of the check that failed */
};

/*
 * The attacks of one source: each is an ATTACK(name) { ... } that returns one of the numbers above, if
 * it returns; ATTACKS_OF(family) makes the function that chooses. What only unchecked code can say is
 * left out of the others.
 */
uint32_t attack(const struct order *order);
#define ATTACK(name)                                                                               \
    static __attribute__((noinline)) uint32_t name(const struct order *order                       \
                                                   __attribute__((unused)))
#define ATTACK_CASE(name)                                                                          \
    case ATTACK_##name:                                                                            \
        return name(order);
#ifdef __wasm__
#define ATTACK_NATIVE_CASE(name)
#else
#define ATTACK_NATIVE_CASE ATTACK_CASE
#endif
#define ATTACKS_OF(family)                                                                         \
    uint32_t attack(const struct order *order) {                                                   \
        switch (order->attack) {                                                                   \
            ATTACKS_##family(ATTACK_CASE, ATTACK_NATIVE_CASE) default : return WRONG;              \
        }                                                                                          \
    }

/* Answers the order; once, and not necessary. */
void tell(enum evidence evidence, uint64_t value);
extern sip_endpoint orders; /* the channel that the order came on */

/* Ends the attack unless a call returned what it should have. */
void want(uint32_t number, int64_t got, int64_t wanted);

/*
 * A number as an address. Checked code has 32-bit ones, and this one is outside of all its memory
 * whatever the native address was.
 */
static inline uintptr_t address_of(uint64_t address) {
#ifdef __wasm__
    return (uintptr_t)(address | 0x80000000u);
#else
    return address;
#endif
}

#ifndef __wasm__
/* The low halves of the SSE registers, by hand: the image is built without. */
static inline void registers_read(uint64_t value[16]) {
    __asm__ volatile(
        "movq %%xmm0, 0(%0); movq %%xmm1, 8(%0); movq %%xmm2, 16(%0); movq %%xmm3, 24(%0);"
        "movq %%xmm4, 32(%0); movq %%xmm5, 40(%0); movq %%xmm6, 48(%0); movq %%xmm7, 56(%0);"
        "movq %%xmm8, 64(%0); movq %%xmm9, 72(%0); movq %%xmm10, 80(%0); movq %%xmm11, 88(%0);"
        "movq %%xmm12, 96(%0); movq %%xmm13, 104(%0); movq %%xmm14, 112(%0); movq %%xmm15, "
        "120(%0);" ::"r"(value)
        : "memory");
}
static inline void registers_write(uint64_t value) {
    __asm__ volatile(
        "movq %0, %%xmm0; movq %0, %%xmm1; movq %0, %%xmm2; movq %0, %%xmm3;"
        "movq %0, %%xmm4; movq %0, %%xmm5; movq %0, %%xmm6; movq %0, %%xmm7;"
        "movq %0, %%xmm8; movq %0, %%xmm9; movq %0, %%xmm10; movq %0, %%xmm11;"
        "movq %0, %%xmm12; movq %0, %%xmm13; movq %0, %%xmm14; movq %0, %%xmm15;" ::"r"(value));
}
#endif

static inline uint64_t peek(uint64_t address) { return *(volatile uint64_t *)address_of(address); }
static inline void poke(uint64_t address, uint64_t value) {
    *(volatile uint64_t *)address_of(address) = value;
}

#endif
