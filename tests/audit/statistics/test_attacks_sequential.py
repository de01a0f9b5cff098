"""E-processes: few pairs where a claim is broken, few false alarms where it just holds.

Each false-alarm bound is binom.isf(1e-6, audits, level): a test here fails falsely once in a million.
"""

import math

import numpy as np
import pytest
from scipy.stats import binom

from certaudit.audit.scores.linear_discriminant import LinearDiscriminant
from certaudit.audit.scores.log_ratio import LogRatio
from certaudit.audit.scores.quadratic_discriminant import QuadraticDiscriminant
from certaudit.audit.statistics.calibration import Calibration
from certaudit.audit.statistics.evalue import Gaussian, HockeyStick, Renyi
from certaudit.audit.statistics.limit import limit, of_gaussian_dp, of_law
from certaudit.audit.statistics.power import gaussian_epsilon
from certaudit.audit.statistics.sequential import EProcesses, Wealth
from certaudit.audit.statistics.shift_counts import ShiftWealth, log_wealth_of_counts

BOTH = ("P|Q", "Q|P")
UNIT = np.eye(1)


def true_ratio(mu=1.0):
    return LogRatio(np.full(1, mu), UNIT, np.zeros(1), UNIT)


def audit(scores, nulls, p, q, level=0.05):
    process = EProcesses(scores, [Wealth(nulls, level)])
    process.extend(p, q)
    return process.wealths[0]


def gaussian_pair(rng, mu, pairs):
    return rng.normal(mu, 1, (pairs, 1)), rng.normal(0, 1, (pairs, 1))


SCORES = {
    "true log-ratio": lambda: [true_ratio()],
    "linear discriminant": lambda: [LinearDiscriminant()],
}


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("epsilon", "most"), [(1.09, 300), (0.44, 80)])
def test_pairs_to_refute_a_claim_about_a_gaussian_pair(score, epsilon, most):
    """mu = 1, where the exact epsilon(1e-5) is 4.38; medians of 61 audits at confidence 0.95."""
    after = []
    for seed in range(61):
        p, q = gaussian_pair(np.random.default_rng((5, seed)), 1.0, 1500)
        wealth = audit(SCORES[score](), [HockeyStick(epsilon, 1e-5, BOTH)], p, q)
        after.append(wealth.refuted_after or math.inf)
    assert np.median(after) <= most


def test_the_growth_limits_of_the_gaussian_pair():
    """By a fine integral of the optimum log-ratio, a = b = 1 by symmetry."""
    for epsilon, expected in ((1.09, 0.02184), (0.44, 0.09748)):
        null = HockeyStick(epsilon, 0.0, BOTH)
        assert limit([null], of_gaussian_dp(1.0)) == pytest.approx(expected, rel=2e-3)
        sampled = of_law((np.ones(1), UNIT, np.zeros(1), UNIT))
        assert limit([null], sampled) == pytest.approx(expected, rel=0.05)


def alarms(audits, pairs, draw, scores, nulls, level):
    """Audits of a claim that just holds, that refute it."""
    count = 0
    for seed in range(audits):
        p, q = draw(np.random.default_rng((17, seed)), pairs)
        count += audit(scores(), nulls, p, q, level).refuted_after is not None
    return count


def randomized_response(epsilon):
    """One bit, kept with probability e^epsilon / (1 + e^epsilon): the claim is tight at both events."""
    keep = 1 / (1 + math.exp(-epsilon))

    def draw(rng, pairs):
        p, q = (rng.random((pairs, 1)) < keep), (rng.random((pairs, 1)) >= keep)
        return p.astype(float), q.astype(float)

    return draw


def with_slack(delta):
    """Three outcomes: an unmistakable one of probability delta in each world, else a fair bit.

    P = (delta, 0, rest), Q = (0, delta, rest): (0, delta) holds and no smaller delta does.
    """

    def draw(rng, pairs):
        p, q = rng.random((pairs, 1)), rng.random((pairs, 1))
        return np.where(p < delta, 1.0, 0.0), np.where(q < delta, -1.0, 0.0)

    return draw


def gaussians(mu):
    return lambda rng, pairs: gaussian_pair(rng, mu, pairs)


MU, DELTA, LEVEL = 1.0, 0.05, 0.1
BOUNDARY = {
    "randomized response, learned": (
        randomized_response(0.5),
        lambda: [LinearDiscriminant()],
        [HockeyStick(0.5, 0.0, BOTH)],
    ),
    "randomized response, two scores": (
        randomized_response(0.2),
        lambda: [LinearDiscriminant(), QuadraticDiscriminant()],
        [HockeyStick(0.2, 0.0, BOTH, 0.25)],
    ),
    "slack only": (
        with_slack(0.1),
        lambda: [LinearDiscriminant()],
        [HockeyStick(0.0, 0.1, BOTH)],
    ),
    "Gaussian pair, learned": (
        gaussians(MU),
        lambda: [LinearDiscriminant()],
        [HockeyStick(gaussian_epsilon(MU, DELTA), DELTA, BOTH)],
    ),
    "Gaussian pair, true log-ratio": (
        gaussians(MU),
        lambda: [true_ratio(MU)],
        [HockeyStick(gaussian_epsilon(MU, DELTA), DELTA, BOTH)],
    ),
    "Gaussian pair, its mu": (
        gaussians(0.5),
        lambda: [true_ratio(0.5)],
        [Gaussian(0.5, 0.0, BOTH)],
    ),
    "Gaussian pair, its Renyi divergence": (
        gaussians(0.8),
        lambda: [true_ratio(0.8)],
        [Renyi(3.0, 3.0 * 0.64 / 2, d) for d in BOTH],
    ),
}


@pytest.mark.parametrize("case", BOUNDARY)
def test_false_alarms_at_the_boundary(case):
    """200 short audits each; 2000 longer ones with -m statistics."""
    assert alarms(200, 30, *BOUNDARY[case], LEVEL) <= binom.isf(1e-6, 200, LEVEL)


@pytest.mark.statistics
@pytest.mark.parametrize("case", BOUNDARY)
def test_false_alarms_at_the_boundary_in_2000_audits(case):
    assert alarms(2000, 120, *BOUNDARY[case], LEVEL) <= binom.isf(1e-6, 2000, LEVEL)


@pytest.mark.statistics
def test_a_claim_a_little_too_small_is_refuted_often():
    """The test above could fail: the same audits refute epsilon 0.1 where 0.5 is true."""
    draw, scores, _ = BOUNDARY["randomized response, learned"]
    broken = alarms(500, 120, draw, scores, [HockeyStick(0.1, 0.0, BOTH)], LEVEL)
    assert broken > binom.isf(1e-6, 500, LEVEL)


def test_wealth_does_not_depend_on_how_shadows_arrive():
    p, q = gaussian_pair(np.random.default_rng(3), 0.4, 300)
    null = [HockeyStick(2.0, 1e-5, BOTH)]
    whole = audit([LinearDiscriminant()], null, p, q)
    parts = EProcesses([LinearDiscriminant()], [Wealth(null, 0.05)])
    for start, stop in ((0, 1), (1, 6), (6, 7), (7, 100), (100, 300)):
        parts.extend(p[start:stop], q[start:stop])
    assert parts.wealths[0].now == pytest.approx(whole.now, abs=1e-9)
    assert parts.wealths[0].reached == pytest.approx(whole.reached, abs=1e-9)


def test_the_past_alone_decides_a_bet():
    """In one round log wealth gains log u(x) + log v(y), each of its own shadow alone."""
    p, q = gaussian_pair(np.random.default_rng(4), 1.5, 40)

    def gain(x, y):
        process = EProcesses([LinearDiscriminant()], [Wealth([HockeyStick(0.5, 1e-5, BOTH)], 1e-9)])
        process.extend(p, q)
        before = process.wealths[0].now
        process.extend(np.array([[x]]), np.array([[y]]))
        return process.wealths[0].now - before

    table = np.array([[gain(x, y) for y in (-2.0, 1.0)] for x in (-1.0, 3.0)])
    assert np.ptp(table) > 0.1
    assert table[0, 0] + table[1, 1] == pytest.approx(table[0, 1] + table[1, 0], abs=1e-9)


def test_a_world_without_noise_is_refuted_at_once():
    p, q = np.tile([1.0, 2.0], (200, 1)), np.tile([1.0, 2.5], (200, 1))
    wealth = audit([LinearDiscriminant(), QuadraticDiscriminant()], [HockeyStick(1.0, 1e-5, BOTH)], p, q)
    assert wealth.refuted_after is not None
    assert wealth.refuted_after <= 25


def test_calibration_of_a_useless_score_says_nothing():
    rng = np.random.default_rng(1)
    calibration = Calibration(rng.normal(size=200), rng.normal(size=200))
    assert np.abs(calibration.log_ratio(rng.normal(size=200))).max() < 0.2


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_calibration_finds_the_log_ratio_at_any_scale(scale):
    rng = np.random.default_rng(2)
    p, q = rng.normal(1, 1, 4000), rng.normal(0, 1, 4000)
    x = np.linspace(-1, 2, 7)
    found = Calibration(scale * p + 3, scale * q + 3).log_ratio(scale * x + 3)
    assert np.allclose(found, x - 0.5, atol=0.25)


def test_calibration_survives_nonsense():
    bad = np.array([np.nan, np.inf, -np.inf] * 6)
    assert np.isfinite(Calibration(bad, bad[::-1]).log_ratio(bad)).all()


def test_counts_of_shifts_are_an_e_process():
    """Exactly, by enumeration: the mean over n trials at the claimed probability is 1 or less."""
    for claimed in (0.01, 0.3):
        for n in (1, 5, 30):
            hits = np.arange(n + 1)
            e = np.exp(log_wealth_of_counts(hits.astype(float), np.full(n + 1, float(n)), claimed))
            for true in (claimed, claimed / 2, 0.0):
                assert float((binom.pmf(hits, n, true) * e).sum()) <= 1 + 1e-9
    assert log_wealth_of_counts(np.array([1.0]), np.array([5.0]), 0.0)[0] == math.inf


def test_frequent_shifts_are_refuted_and_bounded():
    rng = np.random.default_rng(0)
    wealth = ShiftWealth(0.05, 0.05)
    for _ in range(4):
        wealth.extend({"P": rng.random(100), "Q": rng.random(100)}, 0.7)
    assert wealth.refuted_after is not None
    assert 0.05 < wealth.lower_bound() < 0.3
