/* Quicksort of 32-bit numbers, insertion sort for short runs: loads, stores and unforeseeable jumps. */
#include "compute.h"

#define NUMBERS 8192
#define SHORT_RUN 16

static uint32_t numbers[NUMBERS];

static void swap(uint32_t *a, uint32_t *b) {
    uint32_t value = *a;
    *a = *b;
    *b = value;
}

static void sort_short(uint32_t *first, uint32_t *last) {
    for (uint32_t *next = first + 1; next <= last; next++) {
        uint32_t value = *next, *hole = next;
        for (; hole > first && hole[-1] > value; hole--)
            *hole = hole[-1];
        *hole = value;
    }
}

/* The middle one of three numbers, which are put in order. */
static uint32_t median(uint32_t *first, uint32_t *last) {
    uint32_t *middle = first + (last - first) / 2;
    if (*middle < *first)
        swap(middle, first);
    if (*last < *middle)
        swap(last, middle);
    if (*middle < *first)
        swap(middle, first);
    return *middle;
}

static void sort(uint32_t *first, uint32_t *last) {
    while (last - first >= SHORT_RUN) {
        uint32_t pivot = median(first, last);
        uint32_t *left = first, *right = last;
        while (left <= right) {
            while (*left < pivot)
                left++;
            while (*right > pivot)
                right--;
            if (left <= right)
                swap(left++, right--);
        }
        if (right - first <
            last - left) { /* recurse into the shorter part: the stack stays short */
            sort(first, right);
            first = left;
        } else {
            sort(left, last);
            last = right;
        }
    }
    sort_short(first, last);
}

uint32_t compute_sort(uint32_t rounds) {
    uint32_t random = 99, checksum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < NUMBERS; i++)
            numbers[i] = compute_random(&random);
        sort(numbers, numbers + NUMBERS - 1);
        for (uint32_t i = 1; i < NUMBERS; i++)
            checksum = checksum * 31 + (numbers[i - 1] <= numbers[i] ? numbers[i] : i);
    }
    return checksum;
}
