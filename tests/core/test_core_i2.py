"""I2: the sum of squares, and what it refuses."""

from dataclasses import replace
from fractions import Fraction as F

import pytest
from flint import arb
from step_runs import course, small
from test_core_s1 import apply

from certaudit.core.balls import ball, precision
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, Nothing
from certaudit.core.rules.i2 import i2
from certaudit.core.slope import Restart as Steps
from certaudit.core.statement import Drift
from certaudit.run import Phase, Reference


@pytest.fixture(autouse=True)
def bits():
    with precision(128):
        yield


def mu(stretches, **changes):
    run, stated, *_ = course(stretches)
    return i2(replace(run, **changes), (stated,), Nothing()).statement.mu


def test_the_sum_of_squares():
    assert mu([(4, F(1), F(3), F(9))]) == 2
    assert mu([(4, F(1), F(3), F(9)), (10**9, F(7), F(0), F(0)), (5, F(1), F(1), F(1))]) == 3
    assert mu([(5, F(1), F(0), F(0))]) == 0
    billion = mu([(10**9, F(1), F(1, 10**5), F(1))])
    assert abs(billion - arb("0.1").sqrt()) < arb("1e-30")
    assert mu([(4, F(1), F(3), F(9))], output_variance=F(1)) == 2


def test_one_step_is_a_pair_of_gaussians_no_more_than_the_shift_apart():
    """The bound of one step of one row at the far end of its slope: equal to the exact distance."""
    run = small(learn=Phase(1, F(1, 2), F(1, 16)), reference=Reference("unlearn-retrained", 1))
    proof = Proof(run)
    stated = apply(run, "S2").statement
    line = proof.apply("S2", (), Steps(None))
    found = proof.apply("I2", (line,), Nothing()).statement
    assert abs(found.mu - stated.shifts[0][1] * 4) < arb("1e-30")
    assert (found.observer, found.directions, found.delta) == ("every-step", ("P|Q", "Q|P"), 0)


def test_directions_and_delta_are_those_of_the_bounds():
    run, stated, *_ = course([(4, F(1), F(3), F(9))])
    for world, direction in (("P", "P|Q"), ("Q", "Q|P")):
        found = i2(run, (replace(stated, world=world, delta=ball(F(1, 4))),), Nothing()).statement
        assert found.directions == (direction,)
        assert found.delta == ball(F(1, 4))


def test_refusals():
    with pytest.raises(NotApplicable, match="noise"):
        mu([(4, F(1), F(3), F(0))])
    run, stated, *rates = course([(4, F(1), F(3), F(9))])
    for uses in ((), (stated, stated), tuple(rates), (Drift(((4, arb(1), arb(1)),), None),)):
        with pytest.raises(NotApplicable):
            i2(run, uses, Nothing())
    with pytest.raises(NotApplicable, match="from the first"):
        i2(run, (replace(stated, last=4),), Nothing())
    with pytest.raises(NotApplicable, match="other steps"):
        i2(run, (replace(stated, shifts=((3, arb(1)),)),), Nothing())
    for reference in (
        Reference("unlearn-retrained", 5),
        Reference("unlearn-retrained", 4, None, F(1)),
        Reference("retrained", 3),
    ):
        with pytest.raises(NotApplicable):
            i2(replace(run, reference=reference), (stated,), Nothing())
