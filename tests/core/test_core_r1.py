"""R1: the formula, and what it refuses."""

import math
from fractions import Fraction as F

import pytest
from flint import arb
from law_runs import law, tiny

from certaudit.claims import BOTH
from certaudit.core.rule import NotApplicable, Undecided
from certaudit.core.rules import r1
from certaudit.core.statement import GaussianDP


def gaussian(mu="3/2", delta=0, directions=BOTH, observer="final"):
    return GaussianDP(arb(3) / 2 if mu == "3/2" else mu, arb(delta), directions, observer)


@pytest.mark.parametrize("order", [F(1001, 1000), F(2), F(10**9)])
def test_the_divergence_of_two_gaussians(order):
    for directions, observer in ((BOTH, "final"), (("Q|P",), "every-step")):
        one = gaussian(directions=directions, observer=observer)
        found = r1.RULE.apply(tiny(), (one,), r1.Witness(order)).statement
        assert found.r.contains(arb(order.numerator) / order.denominator * 9 / 8)
        assert (found.directions, found.observer, found.order) == (directions, observer, order)
        assert found.exactness == "upper"


def test_slack_is_refused():
    for delta in ("1e-300", "0 +/- 1e-30"):
        with pytest.raises(NotApplicable, match="slack"):
            r1.RULE.apply(tiny(), (gaussian(delta=delta),), r1.Witness(F(2)))


@pytest.mark.parametrize("order", [F(1), F(1, 2), F(-3), math.inf, math.nan])
def test_orders_out_of_range(order):
    with pytest.raises(Undecided, match="order"):
        r1.RULE.apply(tiny(), (gaussian(),), r1.Witness(order))


def test_other_statements_are_refused():
    proof, line = law(tiny())
    with pytest.raises(NotApplicable, match="GaussianDP"):
        proof.apply("R1", (line,), r1.Witness(F(2)))


def test_an_infinite_mu_bounds_nothing():
    found = r1.RULE.apply(tiny(), (gaussian(mu=arb("inf")),), r1.Witness(F(2))).statement
    assert not found.r <= arb(10) ** 1000
