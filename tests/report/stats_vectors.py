#!/usr/bin/python3
"""Prints data/stats.txt: what stats.c must compute, by other means.

Quantiles, medians and the normal distribution come from Python's `statistics` module (its "inclusive"
method is type 7). Bootstrap intervals are not drawn but exact: all n^n resamples are counted; each
bound is given as the least and the largest value that sampling noise allows. The random numbers come
from a second writing of splitmix64 and xoshiro256**, after the authors' text.
"""
from collections import Counter
from fractions import Fraction
from itertools import product
from math import factorial
from statistics import NormalDist, median, quantiles

MASK = (1 << 64) - 1
NORMAL = NormalDist()


def show(values):
    return " ".join(repr(float(v)) for v in values)


def exact_medians(boots):
    """The median of every resample with its probability, by counting multinomial draws."""
    found = Counter()
    n = len(boots)

    def draw(left, index, values, ways):
        if index == n - 1:
            found[median(values + [boots[index]] * left)] += ways // factorial(left)
            return
        for count in range(left + 1):
            draw(left - count, index + 1, values + [boots[index]] * count,
                 ways // factorial(count))

    draw(n, 0, [], factorial(n))
    return {value: Fraction(ways, n**n) for value, ways in found.items()}


def level_of(distribution, level):
    """What 10,000 draws may find at a level: the exact values 4 standard errors below and above."""
    error = 4 * (level * (1 - level) / 10000) ** 0.5
    found = []
    for wanted in (level - error, level + error):
        total = Fraction(0)
        for value in sorted(distribution):
            total += distribution[value]
            if total >= wanted:
                break
        found.append(value)
    return found


def interval(distribution, value, jackknifes):
    less = sum(p * (1 if v < value else Fraction(1, 2) if v == value else 0)
               for v, p in distribution.items())
    bias = NORMAL.inv_cdf(float(less))
    cubes = squares = 0.0
    for side in jackknifes:
        n, mean = len(side), sum(side) / len(side)
        influence = [(n - 1) * (mean - x) for x in side]
        cubes += sum(x**3 for x in influence) / n**3
        squares += sum(x**2 for x in influence) / n**2
    acceleration = cubes / (6 * squares**1.5)
    out = level_of(distribution, 0.025) + level_of(distribution, 0.975)
    for tail in (0.025, 0.975):
        z = bias + NORMAL.inv_cdf(tail)
        out += level_of(distribution, NORMAL.cdf(bias + z / (1 - acceleration * z)))
    return out


def without(values, index):
    return values[:index] + values[index + 1:]


def print_summaries():
    for x in ([1, 2, 3, 4, 5], [7], [3, 1], [10, 10, 10, 10], [2.5, -1, 4, 100, 3.25, 8],
              [1041, 365, 984, 80, 385, 16933, 4007, 39067, 388162]):
        q = quantiles(x, n=4, method="inclusive") if len(x) > 1 else [x[0]] * 3
        mad = median(abs(v - median(x)) for v in x)
        print("summary", len(x), show(x), "=", show([min(x), q[0], median(x), q[2], mad]))


def print_intervals():
    for x in ([10, 12, 15, 21, 40], [100, 101, 103, 107, 150, 151, 170],
              [5, 6, 6.5, 9, 11, 11.5, 14, 30],
              [1, 2, 3, 4, 6, 9, 14, 22, 35, 60]):
        jackknife = [median(without(x, i)) for i in range(len(x))]
        print("median", len(x), show(x), "=", show([median(x)] + interval(
            exact_medians(x), median(x), [jackknife])))
    for x, y in (([200, 210, 215, 240, 300], [100, 104, 107, 109, 130]),
                 ([50, 52, 57, 59, 61, 80, 81], [49, 51, 53, 54, 60])):
        ratios = Counter()
        for (a, p), (b, q) in product(exact_medians(x).items(), exact_medians(y).items()):
            ratios[a / b] += p * q
        value = median(x) / median(y)
        jackknifes = [[median(without(x, i)) / median(y) for i in range(len(x))],
                      [median(x) / median(without(y, i)) for i in range(len(y))]]
        print("ratio", len(x), show(x), len(y), show(y), "=",
              show([value] + interval(ratios, value, jackknifes)))


def print_normal():
    for p in (0.0001, 0.025, 0.2, 0.5, 0.9, 0.975, 0.99999):
        print("normal", p, "=", repr(NORMAL.inv_cdf(p)))


def print_random():
    for seed in (0, 1, 123456789):
        state, mixed = [], seed
        for _ in range(4):
            mixed = (mixed + 0x9E3779B97F4A7C15) & MASK
            z = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
            state.append(z ^ (z >> 31))
        out = []
        for _ in range(4):
            def rotate(x, k):
                return ((x << k) | (x >> (64 - k))) & MASK
            out.append((rotate((state[1] * 5) & MASK, 7) * 9) & MASK)
            t = (state[1] << 17) & MASK
            state[2] ^= state[0]
            state[3] ^= state[1]
            state[1] ^= state[2]
            state[0] ^= state[3]
            state[2] ^= t
            state[3] = rotate(state[3], 45)
        print("random", seed, "=", " ".join(f"{x:016x}" for x in out))


print("# Made by stats_vectors.py with the Python standard library; see there how.")
print_summaries()
print_intervals()
print_normal()
print_random()
