"""E-variables: under no pair of laws that keeps the claim is the mean above 1; the best is the limit."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import norm

from certaudit.audit.statistics.evalue import (
    Gaussian,
    HockeyStick,
    Ratios,
    Renyi,
    gaussian_delta,
    growth,
    log_e,
)
from certaudit.audit.statistics.limit import limit, of_gaussian_dp

BOTH = ("P|Q", "Q|P")


def laws(rng, points):
    """A random pair of laws on a few points."""
    p, q = rng.dirichlet(np.full(points, 0.7)), rng.dirichlet(np.full(points, 0.7))
    return p, q


def excess(p, q, epsilon):
    return np.maximum(p - math.exp(epsilon) * q, 0).sum()


def least_epsilon(p, q, delta, directions):
    pairs = {"P|Q": (p, q), "Q|P": (q, p)}
    low, high = 0.0, 60.0
    for _ in range(80):
        middle = (low + high) / 2
        ok = all(excess(*pairs[d], middle) <= delta for d in directions)
        low, high = (low, middle) if ok else (middle, high)
    return high


def mean_e(bet, value, p, q):
    """E u E v over a law of log-ratios at the points."""
    u, v = bet.logs(value)
    return float((p * np.exp(u)).sum() * (q * np.exp(v)).sum())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1e-5, 0.05, 0.3]), st.sampled_from([BOTH, BOTH[:1]]))
def test_hockey_stick_bets_are_e_variables(seed, delta, directions):
    """The claim is tight at the null pair; what is bet is tuned on another pair, and on this one."""
    rng = np.random.default_rng(seed)
    p, q = laws(rng, 5)
    epsilon = least_epsilon(p, q, delta, directions) + 1e-12
    value = rng.normal(0, 3, 5)
    for past in (Ratios(value, *laws(rng, 5)), Ratios(value, p, q)):
        for tuned in (None, epsilon + 0.3):
            bet = HockeyStick(epsilon, delta, directions, tuned).bet(past)
            assert mean_e(bet, value, p, q) <= 1 + 1e-9


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1.5, 2.0, 8.0]), st.sampled_from(BOTH))
def test_renyi_bets_are_e_variables(seed, order, direction):
    rng = np.random.default_rng(seed)
    p, q = laws(rng, 5)
    first, second = (p, q) if direction == "P|Q" else (q, p)
    with np.errstate(all="ignore"):
        value = math.log((first**order * second ** (1 - order)).sum()) / (order - 1)
    if not 0 < value < 30:
        return
    at = rng.normal(0, 2, 5)
    for past in (Ratios(at, *laws(rng, 5)), Ratios(at, p, q)):
        assert mean_e(Renyi(order, value, direction).bet(past), at, p, q) <= 1 + 1e-9


@pytest.mark.parametrize("mu", [0.3, 1.0])
def test_gaussian_bets_are_e_variables_at_the_gaussian_pair(mu):
    """N(mu, 1) and N(0, 1) are mu-GDP and no better; bets tuned on a wider pair are tried there."""
    x = np.linspace(-9, 9 + mu, 4001)
    middles, edges = (x[1:] + x[:-1]) / 2, x
    p, q = np.diff(norm.cdf(edges, mu)), np.diff(norm.cdf(edges))
    value = mu * middles - mu**2 / 2
    for wide in (1.2, 2.0):
        past = of_gaussian_dp(wide * mu)
        bet = Gaussian(mu, 0.0, BOTH).bet(past)
        assert growth(bet, past) > 0
        assert mean_e(bet, wide * value, p, q) <= 1 + 1e-5


def test_gaussian_delta_is_that_of_the_pair():
    x = np.linspace(-12, 13, 200001)
    p, q = norm.pdf(x, 1), norm.pdf(x)
    for epsilon in (0.0, 0.5, 2.0):
        assert gaussian_delta(1.0, epsilon) == pytest.approx(
            np.maximum(p - math.exp(epsilon) * q, 0).sum() * (x[1] - x[0]), rel=1e-4
        )


@pytest.mark.parametrize(("epsilon", "delta"), [(1.09, 1e-5), (0.44, 1e-5), (0.3, 0.1), (0.7, 0.02)])
def test_the_growth_limit_is_the_least_divergence_to_the_claim(epsilon, delta):
    """Against a general-purpose minimizer of KL(P|P') + KL(Q|Q') over discrete pairs."""
    p = np.array([0.05, 0.10, 0.20, 0.30, 0.35])
    q = p[::-1].copy()
    truth = Ratios(np.log(p / q), p, q)

    def objective(x):
        return float((p * np.log(p / x[:5])).sum() + (q * np.log(q / x[5:])).sum())

    def kept(x):
        a, b = x[:5], x[5:]
        return [delta - excess(a, b, epsilon), delta - excess(b, a, epsilon)]

    found = minimize(
        objective,
        np.concatenate([(p + q) / 2, (p + q) / 2]),
        bounds=[(1e-6, 1)] * 10,
        constraints=[
            {"type": "eq", "fun": lambda x: x[:5].sum() - 1},
            {"type": "eq", "fun": lambda x: x[5:].sum() - 1},
            {"type": "ineq", "fun": kept},
        ],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    ours = limit([HockeyStick(epsilon, delta, BOTH)], truth)
    assert ours <= found.fun + 1e-6
    assert ours == pytest.approx(found.fun, rel=0.03)


def test_the_same_bet_gains_more_at_a_smaller_claim():
    past = of_gaussian_dp(1.0)
    value = np.linspace(-4, 4, 81)
    wealth = [
        log_e(HockeyStick(e, 1e-5, BOTH, 1.0).bet(past), value, -value) for e in (1.0, 0.8, 0.3, 0.0)
    ]
    assert all((b >= a - 1e-12).all() for a, b in pairwise(wealth))


def test_a_claim_that_holds_is_not_bet_on():
    same = Ratios(np.linspace(-1, 1, 9), np.full(9, 1 / 9), np.full(9, 1 / 9))
    for null in (HockeyStick(0.5, 1e-5, BOTH), Gaussian(0.5, 0.0, BOTH), Renyi(2.0, 0.5, "P|Q")):
        assert growth(null.bet(same), same) == 0


def test_extreme_claims_do_not_overflow():
    past = of_gaussian_dp(3.0)
    value = np.array([-700.0, -30.0, 0.0, 30.0, 700.0])
    for null in (
        HockeyStick(0.0, 0.0, BOTH),
        HockeyStick(690.0, 0.0, BOTH),
        HockeyStick(1e6, 0.5, BOTH),
        HockeyStick(1.0, 1.0, BOTH),
        Gaussian(0.0, 0.0, BOTH),
        Gaussian(60.0, 0.5, BOTH),
        Renyi(1.0001, 1e-9, "P|Q"),
        Renyi(500.0, 3.0, "Q|P"),
    ):
        logs = log_e(null.bet(past), value, value)
        assert not np.isnan(logs).any()
        assert (logs < 10).all()
