"""Every bound of the attacking half holds as often as it says."""

import math
from fractions import Fraction as F

import numpy as np
import pytest
from scipy.stats import binom, norm

from certaudit.audit.attack import exceeds
from certaudit.audit.scores.linear_discriminant import LinearDiscriminant
from certaudit.audit.scores.log_ratio import LogRatio
from certaudit.audit.statistics.confidence import (
    Event,
    choose_event,
    lower_proportion,
    try_event,
    upper_proportion,
)
from certaudit.audit.statistics.divergence import (
    choose_witness,
    gaussian_plug_in,
    renyi_lower_bound,
)
from certaudit.audit.statistics.means import mean_interval
from certaudit.audit.statistics.power import epsilon_power, gaussian_epsilon, mu_power


@pytest.mark.parametrize("trials", [1, 7, 50])
@pytest.mark.parametrize("level", [0.1, 0.01])
def test_clopper_pearson_covers_by_enumeration(trials, level):
    hits = np.arange(trials + 1)
    low, high = lower_proportion(hits, trials, level), upper_proportion(hits, trials, level)
    assert low[0] == 0
    assert high[-1] == 1
    for p in np.linspace(0.001, 0.999, 83):
        chance = binom.pmf(hits, trials, p)
        assert chance[low > p].sum() <= level
        assert chance[high < p].sum() <= level


def test_events_count_both_sides():
    scores = np.array([0.0, 1.0, 2.0])
    assert Event(1.0, "above").count(scores) == 1
    assert Event(1.0, "at or below").count(scores) == 2


def false_alarms(audits, test):
    return sum(test(np.random.default_rng((77, k))) for k in range(audits))


@pytest.mark.parametrize("mu", [0.5, 1.5])
def test_a1_at_the_boundary_of_the_null(mu):
    """400 audits of a pair whose epsilon is exactly the claim, level 0.1.

    At most binom.isf(1e-6, 400, 0.1) = 71 false alarms: the test itself fails falsely below 1e-6.
    """
    delta, level = 1e-2, 0.1
    claim = gaussian_epsilon(mu, delta)

    def alarm(rng):
        p, q = rng.normal(mu, 1, 400), rng.normal(0, 1, 400)
        event = choose_event(p[:200], q[:200], delta, level)
        return try_event(event, p[200:], q[200:], level).epsilon(delta) > claim

    assert false_alarms(400, alarm) <= binom.isf(1e-6, 400, level)


def test_a3_at_the_boundary_of_the_null():
    """As above, for a claim of Gaussian DP."""

    def alarm(rng):
        p, q = rng.normal(1, 1, 400), rng.normal(0, 1, 400)
        event = choose_event(p[:200], q[:200], 0.0, 0.1, "mu")
        return try_event(event, p[200:], q[200:], 0.1).mu(0.0) > 1

    assert false_alarms(400, alarm) <= binom.isf(1e-6, 400, 0.1)


def test_a5_at_the_boundary_of_the_null():
    """As above, for a claim of the exact Rényi divergence, alpha mu^2/2 at order 3."""

    def alarm(rng):
        p, q = rng.normal(0.5, 1, 2000) * 0.5, rng.normal(0, 1, 2000) * 0.5
        witness = choose_witness(p[:1000], q[:1000], 3.0, 0.1)
        return renyi_lower_bound(witness, p[1000:], q[1000:], 3.0, 0.1) > 3 * 0.25 / 2

    assert false_alarms(200, alarm) <= binom.isf(1e-6, 200, 0.1)


def test_a5_sees_a_large_divergence():
    rng = np.random.default_rng(0)
    p, q = rng.normal(2, 1, 20000), rng.normal(0, 1, 20000)
    score = [2 * x - 2 for x in (p, q)]
    witness = choose_witness(score[0][:10000], score[1][:10000], 2.0, 0.05)
    bound = renyi_lower_bound(witness, score[0][10000:], score[1][10000:], 2.0, 0.05)
    assert 1.0 < bound < 4.0


def test_mean_interval_covers():
    """Beta(0.3, 3) means, 2000 samples of 300, level 0.05: at most binom.isf(1e-6, ...) misses."""
    rng = np.random.default_rng(1)
    truth = 0.3 / 3.3
    misses = [0, 0]
    for _ in range(2000):
        low, high = mean_interval(rng.beta(0.3, 3, 300), 0.0, 1.0, 0.05)
        misses[0] += low > truth
        misses[1] += high < truth
    assert max(misses) <= binom.isf(1e-6, 2000, 0.05)


def test_gaussian_epsilon_inverts_c5():
    for mu, delta in ((0.3, 1e-5), (1.0, 1e-12), (3.0, 1e-2), (1.0, 1e-300)):
        e = gaussian_epsilon(mu, delta)
        a = norm.logcdf(mu / 2 - e / mu)
        b = e + norm.logcdf(-mu / 2 - e / mu)
        assert a + math.log1p(-math.exp(b - a)) == pytest.approx(math.log(delta), rel=1e-6)


def test_power_is_what_simulation_finds():
    """At the smallest detectable value the best threshold refutes in well over half of 200 audits."""
    claim, delta, trials, level = 0.3, 1e-5, 1000, 0.01
    power = epsilon_power(claim, delta, trials, level)
    low, high = 0.0, 8.0
    for _ in range(60):
        mu = (low + high) / 2
        low, high = (low, mu) if gaussian_epsilon(mu, delta) > power.smallest else (mu, high)
    rng = np.random.default_rng(3)
    thresholds = np.linspace(-2, mu + 3, 60)
    best = max(refutations(rng, mu, t, claim, delta, trials, level, 200) for t in thresholds)
    assert best >= 130
    assert power.smallest < power.ceiling
    weaker = [refutations(rng, mu / 2, t, claim, delta, trials, level, 50) for t in thresholds]
    assert max(weaker) <= 25


def refutations(rng, mu, threshold, claim, delta, trials, level, audits):
    hits = rng.binomial(trials, norm.sf(threshold - mu), audits)
    false = rng.binomial(trials, norm.sf(threshold), audits)
    low = lower_proportion(hits, trials, level / 2) - delta
    high = upper_proportion(false, trials, level / 2)
    return int(((low > 0) & (np.log(np.maximum(low, 1e-300) / high) > claim)).sum())


def test_an_audit_too_small_to_refute_says_so():
    assert epsilon_power(20.0, 1e-5, 100, 0.01).smallest is None
    assert mu_power(20.0, 0.0, 100, 0.01).smallest is None
    assert epsilon_power(0.1, 0.999, 10, 0.01).ceiling == -math.inf


def test_extreme_deltas_and_constant_scores_do_not_break():
    same = np.zeros(100)
    event = choose_event(same, same, 1e-300, 0.01)
    assert try_event(event, same, same, 0.01).epsilon(1e-300) <= 0
    assert try_event(event, same, same, 0.01).epsilon(0.9999) == -math.inf


def test_linear_discriminant_survives_a_noiseless_world():
    p, q = np.tile([1.0, 2.0, 3.0], (50, 1)), np.tile([1.0, 2.0, 3.5], (50, 1))
    attack = LinearDiscriminant()
    attack.fit(p, q)
    assert (attack.score(p) > attack.score(q)).all()


def test_log_ratio_is_the_difference_of_log_densities():
    from scipy.stats import multivariate_normal

    rng = np.random.default_rng(2)
    cov_p, cov_q = np.diag([1.0, 2.0]), np.array([[1.0, 0.3], [0.3, 0.8]])
    models = rng.normal(size=(20, 2))
    expected = multivariate_normal.logpdf(models, [1, 0], cov_p)
    expected -= multivariate_normal.logpdf(models, [0, 0], cov_q)
    ours = LogRatio(np.array([1.0, 0]), cov_p, np.zeros(2), cov_q).score(models)
    assert np.allclose(ours, expected)


def test_plug_in_is_close_on_a_known_pair():
    rng = np.random.default_rng(4)
    p, q = rng.normal(0.5, 1, (50000, 2)), rng.normal(0, 1, (50000, 2))
    assert gaussian_plug_in(p, q, 2.0) == pytest.approx(0.5, rel=0.1)


def test_a_float_bound_is_made_smaller_before_it_refutes():
    assert not exceeds(0.1, F(1, 10))
    assert exceeds(0.1000001, F(1, 10))
    assert not exceeds(-math.inf, F(0))
