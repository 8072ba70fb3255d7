/*
 * LZ77 with a hash table of the last position of each four bytes, and its inverse: byte loads and
 * stores at computed places. A token is a byte of literals to copy, the literals, a byte of match
 * length (0: none) and two bytes of distance.
 */
#include "compute.h"

#define INPUT_BYTES (32u << 10)
#define HASH_BITS 12
#define SHORTEST_MATCH 4u
#define LONGEST 255u

static uint8_t input[INPUT_BYTES], packed[2 * INPUT_BYTES], output[INPUT_BYTES];
static uint32_t last_seen[1u << HASH_BITS]; /* position + 1; 0: never */

static uint32_t load_word(const uint8_t *at) {
    uint32_t word;
    __builtin_memcpy(&word, at, sizeof(word));
    return word;
}

static uint32_t put_token(uint32_t to, uint32_t from, uint32_t literals, uint32_t match,
                          uint32_t distance) {
    packed[to++] = (uint8_t)literals;
    for (uint32_t i = 0; i < literals; i++)
        packed[to++] = input[from + i];
    packed[to++] = (uint8_t)match;
    packed[to++] = (uint8_t)distance;
    packed[to++] = (uint8_t)(distance >> 8);
    return to;
}

static uint32_t match_length(uint32_t earlier, uint32_t at) {
    uint32_t length = 0;
    while (length < LONGEST && at + length < INPUT_BYTES &&
           input[earlier + length] == input[at + length])
        length++;
    return length;
}

static uint32_t compress(void) {
    uint32_t to = 0, at = 0, start = 0; /* of the literals that are not written yet */
    for (uint32_t i = 0; i < 1u << HASH_BITS; i++)
        last_seen[i] = 0;
    while (at + SHORTEST_MATCH <= INPUT_BYTES) {
        uint32_t *slot = &last_seen[load_word(input + at) * 2654435761u >> (32 - HASH_BITS)];
        uint32_t earlier = *slot;
        *slot = at + 1;
        uint32_t length = earlier ? match_length(earlier - 1, at) : 0;
        if (length >= SHORTEST_MATCH) {
            to = put_token(to, start, at - start, length, at - (earlier - 1));
            at += length;
            start = at;
        } else if (++at - start == LONGEST) {
            to = put_token(to, start, LONGEST, 0, 0);
            start = at;
        }
    }
    return put_token(to, start, INPUT_BYTES - start, 0, 0);
}

static uint32_t expand(uint32_t bytes) {
    uint32_t to = 0;
    for (uint32_t at = 0; at < bytes;) {
        for (uint32_t literals = packed[at++]; literals > 0; literals--)
            output[to++] = packed[at++];
        uint32_t match = packed[at];
        uint32_t distance = packed[at + 1] | (uint32_t)packed[at + 2] << 8;
        at += 3;
        for (; match > 0; match--, to++)
            output[to] = output[to - distance];
    }
    return to;
}

static void write_input(void) {
    static const char words[8][8] = {"the ",   "quick ", "brown ", "fox ",
                                     "jumps ", "over ",  "lazy ",  "dog.\n"};
    uint32_t random = 777, at = 0;
    while (at < INPUT_BYTES) {
        uint32_t choice = compute_random(&random);
        if ((choice & 7) == 0)
            input[at++] = (uint8_t)(choice >> 8);
        for (const char *letter = words[choice >> 29]; *letter && at < INPUT_BYTES; letter++)
            input[at++] = (uint8_t)*letter;
    }
}

uint32_t compute_lz(uint32_t rounds) {
    uint32_t checksum = 0;
    write_input();
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t bytes = compress();
        checksum = checksum * 31 + bytes + expand(bytes);
        for (uint32_t i = 0; i < INPUT_BYTES; i += 61)
            checksum += output[i] == input[i] ? output[i] : i * i;
        input[round * 7919 % INPUT_BYTES] ^= 1;
    }
    return checksum;
}
