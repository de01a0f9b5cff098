"""Intervals, rectangles and matrices against exact fractions and mpmath."""

import json
import random
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest
from gmpy2 import mpfr, mpq, mpz

from certaudit.check.affine import geometric
from certaudit.check.interval import (
    Interval,
    dyadic,
    gaussian_delta,
    hull,
    pi,
    precision,
    real,
    tail,
)
from certaudit.check.matrix import diagonal, matrix, quadratic, row_of
from certaudit.check.rectangle import Rectangle

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "golden.json").read_text())


def fraction(x):
    return Fraction(*map(int, x.as_integer_ratio()))


def holds(interval, value):
    return fraction(interval.lo) <= value <= fraction(interval.hi)


def some(rng):
    return Fraction(rng.randint(-999, 999), rng.randint(1, 99)) * Fraction(10) ** rng.randint(-9, 9)


@pytest.mark.parametrize("bits", [24, 53, 320])
def test_arithmetic_holds_the_exact_result(bits):
    rng = random.Random(bits)
    with precision(bits):
        for _ in range(400):
            a, b = sorted([some(rng), some(rng)])
            c, d = sorted([some(rng), some(rng)])
            x = hull(real(mpq(a)), real(mpq(b)))
            y = hull(real(mpq(c)), real(mpq(d)))
            for u in (a, b, (a + b) / 2):
                for v in (c, d, (c + d) / 2):
                    assert holds(x + y, u + v)
                    assert holds(x - y, u - v)
                    assert holds(x * y, u * v)
                    if c > 0 or d < 0:
                        assert holds(x / y, u / v)
                assert holds(-x, -u)
                assert holds(x.magnitude(), abs(u))
                assert holds(x.square(), u * u)
                assert holds(x.power(3), u**3)


def test_division_by_an_interval_that_holds_0_raises():
    with pytest.raises(ZeroDivisionError):
        real(1) / hull(real(-1), real(1))
    with pytest.raises(ZeroDivisionError):
        real(1) / real(0)


def test_undefined_numbers_raise():
    infinite = Interval(mpfr("inf"), mpfr("inf"))
    for undefined in (
        lambda: infinite - infinite,
        lambda: infinite * real(0),
        lambda: real(-1).sqrt(),
        lambda: real(0).log(),
    ):
        with pytest.raises((ArithmeticError, ValueError)):
            undefined()


def test_functions_against_mpmath():
    rng = random.Random(5)
    with mpmath.workdps(80):
        for _ in range(100):
            q = Fraction(rng.randint(-4000, 4000), rng.randint(1, 300))
            x, exact = real(mpq(q)), mpmath.mpf(q.numerator) / q.denominator
            cases = [(x.exp(), mpmath.exp(exact)), (tail(x), mpmath.erfc(exact / mpmath.sqrt(2)) / 2)]
            cases.append((x.logistic(), 1 / (1 + mpmath.exp(exact))))
            cases += zip(x.cos_sin(), (mpmath.cos(exact), mpmath.sin(exact)), strict=True)
            if q > 0:
                cases += [(x.log(), mpmath.log(exact)), (x.sqrt(), mpmath.sqrt(exact))]
            for found, value in cases:
                low, high = mpmath.mpf(str(found.lo)), mpmath.mpf(str(found.hi))
                assert abs(low - value) <= abs(value) * mpmath.mpf(10) ** -70
                assert abs(high - value) <= abs(value) * mpmath.mpf(10) ** -70
        assert abs(mpmath.mpf(str(pi().lo)) - mpmath.pi) < mpmath.mpf(10) ** -75


def test_sine_of_a_huge_or_wide_argument_is_anything():
    for x in (dyadic(mpz(1), 10**15), hull(real(0), real(7))):
        cosine, sine = x.cos_sin()
        assert cosine.lo == sine.lo == -1
        assert cosine.hi == sine.hi == 1


def test_small_probabilities_do_not_underflow_to_0():
    assert tail(real(10**6)).hi > 0
    assert tail(real(10**12)).hi > 0
    assert real(-(10**30)).exp().hi > 0


@pytest.mark.parametrize("case", GOLDEN["gaussian_dp"])
def test_gaussian_delta_golden(case):
    """delta at the golden epsilon, 24 digits, lies that near the delta it belongs to."""
    mu, delta, epsilon = mpq(case["mu"]), mpq(case["delta"]), mpq(case["epsilon"])
    near = mpq(1, 10**20)
    low = gaussian_delta(real(mu), real(epsilon * (1 + near)))
    high = gaussian_delta(real(mu), real(epsilon * (1 - near)))
    assert low.hi < delta < high.lo


def test_gaussian_delta_without_mu():
    assert gaussian_delta(real(0), real(1)).hi == 0
    assert gaussian_delta(real(0), real(-1)).lo > 0.6


def multiply(a, b):
    return [
        [sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)]
        for row in a
    ]


def near(found, exact):
    scale = mpq(2) ** found.exponent if found.exponent >= 0 else mpq(1, 2**-found.exponent)
    away = sum(
        (x * scale - y) ** 2
        for row, line in zip(found.rows, exact, strict=True)
        for x, y in zip(row, line, strict=True)
    )
    return away <= mpq(found.error.hi) ** 2


def table(rng, height, width):
    return [
        [
            mpq(rng.randint(-99, 99), rng.choice([1, 3, 8])) * mpq(10) ** rng.randint(-4, 4)
            for _ in range(width)
        ]
        for _ in range(height)
    ]


def test_matrices_hold_the_exact_result():
    rng = random.Random(3)
    for _ in range(120):
        with precision(rng.choice([60, 128, 320])):
            p, q, r = (rng.randint(1, 6) for _ in range(3))
            a, b, c = table(rng, p, q), table(rng, q, r), table(rng, q, r)
            x, y, z = matrix(a), matrix(b), matrix(c)
            factor, line = mpq(rng.randint(-9, 9), 7), [mpq(rng.randint(-9, 9), 7) for _ in range(q)]
            assert near(x, a)
            assert near(x @ y, multiply(a, b))
            assert near(
                y + z, [[s + t for s, t in zip(u, v, strict=True)] for u, v in zip(b, c, strict=True)]
            )
            assert near(
                y - z, [[s - t for s, t in zip(u, v, strict=True)] for u, v in zip(b, c, strict=True)]
            )
            assert near(x.scaled(real(factor)), [[s * factor for s in row] for row in a])
            assert near(row_of(map(real, line)), [line])
            assert near(
                x.times_diagonal(row_of(map(real, line))),
                [[s * t for s, t in zip(row, line, strict=True)] for row in a],
            )
            assert mpq(x.norm.hi) ** 2 >= sum(s * s for row in a for s in row)


def test_sizes_bound_the_spectral_norm():
    numpy = pytest.importorskip("numpy")
    rng = random.Random(8)
    for _ in range(30):
        a = [[mpq(rng.randint(-9, 9)) for _ in range(4)] for _ in range(4)]
        exact = numpy.linalg.norm([[float(x) for x in row] for row in a], 2)
        assert float(matrix(a).size.hi) >= exact * (1 - 1e-12)


def test_tiny_numbers_keep_their_digits():
    tiny = mpq(1, 10**200)
    row = matrix([[tiny, 3 * tiny]])
    found = quadratic(row, diagonal(2, real(mpq(1, 10**100))))
    assert abs(mpq(found.lo) * 10**500 - 10) < mpq(1, 10**60)
    assert found.lo > 0
    both = matrix([[mpq(0), mpq(0)]]) + row
    assert mpq(both.entry(0, 1).lo) > 2 * tiny


def test_zeros_are_exact():
    assert row_of([real(0), real(0)]).error.is_zero()
    assert (matrix([[mpq(0)]]) @ matrix([[mpq(0)]])).error.is_zero()


def test_an_error_of_a_factor_is_carried():
    exact = matrix([[mpq(1), mpq(2)], [mpq(3), mpq(4)]])
    loose = exact.loosened(real(mpq(1, 8)))
    assert (loose @ exact).error.hi >= exact.size.lo / 8 * mpfr("0.99")
    assert (exact @ loose).error.hi >= exact.size.lo / 8 * mpfr("0.99")
    assert loose.scaled(real(-2)).error.hi >= 0.25


@pytest.mark.parametrize("terms", [0, 1, 2, 3, 10, 57])
def test_geometric_sums(terms):
    for x in (mpq(3, 7), mpq(-5, 4), mpq(1)):
        assert holds(geometric(real(x), terms), Fraction(sum(x**j for j in range(terms))))


def test_rectangles_against_mpmath():
    rng = random.Random(2)
    with mpmath.workdps(60):
        for _ in range(200):
            a, b, c, d = (Fraction(rng.randint(-60, 60), rng.randint(1, 9)) for _ in range(4))
            z, w = Rectangle(real(mpq(a)), real(mpq(b))), Rectangle(real(mpq(c)), real(mpq(d)))
            u, v = (
                mpmath.mpc(*(mpmath.mpf(t.numerator) / t.denominator for t in pair))
                for pair in ((a, b), (c, d))
            )
            cases = [(z + w, u + v), (z * w, u * v)]
            if c or d:
                cases.append((w.inverse(), 1 / v))
            if a > 0 or b:
                cases.append((z.wide_root(z.squared_magnitude().sqrt()), mpmath.sqrt(2 * u)))
            if abs(a) < 40:
                cases.append((z.exp(), mpmath.exp(u)))
            for found, value in cases:
                for side, part in ((found.x, value.real), (found.y, value.imag)):
                    size = mpmath.mpf(10) ** -50 * (1 + abs(value))
                    assert mpmath.mpf(str(side.lo)) - size <= part <= mpmath.mpf(str(side.hi)) + size


def test_the_root_has_no_value_on_the_cut():
    with pytest.raises(ValueError, match="half-line"):
        Rectangle(real(-1), hull(real(-1), real(1))).wide_root(real(1))
