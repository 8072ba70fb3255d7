/*
 * Keys by YCSB's scrambled Zipfian distribution: ranks of a Zipf law over 10^10 items with exponent
 * .99, spread over the keys by FNV (Cooper and others, SoCC 2010; ScrambledZipfianGenerator of YCSB
 * 0.17). In integers only: exact to a relative error of 2^-55, where YCSB has doubles.
 */
#ifndef BULKHEAD_ZIPF_H
#define BULKHEAD_ZIPF_H

#include <stdint.h>

/* YCSB's fnvhash64: FNV of the eight bytes of a number, the lowest first, without sign. */
uint64_t zipf_hash(uint64_t number);
/* The rank, from 0, that a uniform draw of 53 bits stands for; 0 is the most frequent. */
uint64_t zipf_rank(uint64_t draw);
/* One of `items` things. */
uint32_t zipf_scrambled(uint64_t draw, uint32_t items);

#endif
