"""The checker's own arithmetic against exact rationals and independent references."""

from fractions import Fraction as Fr

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf
from scipy.optimize import minimize

from certaudit.check.checker import _encloses
from certaudit.check.conversion import gaussian_delta, least_energy
from certaudit.check.document import Rejected, exact
from certaudit.check.fixed import BITS, ONE, Fixed, array, cholesky, identity, inverse, pivots, real
from certaudit.check.gaussian import Pair, along_line, tridiagonal
from certaudit.check.known import DIGITS, Approx
from certaudit.check.spectrum import extremes
from certaudit.check.steps import FINE, _exponential

thirds = st.integers(-60, 60).map(lambda k: Fr(k, 7))


@pytest.fixture(autouse=True)
def precision():
    with mpmath.workdps(DIGITS):
        yield


def matrices(d):
    return st.lists(thirds, min_size=d * d, max_size=d * d)


def gap(fixed, rationals):
    """Frobenius distance to exact numbers, in units, rounded down."""
    squares = sum((Fr(int(u)) - x * ONE) ** 2 for u, x in zip(fixed.units.flat, rationals, strict=True))
    return int(squares) and int(mpmath.sqrt(mpf(int(squares))))


def dot(a, b, d):
    return [sum(a[i * d + k] * b[k * d + j] for k in range(d)) for i in range(d) for j in range(d)]


@given(a=matrices(3), b=matrices(3), c=matrices(3), factor=thirds)
@settings(max_examples=60, deadline=None)
def test_error_bounds_hold(a, b, c, factor):
    x, y, z = (array(m, (3, 3)) for m in (a, b, c))
    result = ((x @ y) @ z).times(factor) - y
    wanted = [factor * u - v for u, v in zip(dot(dot(a, b, 3), c, 3), b, strict=True)]
    assert gap(result, wanted) <= result.error
    assert result.error < ONE >> 300


@given(a=matrices(3))
@settings(max_examples=40, deadline=None)
def test_factor_and_inverse_of_a_positive_matrix(a):
    square = [
        x + Fr(int(k in (0, 4, 8)), 5)
        for k, x in enumerate(dot(a, [a[j * 3 + i] for i in range(3) for j in range(3)], 3))
    ]
    # a a^T written row by row, plus a fifth of the identity
    matrix = array(square, (3, 3))
    factor = cholesky(matrix)
    product = Fixed(factor.units) @ Fixed(factor.units.T)
    assert gap(product, square) <= factor.error + product.error
    white = inverse(factor.units)
    unit = white @ Fixed(factor.units)
    assert (unit - identity(3)).norm <= 2 * unit.error + 2


def test_an_indefinite_matrix_has_no_factor():
    with pytest.raises(Rejected):
        cholesky(array([Fr(1), Fr(2), Fr(2), Fr(1)], (2, 2)))


def test_pivots_count_negative_eigenvalues():
    draw = np.random.default_rng(1)
    for _ in range(20):
        a = draw.normal(size=(5, 5))
        a = a + a.T
        found, _ = pivots(array([Fr(float(x)) for x in a.flat], (5, 5)).units)
        assert sum(p < 0 for p in found) == sum(np.linalg.eigvalsh(a) < 0)


@pytest.mark.parametrize("d", [1, 2, 6])
def test_extreme_eigenvalues(d):
    draw = np.random.default_rng(d)
    x = draw.normal(size=(9, d))
    x[:, d // 2] *= 1e-3
    low, high = extremes(array((Fr(float(v)) for v in (x.T @ x + (x.T @ x).T).flat), (d, d)))
    wanted = mpmath.eigsy(mpmath.matrix((x.T @ x + (x.T @ x).T).tolist()), eigvals_only=True)
    assert abs(low.value - min(wanted)) < mpf(10) ** -50
    assert abs(high.value - max(wanted)) < mpf(10) ** -50
    assert 0 < low.error < mpf(10) ** -60


def test_a_zero_column_gives_a_least_eigenvalue_of_exactly_0():
    low, _ = extremes(array([Fr(2), Fr(0), Fr(0), Fr(0)], (2, 2)))
    assert low == Approx(mpf(0), mpf(0))


def test_tridiagonal_form_keeps_the_spectrum_and_the_length():
    draw = np.random.default_rng(4)
    a = draw.normal(size=(6, 6))
    a, v = a + a.T, draw.normal(size=6)
    nu, diagonal, off, change = tridiagonal(
        array(map(Fr, map(float, v)), (6,)).units, array((Fr(float(x)) for x in a.flat), (6, 6)).units
    )
    small = np.diag([float(real(x)) for x in diagonal])
    small += np.diag([float(real(x)) for x in off], 1) + np.diag([float(real(x)) for x in off], -1)
    assert np.allclose(np.linalg.eigvalsh(small), np.linalg.eigvalsh(a))
    assert np.allclose(float(real(nu)), np.linalg.norm(v))
    assert np.isclose(small[0, 0], v @ a @ v / (v @ v))
    assert change < ONE >> (BITS - 16)


def pair(mean, first, second=None):
    d = len(mean)
    shift = array(map(Fr, mean), (d,))
    zero = array([Fr(0)] * d, (d,))
    covariance = array((Fr(first[i]) if i == j else Fr(0) for i in range(d) for j in range(d)), (d, d))
    other = second or [1] * d
    base = array((Fr(other[i]) if i == j else Fr(0) for i in range(d) for j in range(d)), (d, d))
    return Pair((shift, covariance), (zero, base))


@pytest.mark.parametrize("epsilon", ["0", "0.3", "2", "40"])
def test_the_line_integral_of_equal_covariances_is_the_gaussian_curve(epsilon):
    found = along_line(pair(["0.6", "0.8"], [1, 1]), mpf(epsilon), 25)
    wanted = gaussian_delta(mpf(1), mpf(epsilon))
    assert abs(found.value - wanted) <= found.error <= wanted * mpf(10) ** -24


def test_the_line_integral_of_other_variances_against_a_sum_over_the_plane():
    """Independent: the double integral of max(p - e^eps q, 0) in floats, by the trapezoidal rule."""
    variances = [1.5, 0.6, 1.2, 0.8, 1.3, 0.7, 1.1, 0.9]
    exact_pair = pair(["0.5"] + ["0"] * 7, [str(v) for v in variances])
    found = along_line(exact_pair, mpf("0.2"), 9)
    draw = np.random.default_rng(0)  # 4e6 points: one standard error is about 2e-4, five allowed
    x = draw.normal(size=(4 * 10**6, 8))
    x *= np.sqrt(variances)
    x[:, 0] += 0.5
    ratio = 0.5 * (x**2).sum(axis=1) - 0.5 * (
        (x[:, 0] - 0.5) ** 2 / variances[0] + (x[:, 1:] ** 2 / variances[1:]).sum(axis=1)
    )
    ratio -= 0.5 * np.log(variances).sum()
    gain = np.maximum(0, 1 - np.exp(0.2 - ratio))
    assert abs(gain.mean() - float(found.value)) < 5 * gain.std() / 2000


def test_log_m_is_the_closed_form():
    sample = pair(["0.5", "-1"], ["1.5", "0.7"])
    s = mpf("0.6")
    wanted = mpf(0)
    for mean, variance in ((mpf("0.5"), mpf("1.5")), (mpf(-1), mpf("0.7"))):
        mixed = (1 + s) - s * variance
        wanted += s * (s + 1) * mean**2 / (2 * mixed)
        wanted -= mpmath.log(mixed * variance**s) / 2
    assert abs(sample.log_m(s) - wanted) < mpf(10) ** -50
    ((point, along),) = sample.along(s, [mpf(3)])
    assert abs(along - sample.log_m(point)) < mpf(10) ** -50


@given(st.lists(st.tuples(st.integers(1, 3), *(st.integers(1, 12),) * 3), min_size=1, max_size=4),
       st.integers(0, 5))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_least_energy_against_a_solver(parts, distance):
    """Independent: scipy's constrained minimizer over the absorbed distances."""
    blocks = [(n, mpf(c) / 10, mpf(s) / 10, mpf(v) / 10) for n, c, s, v in parts]
    found = least_energy(blocks, mpf(distance) / 10)
    steps = [(float(c), float(s), float(v)) for n, c, s, v in blocks for _ in range(n)]

    def left(a):
        z, trail = distance / 10, []
        for (c, s, _), absorbed in zip(steps, a, strict=True):
            z = c * z + s - absorbed
            trail.append(z)
        return np.array(trail)

    start = [s for _, s, _ in steps]
    start[0] += steps[0][0] * distance / 10
    best = minimize(
        lambda a: sum(x * x / v for x, (_, _, v) in zip(a, steps, strict=True)),
        start,
        bounds=[(0, None)] * len(steps),
        constraints=[
            {"type": "ineq", "fun": lambda a: left(a)[:-1]},
            {"type": "eq", "fun": lambda a: left(a)[-1]},
        ],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert float(found) <= best.fun * (1 + 1e-6) + 1e-9
    if best.success:
        assert float(found) >= best.fun * (1 - 1e-4) - 1e-9


def test_a_shift_after_the_last_noise_is_infinite():
    assert least_energy([(3, mpf("0.5"), mpf(1), mpf(0))], mpf(0)) == mpf("inf")


def test_gaussian_curve_far_out():
    """Golden: delta = 1.3723529e-536 at mu = 1, epsilon = 50 (dp-accounting answers 0)."""
    assert mpmath.nstr(gaussian_delta(mpf(1), mpf(50)), 8) == "1.3723529e-536"


def test_exponentials_by_table():
    numbers = [mpf(k) / 7 for k in range(-300, 300, 13)]
    units = np.array([int(x * 2**FINE) for x in numbers], dtype=object)
    for x, found in zip(numbers, _exponential(units), strict=True):
        assert abs(mpf(int(found)) / mpf(2) ** FINE / mpmath.exp(x) - 1) < mpf(2) ** (6 - FINE) * (
            1 + mpmath.exp(-x)
        )


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("[0.5 +/- 1e-3]", "0.5009", True),
        ("[0.5 +/- 1e-3]", "0.5011", False),
        ("[+/- 1e-30]", "1e-31", True),
        ("[+/- 1e-30]", "1e-29", False),
        ("0", "0", True),
        ("0", "1e-300", False),
        ("[1.5e-400 +/- 2e-410]", "1.5e-400", True),
        ("[+/- inf]", "3", False),
        ("[+/- inf]", "inf", True),
        ("[1 +/- 2]", "inf", False),
        ("nan", "1", False),
        ("[1 +/- nan]", "1", False),
        ("1..2", "1", False),
        (1.0, "1", False),
        (None, "0", False),
    ],
)
def test_enclosures(text, value, holds):
    if holds:
        _encloses(text, mpf(value), "x")
    else:
        with pytest.raises(Rejected):
            _encloses(text, mpf(value), "x")


@pytest.mark.parametrize(
    "text", ["1e-999999999", "1/0", " 1", "0x1", "1_0", "", "--1", "1" * 200_000, 0.5, None]
)
def test_numbers_that_are_none(text):
    with pytest.raises(Rejected):
        exact(text, "x")


def test_exact_numbers():
    assert [exact(x, "") for x in ("-0.25", "1/3", "2.5e-3", "7")] == [
        Fr(-1, 4),
        Fr(1, 3),
        Fr(1, 400),
        Fr(7),
    ]
