#!/usr/bin/env python3
"""Writes exact.tsv: expressions with their results by Python's fractions, independent of Plumbline.

Each line: expression, then the expected text: a reduced fraction n/d, a decimal with its digits,
true/false, or "fault <name>". Run: python3 exact.py > exact.tsv
"""
import random
from fractions import Fraction

random.seed(20260302)
LIMIT = 2**63


def dec(units, scale):
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(scale + 1, "0")
    text = digits if scale == 0 else digits[:-scale] + "." + digits[-scale:]
    return sign + text


def number(units, scale):
    """An expression of the language for exactly this decimal."""
    return f'decimal("{dec(units, scale)}", {scale})'


def fits(units):
    return -LIMIT <= units < LIMIT


def frac(value):
    return f"{value.numerator}/{value.denominator}"


def rounded(value, scale):
    units = round(value * 10**scale)  # Python rounds half to even
    return dec(units, scale) if fits(units) else "fault overflow"


def units_of_size():
    bits = random.choice([3, 8, 16, 31, 40, 62, 63])
    return random.randrange(-(2**bits), 2**bits)


def binary():
    a, s, b, t = units_of_size(), random.randrange(0, 9), units_of_size(), random.randrange(0, 9)
    x, y = Fraction(a, 10**s), Fraction(b, 10**t)
    left, right = number(a, s), number(b, t)
    scale = max(s, t)
    for op, value in (("+", x + y), ("-", x - y)):
        units = value * 10**scale
        print(f"{left} {op} {right}\t{dec(int(units), scale) if fits(units) else 'fault overflow'}")
    units = a * b
    print(f"{left} * {right}\t{dec(units, s + t) if fits(units) else 'fault overflow'}")
    print(f"{left} / {right}\t{frac(x / y) if b else 'fault division-by-zero'}")
    for op, value in (("<", x < y), (">=", x >= y), ("==", x == y)):
        print(f"{left} {op} {right}\t{str(value).lower()}")


def ratios():
    a, b, c, d = (units_of_size() or 1 for _ in range(4))
    s, t, u, v = (random.randrange(0, 7) for _ in range(4))
    x = Fraction(a, 10**s) / Fraction(b, 10**t)
    y = Fraction(c, 10**u) / Fraction(d, 10**v)
    left = f"{number(a, s)} / {number(b, t)}"
    right = f"{number(c, u)} / {number(d, v)}"
    for op, value in (("<", x < y), ("<=", x <= y), ("==", x == y), ("!=", x != y)):
        print(f"{left} {op} {right}\t{str(value).lower()}")
    print(f"{left} == {number(a, s)} * 1 / {number(b, t)}\ttrue" if fits(a) else "true\ttrue")
    # Nearby: the same quotient and one a little off.
    above = str(x > Fraction(c, 10**u)).lower()
    print(f"{number(a, s)} / {number(b, t)} > {number(c, u)}\t{above}")
    digits = random.randrange(0, 7)
    print(f"round({left}, {digits})\t{rounded(x, digits)}")


def halves():
    units, digits = random.randrange(-10**6, 10**6), random.randrange(1, 5)
    value = Fraction(2 * units + 1, 2 * 10**digits)
    nearest = rounded(value, digits)
    print(f"round({number(2 * units + 1, 0)} / {number(2 * 10**digits, 0)}, {digits})\t{nearest}")
    print(f"round({number((2 * units + 1) * 5, digits + 1)}, {digits})\t{nearest}")


def chart():
    n, sx, sy = random.randrange(2, 9), random.randrange(0, 4), random.randrange(0, 4)
    size = random.choice([10**3, 10**6, 10**15])
    xs = sorted(random.sample(range(-size, size), n))
    ys = [random.randrange(-size, size) for _ in xs]
    sv = random.randrange(0, 4)
    v = random.randrange(xs[0], xs[-1] + 1) * 10**sv // 10**sx
    if random.randrange(3) == 0:
        v, sv = random.choice(xs), sx
    return xs, sx, ys, sy, v, sv


def interpolation():
    xs, sx, ys, sy, v, sv = chart()
    value = Fraction(v, 10**sv)
    x = [Fraction(i, 10**sx) for i in xs]
    y = [Fraction(i, 10**sy) for i in ys]
    expected = "fault out-of-range"
    for i in range(len(x) - 1):
        if x[i] <= value <= x[i + 1]:
            expected = frac(y[i] + (y[i + 1] - y[i]) * (value - x[i]) / (x[i + 1] - x[i]))
            break
    points = ";".join(f"{a},{b}" for a, b in zip(xs, ys))
    print(f"interpolate {sx} {sy} {points} {v} {sv}\t{expected}")


for _ in range(60):
    binary()
for _ in range(60):
    ratios()
for _ in range(30):
    halves()
for _ in range(200):
    interpolation()
