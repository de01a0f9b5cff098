"""Coverage of every lower bound at a truth it must not exceed, by simulation with fixed seeds.

A bound at level a may miss binom.isf(1e-6, audits, a) times: each test fails falsely once in a million.
"""

import math

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from certaudit.audit.statistics.confidence import Event, RocBand, Trial, choose_event, try_event
from certaudit.audit.statistics.divergence import (
    choose_witness,
    hockey_stick_lower_bound,
    knn_estimate,
    renyi_lower_bound,
)
from certaudit.audit.statistics.means import betting, empirical_bernstein, hoeffding, lower_mean
from certaudit.audit.statistics.power import gaussian_epsilon

LEVEL = 0.1


def misses(audits, bad):
    return sum(bool(bad(np.random.default_rng((23, k)))) for k in range(audits))


def mean_case(bound, values, truth):
    return lambda rng: bound(values(rng), LEVEL) > truth


MEANS = {
    "rare ones": (lambda rng: (rng.random(150) < 0.03).astype(float), 0.03),
    "coins": (lambda rng: (rng.random(150) < 0.5).astype(float), 0.5),
    "small values": (lambda rng: rng.beta(0.3, 3, 150), 0.3 / 3.3),
    "constant": (lambda rng: np.full(150, 0.4), 0.4),
}


def band_case(rng):
    """A simultaneous band misses if any threshold's rates are outside it."""
    p, q = rng.normal(1, 1, 150), rng.normal(0, 1, 150)
    band = RocBand.of(p, q, LEVEL)
    low, high = band.rates()
    at = np.unique(np.concatenate([band.first, band.second]))
    return (low > norm.sf(at - 1)).any() or (high < norm.sf(at)).any()


def a1_case(rng):
    p, q = rng.normal(1, 1, 300), rng.normal(0, 1, 300)
    event = choose_event(p[:150], q[:150], 1e-2, LEVEL)
    return try_event(event, p[150:], q[150:], LEVEL).epsilon(1e-2) > gaussian_epsilon(1, 1e-2)


def a3_case(rng):
    p, q = rng.normal(1, 1, 300), rng.normal(0, 1, 300)
    event = choose_event(p[:150], q[:150], 0.0, LEVEL, "mu")
    return try_event(event, p[150:], q[150:], LEVEL).mu(0.0) > 1


def stick_case(rng):
    """The event {x > 1/2 + eps} is optimal for N(1,1), N(0,1)."""
    epsilon = 0.3
    p, q = rng.normal(1, 1, 150), rng.normal(0, 1, 150)
    truth = norm.sf(epsilon - 0.5) - math.exp(epsilon) * norm.sf(epsilon + 0.5)
    event = Event(0.5 + epsilon, "above")
    return hockey_stick_lower_bound(event, p, q, epsilon, LEVEL) > truth


def renyi_case(rng):
    p, q = rng.normal(0.8, 1, 600), rng.normal(0, 1, 600)
    score = [0.8 * x - 0.32 for x in (p, q)]
    witness = choose_witness(score[0][:300], score[1][:300], 2.0, LEVEL)
    return renyi_lower_bound(witness, score[0][300:], score[1][300:], 2.0, LEVEL) > 0.64


CASES = {
    **{
        f"{bound.__name__}, {name}": mean_case(bound, *case)
        for bound in (lower_mean, betting, empirical_bernstein, hoeffding)
        for name, case in MEANS.items()
    },
    "ROC band": band_case,
    "A1": a1_case,
    "A3": a3_case,
    "hockey stick": stick_case,
    "A5": renyi_case,
}


@pytest.mark.parametrize("case", CASES)
def test_coverage(case):
    assert misses(200, CASES[case]) <= binom.isf(1e-6, 200, LEVEL)


@pytest.mark.statistics
@pytest.mark.parametrize("case", CASES)
def test_coverage_in_2000_audits(case):
    assert misses(2000, CASES[case]) <= binom.isf(1e-6, 2000, LEVEL)


def test_the_betting_bound_is_nearly_that_of_the_binomial():
    """At 1000 rare ones it is far above Hoeffding's and not above Clopper–Pearson."""
    values = np.random.default_rng(0).permutation(np.repeat([1.0, 0.0], [20, 980]))
    exact = beta.ppf(0.05, 20, 981)
    assert hoeffding(values, 0.05) < 0
    assert 0.6 * exact < betting(values, 0.05) <= exact


def test_the_band_is_weaker_than_a_chosen_threshold_and_stronger_than_nothing():
    rng = np.random.default_rng(1)
    p, q = rng.normal(2, 1, 2000), rng.normal(0, 1, 2000)
    band = RocBand.of(p, q, 0.05).epsilon(1e-5)
    event = choose_event(p[:1000], q[:1000], 1e-5, 0.05)
    assert 0.5 * try_event(event, p, q, 0.05).epsilon(1e-5) < band


def test_the_credible_bound_is_a_quantile_of_the_posterior():
    """Against draws of the two Jeffreys posteriors."""
    trial = Trial(Event(0.0, "above"), 60, 12, 100, 0.0, 1.0)
    rng = np.random.default_rng(2)
    first, second = rng.beta(60.5, 40.5, 400000), rng.beta(12.5, 88.5, 400000)
    with np.errstate(invalid="ignore"):
        draws = np.log(np.maximum(first - 0.01, 1e-9) / second)
    assert trial.credible_epsilon(0.01, 0.05) == pytest.approx(np.quantile(draws, 0.05), abs=0.01)
    assert Trial(Event(0.0, "above"), 10, 12, 100, 0.0, 1.0).credible_epsilon(0.01, 0.05) == -math.inf


def test_knn_is_close_on_a_known_pair():
    rng = np.random.default_rng(4)
    p, q = rng.normal(0.7, 1, (8000, 2)), rng.normal(0, 1, (8000, 2))
    assert knn_estimate(p, q, 2.0) == pytest.approx(2 * 0.98 / 2, rel=0.3)
    assert math.isnan(knn_estimate(p[:3], q[:3], 2.0))
    assert math.isnan(knn_estimate(np.zeros((50, 2)), np.zeros((50, 2)), 2.0))
