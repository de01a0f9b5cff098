"""A3: far fewer pairs if the laws are a Gaussian pair, no false alarm if they are and keep the claim."""

import math
from fractions import Fraction as F

import numpy as np
import pytest
from scipy.stats import binom, norm

from certaudit.audit.attack import audit
from certaudit.audit.scores.linear_discriminant import LinearDiscriminant
from certaudit.audit.statistics import gaussian_family
from certaudit.audit.statistics.forecast import forecast
from certaudit.audit.statistics.limit import of_gaussian_dp
from certaudit.audit.statistics.power import gaussian_epsilon, gaussian_mu
from certaudit.audit.statistics.sequential import EProcesses
from certaudit.claims import EpsilonDelta, GaussianClaim
from certaudit.report.audit import details, gaussian

BOTH = ("P|Q", "Q|P")


def claim(epsilon, delta=1e-3):
    return EpsilonDelta("e", F(epsilon), F(delta), directions=BOTH)


@pytest.mark.parametrize("delta", [1e-2, 1e-5])
@pytest.mark.parametrize("mu", [0.3, 1.0, 3.0])
def test_mu_is_the_inverse_of_epsilon(mu, delta):
    epsilon = gaussian_epsilon(mu, delta)
    found = gaussian_mu(epsilon, delta)
    assert found == pytest.approx(mu, rel=1e-6)
    exact = norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu)
    assert exact == pytest.approx(delta, rel=1e-6)


def test_a_claim_without_delta_has_no_gaussian_pair():
    assert gaussian_family.wealth(claim(1, 0), 0.05) is None
    assert gaussian_family.wealth(GaussianClaim("m", F(1), F(0)), 0.05) is None


@pytest.mark.parametrize(
    ("mu", "delta", "times"), [(0.25, 1e-5, 8), (0.5, 1e-3, 2), (1, 1e-5, 40), (2, 1e-3, 30)]
)
def test_pairs_needed_at_half_the_truth(mu, delta, times):
    """At least ``times`` fewer than without the assumption, both at the growth-rate limit."""
    half, truth = claim(gaussian_epsilon(mu, delta) / 2, delta), of_gaussian_dp(mu)
    alone = forecast(half, truth, 0.05).least
    assumed = math.log(20) / gaussian_family.rate(half, truth)
    assert assumed * times < alone


def refuted(mu, of, seed, pairs, level):
    rng = np.random.default_rng((41, seed))
    wealth = gaussian_family.wealth(of, level)
    process = EProcesses([LinearDiscriminant()], [wealth])
    process.extend(rng.normal(mu, 1, (pairs, 1)), rng.normal(0, 1, (pairs, 1)))
    return wealth.refuted_after


def test_a_gaussian_pair_that_just_keeps_the_claim_is_seldom_broken():
    """100 audits at 0.2, and 30 of a pair of three times the mu; a bound fails falsely once in a
    million."""
    of = claim(gaussian_epsilon(0.5, 1e-3))
    alarms = sum(refuted(0.5, of, k, 300, 0.2) is not None for k in range(100))
    assert alarms <= binom.isf(1e-6, 100, 0.2)
    assert sum(refuted(1.5, of, k, 300, 0.2) is not None for k in range(30)) > 25


class Pair:
    """A trainer of N(mu, 1) against N(0, 1) in the place of foreign code."""

    def __init__(self, mu):
        self.mu = mu

    def __call__(self, run, world, first, count):
        from certaudit.audit.shadows.train import Shadows

        rng = np.random.default_rng((first, "PQ".index(world), len(run.requests)))
        models = rng.normal(size=(count, run.parameters))
        models[:, 0] += self.mu * (world == "P")
        return Shadows(models, {})


def test_the_line_of_its_own_decides_nothing_and_holds_nothing_up():
    """A claim of half the truth: the line breaks it long before the audit would; the claim stands."""
    from shadow_runs import ridge_run

    of = claim(gaussian_epsilon(2.0, 1e-5) / 2, 1e-5)
    report = audit(ridge_run(), [of], shadows=256, confidence=F(19, 20), seed=0, foreign=Pair(2.0))
    (found,) = report.claims
    assert not found.refuted
    assert found.gaussian.refuted_after < 256
    (line,) = [text for text in details(found) if "A3" in text]
    assert "broken after" in line
    assert "decides nothing" in line
    quick = audit(
        ridge_run(), [claim(0.01, 0.001)], shadows=64, confidence=F(19, 20), seed=0, foreign=Pair(0.0)
    )
    assert quick.claims[0].gaussian.refuted_after is None
    assert "not broken" in gaussian(quick.claims[0].gaussian, 0.01)


def test_power_lines_say_what_they_suppose():
    from shadow_runs import ridge_run

    report = audit(ridge_run(), [claim(1)], shadows=64, confidence=F(19, 20), seed=0, foreign=Pair(0.0))
    powers = [text for text in details(report.claims[0]) if "power:" in text]
    assert any("if the worlds differ like two Gaussians" in text for text in powers)
    assert any("whatever the worlds" in text for text in powers)
