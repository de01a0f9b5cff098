"""The best attacker under a claim, against independent evaluations: never understated, and tight."""

import math
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.stats import norm

from certaudit.claims import BOTH, EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.judgement.attacker import RATES, attacker

ONE = ("P|Q",)


@given(
    epsilon=st.fractions(0, 12),
    delta=st.fractions(0, F(9, 10), max_denominator=10**6),
)
@settings(max_examples=40, deadline=None)
def test_epsilon_delta_is_the_exact_trade_off(epsilon, delta):
    found = attacker(EpsilonDelta("e", F(3), delta), epsilon)
    e, d = math.exp(epsilon), float(delta)
    for rate, best in zip(RATES, found.rates, strict=True):
        a = float(rate)
        trade_off = max(0.0, 1 - d - e * a, (1 - d - a) / e)
        assert float(best) == pytest.approx(1 - trade_off, rel=1e-12, abs=1e-15)
    assert float(found.advantage) == pytest.approx((e - 1 + 2 * d) / (e + 1), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("directions", [BOTH, ONE])
@pytest.mark.parametrize(("epsilon", "delta"), [(F(1), F(1, 10)), (F(1, 10), F(1, 100)), (F(3), F(0))])
def test_no_pair_of_laws_that_keeps_the_claim_gives_a_better_attack(directions, epsilon, delta):
    """A linear program over the two rates of an event and its complement."""
    found = attacker(EpsilonDelta("e", epsilon, delta, directions), epsilon)
    e, d = math.exp(epsilon), float(delta)
    rows, limits = [], []  # unknown (p, q): the event's probability in either world
    for first in {"P|Q": (0,), "Q|P": (1,)}[directions[0]] if len(directions) == 1 else (0, 1):
        x, y = np.eye(2)[first], np.eye(2)[1 - first]
        rows += [x - e * y, e * y - x]
        limits += [d, e - 1 + d]

    def best(gain, equal=None):
        return -linprog(
            -np.array(gain),
            rows,
            limits,
            A_eq=None if equal is None else [equal[0]],
            b_eq=None if equal is None else [equal[1]],
            bounds=[(0, 1)] * 2,
        ).fun

    for rate, bound in zip(RATES, found.rates, strict=True):
        truth = max(best([1, 0], ([0, 1], float(rate))), best([0, 1], ([1, 0], float(rate))))
        assert truth <= float(bound) * (1 + 1e-9)
        assert float(bound) == pytest.approx(truth, rel=1e-6)
    assert float(found.advantage) == pytest.approx(max(best([1, -1]), best([-1, 1])), rel=1e-6)


@pytest.mark.parametrize("mu", [F(1, 1000), F(1, 20), F(1), F(4), F(30)])
@pytest.mark.parametrize("slack", [F(0), F(1, 10**6), F(1, 10)])
@pytest.mark.parametrize("directions", [BOTH, ONE])
def test_gaussian_dp_is_the_exact_trade_off(mu, slack, directions):
    found = attacker(GaussianClaim("g", F(2), slack, directions), mu)
    m, s = float(mu), float(slack)

    def best(a):
        first = np.minimum(norm.cdf(norm.ppf(a) + m) + s, 1)
        second = np.where(a + s < 1, norm.cdf(norm.ppf(np.minimum(a + s, 1 - 1e-16)) + m), 1.0)
        return (np.minimum if len(directions) == 2 else np.maximum)(first, second)

    for rate, bound in zip(RATES, found.rates, strict=True):
        truth = float(best(float(rate)))
        assert float(bound) >= truth * (1 - 1e-12)
        assert float(bound) == pytest.approx(truth, rel=1e-9)
    grid = np.concatenate([np.geomspace(1e-9, 0.01, 20_000), np.linspace(0.01, 0.999, 100_000)])
    truth = float((best(grid) - grid).max())
    assert float(found.advantage) >= truth - 1e-12
    assert float(found.advantage) == pytest.approx(truth, rel=1e-3)


@pytest.mark.parametrize("directions", [BOTH, ONE])
@pytest.mark.parametrize(("order", "value"), [(F(2), F(1)), (F(8), F(1, 1000)), (F(5, 2), F(1, 10**6))])
def test_a_renyi_divergence_bounds_two_point_laws(order, value, directions):
    found = attacker(RenyiClaim("r", order, F(1), directions), value)
    a, r = float(order), float(value)

    def divergence(p, q):
        return math.log(p**a * q ** (1 - a) + (1 - p) ** a * (1 - q) ** (1 - a)) / (a - 1)

    def keeps(p, q):
        pairs = {"P|Q": (p, q), "Q|P": (q, p)}
        return all(divergence(*pairs[one]) <= r for one in directions)

    for rate, bound in zip(RATES, found.rates, strict=True):
        x, b = float(rate), float(bound)
        inside, outside = x + (b - x) * (1 - 1e-5), x + (b - x) * (1 + 1e-5)
        assert keeps(inside, x) or keeps(x, inside)
        assert not keeps(outside, x)
        assert not keeps(x, outside)
    rng = np.random.default_rng(0)
    for p, q in rng.uniform(1e-6, 1 - 1e-6, (20_000, 2)):
        p = q + (p - q) * math.sqrt(r)  # near enough to keep it, often
        if keeps(p, q):
            assert abs(p - q) <= float(found.advantage)


def test_a_gaussian_pair_lies_below_its_epsilon_delta_trade_off():
    """mu = 1 is (4.3772, 1e-5): no test of N(1, 1) against N(0, 1) beats the claim's."""
    found = attacker(EpsilonDelta("e", F(5), F(1, 10**5)), F("4.37718"))
    for rate, best in zip(RATES, found.rates, strict=True):
        assert norm.cdf(norm.ppf(float(rate)) + 1) <= float(best)


@pytest.mark.parametrize("value", [F(10) ** 9, F(10) ** 3000, F(999)])
def test_huge_values_leave_a_perfect_attacker(value):
    for claim in (
        EpsilonDelta("e", value, F(0)),
        GaussianClaim("g", value, F(0)),
        RenyiClaim("r", F(2), value),
        RenyiClaim("r", F(10) ** 30, value),
    ):
        found = attacker(claim, value)
        assert all(float(rate) == pytest.approx(1) for rate in found.rates)
        assert float(found.advantage) == pytest.approx(1)


def test_nothing_is_leaked_by_a_claim_of_nothing():
    for claim in (EpsilonDelta("e", F(0), F(0)), GaussianClaim("g", F(0), F(0))):
        found = attacker(claim, F(0))
        assert [float(rate) for rate in found.rates] == pytest.approx([0.001, 0.01, 0.1])
        assert float(found.advantage) == pytest.approx(0, abs=1e-12)


def test_a_claim_about_a_step_leaves_no_attacker():
    assert attacker(SensitivityClaim("s", 3, F(1), F(0)), F(1)) is None
