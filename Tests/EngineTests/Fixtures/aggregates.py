#!/usr/bin/env python3
"""Writes aggregates.tsv: windows of ten minutes and what leq, stddev and timeMean give over them.

    python3 aggregates.py > aggregates.tsv

Exact fractions for stddev and timeMean, 60 digits for leq. Columns: function, digits of the values,
the rows as MILLISECONDS:VALUE in order of arrival, the result (null for none).
"""

import random
from decimal import ROUND_HALF_EVEN, Decimal, getcontext
from fractions import Fraction
from math import isqrt

getcontext().prec = 60
WINDOW = 600_000
SEED = 20260301


def half_even(value, digits):
    """A fraction with so many digits, as text."""
    scaled = value * 10**digits
    floor = scaled.numerator // scaled.denominator
    rest = scaled - floor
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2):
        floor += 1
    return text(floor, digits)


def text(units, digits):
    sign = "-" if units < 0 else ""
    number = str(abs(units)).rjust(digits + 1, "0")
    return sign + (f"{number[:-digits]}.{number[-digits:]}" if digits else number)


def leq(points, digits):
    powers = [Decimal(10) ** (value / 10) for _, value in points]
    level = 10 * (sum(powers) / len(powers)).log10()
    places = Decimal(1).scaleb(-max(digits, 3))
    return str(level.quantize(places, ROUND_HALF_EVEN))


def stddev(points, digits):
    count = len(points)
    if count < 2:
        return "null"
    values = [Fraction(value) for _, value in points]
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    # 2 × root × 10^(digits + 3), rounded down, and whether that is exact.
    square = variance * 4 * 100 ** (digits + 3)
    whole = isqrt(square.numerator // square.denominator)
    units, odd = divmod(whole, 2)
    if odd:
        is_tie = whole * whole == square
        units += units % 2 if is_tie else 1
    return text(units, digits + 3)


def time_mean(points, digits):
    last = {}
    for time, value in points:
        last[time] = Fraction(value)
    times = sorted(last) + [WINDOW]
    total = sum(last[a] * (b - a) for a, b in zip(times, times[1:]))
    return half_even(total / (WINDOW - times[0]), digits + 3)


def points(digits, low, high):
    count = random.choice([1, 2, 3, 5, 10, 40])
    spread = random.choice([0, 1, 10, (high - low) * 10**digits])
    base = random.randint(low * 10**digits, high * 10**digits - spread)
    result = []
    for _ in range(count):
        time = random.randrange(0, WINDOW, random.choice([1, 1000, 60_000]))
        units = base + random.randint(0, spread)
        result.append((time, Decimal(units).scaleb(-digits)))
    return result


def main():
    random.seed(SEED)
    for name, function, low, high in [
        ("leq", leq, 20, 130),
        ("leq", leq, -100, 200),
        ("stddev", stddev, -50, 50),
        ("stddev", stddev, 0, 90_000),
        ("timeMean", time_mean, -50, 50),
        ("timeMean", time_mean, 0, 90_000),
    ]:
        for digits in [0, 1, 2, 6]:
            for _ in range(25):
                rows = points(digits, low, high)
                shown = " ".join(f"{time}:{value:f}" for time, value in rows)
                print(name, digits, shown, function(rows, digits), sep="\t")


main()
