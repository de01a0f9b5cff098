"""Calibrated noise and steps are proved, and little less is not."""

import dataclasses
from fractions import Fraction as F

import numpy as np
import pytest
from test_rank_fast import small

from certaudit.calibrate import NotCalibratable, calibrate, proves, with_noise, with_steps
from certaudit.claims import EpsilonDelta
from certaudit.estimates.laws import forgetting
from certaudit.run import Reference

CLAIM = EpsilonDelta("calibrate", F(1, 5), F(1, 10**5))


@pytest.mark.parametrize("route", ["S3/S4 + I1", "exact tier"])
def test_the_least_noise_is_proved_and_one_percent_less_is_not(route):
    run = small()
    (found,) = calibrate(run, [5], CLAIM.epsilon, CLAIM.delta, "noise")
    value = found.least[route]
    here = forgetting(run, 5)
    assert proves(with_noise(here, value), CLAIM, route)
    assert not proves(with_noise(here, value * F(99, 100)), CLAIM, route)
    assert found.least["S1 + I1"] is None


def test_the_exact_tier_never_needs_more_than_another_route():
    rows = calibrate(small(), [0, 5, 9], CLAIM.epsilon, CLAIM.delta, "noise")
    assert all(one.least["exact tier"] <= one.least["S3/S4 + I1"] for one in rows)


def test_the_fewest_steps_are_proved_and_one_less_is_not():
    run = small()
    claim = EpsilonDelta("calibrate", F(1, 50), F(1, 10**5))
    (found,) = calibrate(run, [5], claim.epsilon, claim.delta, "steps")
    for route in ("S3/S4 + I1", "exact tier"):
        steps = int(found.least[route])
        assert proves(with_steps(forgetting(run, 5), steps), claim, route)
        if steps > 1:
            assert not proves(with_steps(forgetting(run, 5), steps - 1), claim, route)


def test_a_lipschitz_loss_has_a_worst_case_above_the_instance():
    X = small().X * np.linspace(0.1, 1, 14)[:, None]
    run = small(loss="logistic", y=np.sign(small().y), X=X)
    (found,) = calibrate(run, [2], F(1, 20), CLAIM.delta, "noise")
    worst, own, likely = (found.least[r] for r in ("S1 + I1", "S2 + I1", "S3/S4 + I1"))
    assert worst > own > likely > 0
    assert found.least["exact tier"] is None


def test_no_noise_is_needed_where_nothing_is_to_hide():
    X = small().X.copy()
    X[3] = 0
    (found,) = calibrate(small(X=X), [3], CLAIM.epsilon, CLAIM.delta, "noise")
    assert found.least["exact tier"] == 0


def test_references_with_a_noise_of_their_own_are_refused():
    reference = Reference("unlearn-retrained", 40, unlearn_variance=F(1, 50))
    with pytest.raises(NotCalibratable):
        calibrate(dataclasses.replace(small(), reference=reference), [1], F(1), CLAIM.delta, "noise")
